// How activities call the two services: one POST or GET with a time limit and an idempotency key, and what each kind of answer
// means. Refusals are final (non-retryable failures, typed by the service's code); everything else may be tried again.

import { ApplicationFailure } from 'tenuto/activity';

/** A service that has not answered by then is asked again, with the same key. */
const CALL_TIMEOUT_MS = 2_000;

export interface Call {
  path: string;
  /** The same key always means the same request: the service performs it once and repeats its answer. */
  idempotencyKey: string;
  body: unknown;
  signal: AbortSignal;
}

export class ServiceClient {
  readonly #name: string;
  readonly #url: string;

  /** @param url origin of the service, e.g. `http://127.0.0.1:4242` */
  constructor(name: string, url: string) {
    this.#name = name;
    this.#url = url;
  }

  post<T>(call: Call): Promise<T> {
    return this.#fetch<T>(call.path, call.signal, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': call.idempotencyKey },
      body: JSON.stringify(call.body),
    });
  }

  get<T>(path: string, signal: AbortSignal): Promise<T> {
    return this.#fetch<T>(path, signal, { method: 'GET' });
  }

  async #fetch<T>(path: string, signal: AbortSignal, init: RequestInit): Promise<T> {
    const where = `${this.#name} ${init.method ?? 'GET'} ${path}`;
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(new URL(path, this.#url), {
        ...init,
        signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]),
      });
      answer = await response.json();
    } catch (error) {
      signal.throwIfAborted();
      // The request may have had its effect: only the same key makes asking again safe.
      throw ApplicationFailure.create({
        message: `${where}: no answer (${causeOf(error)})`,
        type: 'NoAnswer',
        ...(error instanceof Error ? { cause: error } : {}),
      });
    }
    // The service's contract gives the shape of a 2xx answer; both ends are in this folder.
    if (response.ok) return answer as T;
    const refusal = answer as { code?: string; message?: string };
    const message = `${where}: ${response.status} ${refusal.message ?? 'without a message'}`;
    if (response.status >= 500) throw ApplicationFailure.create({ message, type: 'ServiceUnavailable' });
    throw ApplicationFailure.nonRetryable(
      refusal.message ?? message,
      refusal.code ?? `http_${response.status}`,
      refusal,
    );
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause;
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message;
}

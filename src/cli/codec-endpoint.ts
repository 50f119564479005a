// `--codec-endpoint`: a server of the user's that encodes and decodes payloads, so that the command shows what only the user's own keys can read, and
// sends what the workers expect. The protocol is that of Temporal's codec servers: POST to /encode and /decode, payloads as proto3 JSON.

import { decodeBase64, encodeBase64 } from '../../sdk/common/base64.ts';
import type { PayloadCodec } from '../../sdk/common/data-converter.ts';
import { isRecord } from '../../sdk/common/type-helpers.ts';
import type { Payload } from '../wire/common.ts';
import { CommandError, ExitCode, UsageError } from './exit-codes.ts';

/** How long one request may take, ms. */
const TIMEOUT_MS = 10_000;
/** Of what the server says when it refuses, in characters. */
const MAX_REFUSAL = 200;

export interface CodecFlags {
  codecEndpoint?: string;
  codecAuth?: string;
  codecHeader?: string[];
}

/** None where no endpoint is named. @throws UsageError for one that is no URL, or for a header that is no `name=value`. */
export function codecsOf(flags: CodecFlags, namespace: string): PayloadCodec[] {
  const { codecEndpoint, codecAuth, codecHeader = [] } = flags;
  if (codecEndpoint === undefined) {
    if (codecAuth !== undefined || codecHeader.length > 0)
      throw new UsageError('--codec-auth and --codec-header are for a --codec-endpoint, and none is named');
    return [];
  }
  if (!/^https?:$/.test(urlOf(codecEndpoint)?.protocol ?? ''))
    throw new UsageError(`--codec-endpoint takes a URL, e.g. http://127.0.0.1:8081, not ${codecEndpoint}`);
  const headers: Record<string, string> = { 'Content-Type': 'application/json', 'X-Namespace': namespace };
  if (codecAuth !== undefined) headers.Authorization = codecAuth;
  for (const text of codecHeader) {
    const at = text.indexOf('=');
    if (at <= 0) throw new UsageError(`--codec-header ${text}: expected name=value`);
    headers[text.slice(0, at)] = text.slice(at + 1);
  }
  return [new RemoteCodec(codecEndpoint.replace(/\/+$/, ''), headers)];
}

function urlOf(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

class RemoteCodec implements PayloadCodec {
  readonly #endpoint: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(endpoint: string, headers: Readonly<Record<string, string>>) {
    this.#endpoint = endpoint;
    this.#headers = headers;
  }

  encode(payloads: Payload[]): Promise<Payload[]> {
    return this.#ask('encode', payloads);
  }

  decode(payloads: Payload[]): Promise<Payload[]> {
    return this.#ask('decode', payloads);
  }

  async #ask(verb: 'encode' | 'decode', payloads: Payload[]): Promise<Payload[]> {
    if (payloads.length === 0) return [];
    const url = `${this.#endpoint}/${verb}`;
    const failed = (what: string, cause?: unknown): CommandError =>
      new CommandError(`the codec server at ${url} ${what}`, {
        exitCode: ExitCode.UNAVAILABLE,
        hint: 'Without --codec-endpoint payloads are shown and sent as they are.',
        cause,
      });
    let response: Response;
    let text: string;
    try {
      const body = JSON.stringify({ payloads: payloads.map(toJSON) });
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      response = await fetch(url, { method: 'POST', headers: this.#headers, body, signal });
      text = await response.text();
    } catch (error) {
      const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw failed(`gave no answer: ${reason instanceof Error ? reason.message : reason}`, error);
    }
    if (!response.ok) throw failed(`refused with ${response.status}: ${text.trim().slice(0, MAX_REFUSAL)}`);
    const answered = payloadsIn(text);
    if (answered?.length !== payloads.length)
      throw failed(`did not answer with ${payloads.length} payloads, as it was given`);
    return answered;
  }
}

const toJSON = ({ metadata = {}, data }: Payload): unknown => ({
  metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, encodeBase64(value)])),
  data: encodeBase64(data ?? new Uint8Array()),
});

/** Undefined where that is no list of payloads. */
function payloadsIn(text: string): Payload[] | undefined {
  try {
    const { payloads } = JSON.parse(text) as { payloads?: unknown };
    return Array.isArray(payloads) ? payloads.map(fromJSON) : undefined;
  } catch {
    return undefined;
  }
}

function fromJSON(payload: unknown): Payload {
  if (!isRecord(payload)) throw new TypeError('no payload');
  const metadata = isRecord(payload.metadata) ? payload.metadata : {};
  const data = typeof payload.data === 'string' ? decodeBase64(payload.data) : new Uint8Array();
  const decoded = Object.entries(metadata).map(([name, value]) => [name, decodeBase64(String(value))]);
  return { metadata: Object.fromEntries(decoded), data };
}

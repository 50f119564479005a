// HTTP around a ledger: bounds and decodes requests, lets the fault plan interfere, and reports to the supervisor what it did.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ZodError, z } from 'zod';
import type { FaultKind, Faults } from './faults.ts';
import { type Answer, type Ledger, refuse } from './ledger.ts';

const MAX_BODY_BYTES = 64 * 1024;

export interface ServiceEvents {
  /** A fault was injected. */
  fault(kind: FaultKind): void;
  /** A repeated request was answered from the file. */
  replayed(): void;
  /** The file cannot be written: the service must end, memory is ahead of the disk. */
  broken(error: unknown): void;
}

export function serve<S, E>(service: { ledger: Ledger<S, E>; faults: Faults; events: ServiceEvents }): Server {
  const { ledger, faults, events } = service;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://service').pathname;
    if (request.method === 'GET' && path === '/healthz') return send(response, { status: 200, body: { ok: true } });
    if (request.method !== 'GET' && request.method !== 'POST') {
      return send(response, refuse(405, 'method_not_allowed', `${request.method} is not served; GET and POST are`));
    }

    let call: { key: string; body: unknown } | undefined;
    if (request.method === 'POST') {
      const key = request.headers['idempotency-key'];
      if (typeof key !== 'string' || key === '') {
        return send(response, refuse(400, 'no_idempotency_key', 'a POST needs an idempotency-key header'));
      }
      const body = await readJson(request);
      if (!body.ok) return send(response, body.refusal);
      call = { key, body: body.value };
    }

    const fault = faults.next(call?.key ?? path, call ? 'mutate' : 'read');
    if (fault.kind !== 'none') events.fault(fault.kind);
    if (fault.kind === 'reset') return cut(request);
    if (fault.kind === 'unavailable') return send(response, refuse(503, 'unavailable', 'out of order, try again'));
    if (fault.kind === 'slow' || fault.kind === 'stalled') await sleep(fault.delayMs);

    const answer = call ? await perform(path, call) : await view(path);
    if (fault.kind === 'lost answer') return cut(request);
    if (fault.kind === 'false failure') return send(response, refuse(502, 'bad_gateway', 'no answer from upstream'));
    send(response, answer);
  }

  async function perform(path: string, call: { key: string; body: unknown }): Promise<Answer> {
    try {
      const answer = await ledger.perform({ ...call, path, now: Date.now() });
      if (answer.replayed) events.replayed();
      return answer;
    } catch (error) {
      if (error instanceof ZodError) return refuse(400, 'invalid_request', z.prettifyError(error));
      events.broken(error);
      throw error;
    }
  }

  async function view(path: string): Promise<Answer> {
    const body = await ledger.view(path, Date.now());
    return body === undefined ? refuse(404, 'not_found', `there is no ${path}`) : { status: 200, body };
  }

  return createServer((request, response) => {
    handle(request, response).catch(() => cut(request));
  });
}

type Body = { ok: true; value: unknown } | { ok: false; refusal: Answer };

async function readJson(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) {
      return { ok: false, refusal: refuse(413, 'too_large', `a body may have ${MAX_BODY_BYTES} bytes`) };
    }
    chunks.push(chunk);
  }
  try {
    return { ok: true, value: JSON.parse(Buffer.concat(chunks).toString('utf8')) };
  } catch {
    return { ok: false, refusal: refuse(400, 'invalid_json', 'the body is not JSON') };
  }
}

function send(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(`${JSON.stringify(answer.body)}\n`);
}

/** A reset, not a polite end. */
function cut(request: IncomingMessage): void {
  request.socket.resetAndDestroy();
}

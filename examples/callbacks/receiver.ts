// Who is called: an HTTP server that believes only what is signed with the secret it shares with Tenuto, and counts no call twice.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call that is older could be one that somebody has kept, and sends again. */
const MAX_AGE_S = 300;

export function isSigned(headers: IncomingHttpHeaders, body: Buffer, secret: string): boolean {
  const parts = String(headers['tenuto-signature'] ?? '').split(',');
  const seconds = parts.find((part) => part.startsWith('t='))?.slice(2) ?? '';
  if (!(Math.abs(Date.now() / 1_000 - Number(seconds)) <= MAX_AGE_S)) return false;
  const expected = createHmac('sha256', secret).update(`${seconds}.`).update(body).digest();
  return parts.some((part) => {
    const given = Buffer.from(part.slice(3), 'hex');
    return part.startsWith('v1=') && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

export interface Heard {
  /** `succeeded`, `failed` or `canceled`. */
  state: string;
  tenant: string | undefined;
  /** The result, or the failure with its `message`. */
  body: unknown;
}

/** Fails its first call, as servers do; Tenuto comes again. */
export async function receive(secret: string): Promise<{ url: string; heard: Heard[]; server: Server }> {
  const heard: Heard[] = [];
  const seen = new Set<string>();
  let calls = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    calls += 1;
    if (!isSigned(request.headers, body, secret)) response.writeHead(403);
    else if (calls === 1) response.writeHead(503);
    else {
      const { 'tenuto-callback-id': id, 'nexus-operation-state': state, 'x-tenant': tenant } = request.headers;
      if (!seen.has(String(id))) {
        heard.push({ state: String(state), tenant: tenant?.toString(), body: JSON.parse(body.toString()) });
      }
      seen.add(String(id));
      response.writeHead(204);
    }
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/payments`, heard, server };
}

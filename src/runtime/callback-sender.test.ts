// Over real sockets of this machine: what arrives, what an answer means, and what is never called.
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { CallbackRules } from '../core/nexus/callback-rules.ts';
import type { CallbackAnswer, CallbackRequest } from '../ports/callbacks.ts';
import { makeCallbackSender } from './callback-sender.ts';

interface Received {
  url: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(status: number | 'silent'): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      received.push({ url: request.url, headers: request.headers, body });
      if (status === 'silent') return;
      response.writeHead(status, { location: 'http://127.0.0.1:1/elsewhere' });
      response.end('x'.repeat(100_000));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?a=b`, received };
}

const sender = makeCallbackSender({
  rules: new CallbackRules([{ pattern: '127.0.0.1:*', allowInsecure: true }]),
  secrets: ['the-old-secret-00', 'the-new-secret-00'],
  clock: { now: () => 1_700_000_000_123 },
});

const call = (url: string, over: Partial<CallbackRequest> = {}): Promise<CallbackAnswer> =>
  new Promise((resolve) =>
    sender.send(
      {
        callbackId: 'krun/1',
        attempt: 2,
        url,
        headers: { 'x-tenant': 'a', 'content-type': 'application/json' },
        body: new TextEncoder().encode('"done"'),
        timeoutMs: 2_000,
        ...over,
      },
      resolve,
    ),
  );

describe('calling a callback', () => {
  it('posts body and headers, signed with each secret over the time and the body', async () => {
    const { url, received } = await listen(204);
    expect(await call(url)).toEqual({});
    const [request] = received;
    expect(request).toMatchObject({
      url: '/hook?a=b',
      body: '"done"',
      headers: {
        'x-tenant': 'a',
        'content-type': 'application/json',
        'tenuto-callback-id': 'krun%2F1',
        'tenuto-callback-attempt': '2',
      },
    });
    const hex = (secret: string) => createHmac('sha256', secret).update('1700000000."done"').digest('hex');
    expect(request?.headers['tenuto-signature']).toBe(
      `t=1700000000,v1=${hex('the-old-secret-00')},v1=${hex('the-new-secret-00')}`,
    );
  });

  it.each([
    [500, true],
    [503, true],
    [429, true],
    [408, true],
    [400, false],
    [404, false],
    [301, false],
  ] as const)('an answer of %i failed; worth another try: %s', async (status, retryable) => {
    const { url, received } = await listen(status);
    expect((await call(url)).failure).toEqual({ message: `answered with status ${status}`, retryable });
    // A redirect is not followed: it could lead where nothing is allowed.
    expect(received.length).toBe(1);
  });

  it('does not wait longer than it may, and tries again where nobody listens', async () => {
    const { url } = await listen('silent');
    expect((await call(url, { timeoutMs: 50 })).failure).toEqual({
      message: 'no answer within 50 ms',
      retryable: true,
    });
    const gone = await listen(200);
    servers.at(-1)?.close();
    await new Promise((resolve) => servers.pop()?.close(resolve) ?? resolve(undefined));
    expect((await call(gone.url)).failure?.retryable).toBe(true);
  });

  it('never calls an address that is not allowed, whatever was once', async () => {
    expect((await call('http://localhost:9/')).failure).toMatchObject({ retryable: false });
    expect((await call('file:///etc/passwd')).failure).toMatchObject({ retryable: false });
  });
});

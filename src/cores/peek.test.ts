import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CORE_PROTOCOL, corePath, MAX_HEAD_BYTES, wantedOfHello, wantedOfRequest } from './peek.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('a request', () => {
  it.each<[string, number | 'any' | 'more']>([
    [`GET ${corePath(2)} HTTP/1.1\r\n`, 2],
    [`GET ${corePath(12)}?x=1 HTTP/1.1\r\nHost: a\r\n\r\n`, 12],
    ['GET / HTTP/1.1\r\n', 'any'],
    ['GET /readyz HTTP/1.1\r\n', 'any'],
    ['GET /cores/ HTTP/1.1\r\n', 'any'],
    ['GET /cores/2/more HTTP/1.1\r\n', 'any'],
    ['GET /cores/99999 HTTP/1.1\r\n', 'any'],
    ['nonsense\r\n', 'any'],
    ['', 'more'],
    ['GET /cores/2 HTTP/1.1', 'more'],
    ['x'.repeat(MAX_HEAD_BYTES), 'any'],
  ])('that begins %j is for %s', (head, wanted) => {
    const expected = typeof wanted === 'number' ? { type: 'core', core: wanted } : { type: wanted };
    expect(wantedOfRequest(bytes(head))).toEqual(expected);
  });
});

/** What Node's own TLS sends first. */
async function hello(ALPNProtocols: string[]): Promise<Buffer> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // A listening TCP server has an address of this kind.
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', ALPNProtocols, servername: 'orders.example' });
  client.on('error', () => {});
  const [socket] = await once(server, 'connection');
  const [first] = await once(socket, 'data');
  client.destroy();
  socket.destroy();
  server.close();
  return first;
}

describe('a ClientHello', () => {
  it('says in its ALPN list which core it is for', async () => {
    const head = await hello(['http/1.1', `${CORE_PROTOCOL}3`]);
    expect(wantedOfHello(head)).toEqual({ type: 'core', core: 3 });
    for (let end = 0; end < head.length; end += 1)
      expect(wantedOfHello(head.subarray(0, end))).toEqual({ type: 'more' });
  });

  it.each([[['http/1.1']], [['h2', `${CORE_PROTOCOL}x`]], [[`${CORE_PROTOCOL}`]]])(
    'with %j is for any',
    async (names) => {
      expect(wantedOfHello(await hello(names))).toEqual({ type: 'any' });
    },
  );

  it('of any bytes is answered, and never waited for beyond the bound', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (noise, asHandshake) => {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(noise.length);
        const head = asHandshake ? Buffer.concat([Buffer.from([22, 3, 1]), length, noise]) : Buffer.from(noise);
        const { type } = wantedOfHello(head);
        if (asHandshake) expect(type).not.toBe('more');
      }),
    );
    expect(wantedOfHello(Buffer.from([22, 3, 1, 0xff, 0xff]))).toEqual({ type: 'any' });
  });
});

import { describe, expect, it } from 'vitest';
import { toWebSocketUrl } from './address.ts';

describe('an address becomes a WebSocket URL', () => {
  it.each([
    ['127.0.0.1:7280', 'plain', 'ws://127.0.0.1:7280/'],
    ['localhost', 'plain', 'ws://localhost:7280/'],
    ['localhost:80', 'plain', 'ws://localhost/'],
    ['[::1]:9000', 'plain', 'ws://[::1]:9000/'],
    ['[::1]', 'plain', 'ws://[::1]:7280/'],
    ['tenuto.example:443', 'tls', 'wss://tenuto.example/'],
    ['tenuto.example', 'tls', 'wss://tenuto.example:7280/'],
    ['ws://host:1/path', 'plain', 'ws://host:1/path'],
    ['wss://host', 'plain', 'wss://host/'],
    ['wss://host', 'tls', 'wss://host/'],
    ['https://host:7280', 'plain', 'wss://host:7280/'],
  ] as const)('%s (%s)', (address, tls, url) => {
    expect(toWebSocketUrl(address, tls)).toBe(url);
  });

  it.each([
    ['', 'plain'],
    ['host:notaport', 'plain'],
    ['ftp://host', 'plain'],
    ['ws://host', 'tls'],
    ['host:70000', 'plain'],
  ] as const)('%j (%s) is refused', (address, tls) => {
    expect(() => toWebSocketUrl(address, tls)).toThrow(/Invalid address/);
  });

  it('says which part is wrong where it can', () => {
    expect(() => toWebSocketUrl('127.0.0.1:99999', 'plain')).toThrow(
      "Invalid address '127.0.0.1:99999': ports end at 65535",
    );
  });
});

import { describe, expect, it } from 'vitest';
import { learnedUrl, toWebSocketUrl, toWebSocketUrls } from './address.ts';
import { AddressBook } from './address-book.ts';

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

describe('several addresses', () => {
  it.each([
    ['a, b:1,a:7280', ['ws://a:7280/', 'ws://b:1/']],
    [
      ['a', 'wss://b,c'],
      ['ws://a:7280/', 'wss://b/', 'ws://c:7280/'],
    ],
  ])('%j', (addresses, urls) => {
    expect(toWebSocketUrls(addresses, 'plain')).toEqual(urls);
  });

  it.each([[[]], ['a,,b'], [Array.from({ length: 65 }, (_, i) => `h${i}`)]])('%j are refused', (addresses) => {
    expect(() => toWebSocketUrls(addresses, 'plain')).toThrow(/Invalid address/);
  });
});

describe('an address that a node told', () => {
  it.each([
    ['10.0.0.1:7280', 'ws://given:1/', 'ws://10.0.0.1:7280/'],
    ['[::1]:80', 'wss://given/', 'wss://[::1]:80/'],
    ['node-2.internal:9', '', 'ws://node-2.internal:9/'],
  ])('%s, known %s', (address, known, url) => {
    expect(learnedUrl(address, known)).toBe(url);
  });

  it.each(['', 'host', 'host:70000', 'ws://host:1', 'host:1/path', 'user@host:1', 'a b:1', '[zz]:1'])(
    '%j leads nowhere',
    (address) => {
      expect(learnedUrl(address, 'ws://given:1/')).toBeUndefined();
    },
  );
});

describe('an address book', () => {
  const taken = (book: AddressBook, count: number): string[] => Array.from({ length: count }, () => book.next());

  it('goes round, beginning anywhere', () => {
    expect(taken(new AddressBook(['a', 'b', 'c'], () => 0), 4)).toEqual(['a', 'b', 'c', 'a']);
    expect(taken(new AddressBook(['a', 'b', 'c'], () => 0.99), 4)).toEqual(['c', 'a', 'b', 'c']);
  });

  it('takes what was learned before what was given, and forgets it with the next lesson', () => {
    const book = new AddressBook(['given'], () => 0);
    expect(book.next()).toBe('given');
    book.learn(['x', 'y']);
    expect(book.size).toBe(3);
    expect(new Set(taken(book, 2))).toEqual(new Set(['x', 'y']));
    expect(book.next()).toBe('given');
    book.learn(['y', 'given']);
    expect([book.size, new Set(taken(book, 2))]).toEqual([2, new Set(['y', 'given'])]);
  });
});

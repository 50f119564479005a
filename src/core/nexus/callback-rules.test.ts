import { describe, expect, it } from 'vitest';
import { CallbackRules, matches } from './callback-rules.ts';

const rules = new CallbackRules([
  { pattern: '*.example.test', allowInsecure: false },
  { pattern: 'example.test', allowInsecure: false },
  { pattern: '127.0.0.1:*', allowInsecure: true },
]);

describe('a callback address', () => {
  it.each([
    'https://example.test/hook?a=b',
    'https://EXAMPLE.test:443/x',
    'https://a.b.example.test/',
    'http://127.0.0.1:9000/x',
    'https://127.0.0.1:9000/x',
  ])('%s is taken', (url) => {
    expect(rules.problem({ nexus: { url } })).toBeUndefined();
  });

  it.each([
    ['', 'not set'],
    ['nonsense', 'cannot be parsed'],
    ['ftp://example.test/', 'unknown scheme'],
    ['file:///etc/passwd', 'unknown scheme'],
    ['http://example.test/', 'over https only'],
    ['https://example.test:8443/', 'none of the addresses'],
    ['https://example.test.evil.test/', 'none of the addresses'],
    ['https://user:secret@example.test/', 'names a user'],
    ['http://127.0.0.1/x', 'none of the addresses'],
    // The same machine, written otherwise: an URL's host is compared after it is normalized.
    ['http://169.254.169.254:80/latest', 'none of the addresses'],
    ['http://[::1]:9000/', 'none of the addresses'],
    [`https://example.test/${'x'.repeat(1_000)}`, 'longer than'],
  ])('%s is refused', (url, why) => {
    expect(rules.problem({ nexus: { url } })).toContain(why);
  });

  it('is never taken where none is allowed', () => {
    expect(new CallbackRules([]).problem({ nexus: { url: 'http://127.0.0.1:1/x' } })).toContain(
      'none of the addresses',
    );
    expect(new CallbackRules([]).problem({ internal: {} })).toContain('unknown callback variant');
  });

  it.each([
    [{ 'x-tenant': 'a' }, undefined],
    [{ 'bad name': 'a' }, 'is no HTTP header'],
    [{ a: 'x\r\nHost: other' }, 'is no HTTP header'],
    [{ Host: 'other' }, 'sets it itself'],
    [{ a: 'x'.repeat(9_000) }, 'more than'],
  ])('has headers that can be sent: %j', (header, why) => {
    const problem = rules.problem({ nexus: { url: 'https://example.test/', header } as never });
    if (why === undefined) expect(problem).toBeUndefined();
    else expect(problem).toContain(why);
  });
});

describe('a pattern', () => {
  it.each([
    ['*', 'anything', true],
    ['a*c', 'abc', true],
    ['a*c', 'ac', true],
    ['a*b*c', 'a1b2c', true],
    ['a*b*c', 'a1c2b', false],
    ['aa*aa', 'aaa', false],
    ['abc', 'abcd', false],
  ])('%s on %s: %s', (pattern, text, fits) => {
    expect(matches(pattern, text)).toBe(fits);
  });
});

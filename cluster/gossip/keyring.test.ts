import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Keyring, KeyringError, keyId, parseKey } from './keyring.ts';

const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

describe('a key', () => {
  it.each([
    ['base64', Buffer.alloc(32, 7).toString('base64')],
    ['hex', Buffer.alloc(32, 7).toString('hex')],
    ['base64 with a line break', `${Buffer.alloc(32, 7).toString('base64')}\n`],
  ])('is read from %s', (_, text) => {
    expect(Buffer.from(parseKey(text))).toEqual(Buffer.alloc(32, 7));
  });

  it.each(['', 'short', Buffer.alloc(16).toString('base64'), Buffer.alloc(33).toString('hex')])(
    'of another length is refused without being shown: %j',
    (text) => {
      expect(() => parseKey(text)).toThrow(KeyringError);
      if (text !== '') expect(() => parseKey(text)).not.toThrow(text);
    },
  );
});

describe('a keyring', () => {
  it('changes its key in three steps', () => {
    const ring = new Keyring([key(1)]);
    ring.add(key(2));
    expect(ring.primary.id).toBe(keyId(key(1)));
    ring.use(keyId(key(2)));
    expect(ring.ids).toEqual([keyId(key(2)), keyId(key(1))]);
    ring.remove(keyId(key(1)));
    expect(ring.find(keyId(key(1)))).toBeUndefined();
  });

  it.each([
    ['is empty', () => new Keyring([])],
    ['gets a short key', () => new Keyring([key(1).subarray(1)])],
    ['should use a key it has not', () => new Keyring([key(1)]).use('00000000')],
    ['should remove the key in use', () => new Keyring([key(1)]).remove(keyId(key(1)))],
    ['gets a ninth key', () => new Keyring([1, 2, 3, 4, 5, 6, 7, 8, 9].map(key))],
  ])('that %s says so', (_, act) => {
    expect(act).toThrow(KeyringError);
  });

  it('added twice is there once', () => {
    expect(new Keyring([key(1), key(1)]).ids.length).toBe(1);
  });

  it('is shown without its keys', () => {
    expect(inspect(new Keyring([key(1)]), { depth: 9, showHidden: true })).not.toContain('01');
    expect(JSON.stringify(new Keyring([key(1)]))).toBe('{}');
  });
});

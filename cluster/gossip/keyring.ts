// The cluster's keys. The first one seals, all of them open, so that a key is changed while the cluster runs: add the new one on every node,
// then use it on every node, then remove the old one. Keys never leave this module but as derived keys; what names one is its id.

import { createHash, hkdfSync } from 'node:crypto';

/** AES-256. */
const KEY_BYTES = 32;
/** Keys a ring holds at once; a change needs two. */
const MAX_KEYS = 8;

/** A key that cannot be meant, or a change of keys that would lock this node out. Never shows a key. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError';
}

export interface Key {
  /** First 4 bytes of a hash, hex: names the key in packets, logs and metrics. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** @param text 32 bytes as base64 or hex. @throws KeyringError */
export function parseKey(text: string): Uint8Array {
  const trimmed = text.trim();
  const bytes = /^[0-9a-fA-F]{64}$/.test(trimmed) ? Buffer.from(trimmed, 'hex') : Buffer.from(trimmed, 'base64');
  if (bytes.length !== KEY_BYTES) {
    throw new KeyringError(
      `a cluster key must be ${KEY_BYTES} bytes in base64 or hex, not ${bytes.length}: make one with \`openssl rand -base64 32\``,
    );
  }
  return bytes;
}

export function keyId(key: Uint8Array): string {
  return createHash('sha256').update('tenuto cluster key id\0').update(key).digest('hex').slice(0, 8);
}

/** Each sender seals with a key of its own, so that its counter alone makes a nonce that is never used twice. */
export function senderKey(key: Uint8Array, sender: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', key, sender, 'tenuto gossip 1', KEY_BYTES));
}

export class Keyring {
  /** The primary first. */
  #keys: Key[];

  /** @param keys the first one seals. At least one, of 32 bytes each. @throws KeyringError */
  constructor(keys: readonly Uint8Array[]) {
    this.#keys = [];
    for (const key of keys) this.add(key);
    if (this.#keys.length === 0) throw new KeyringError('a keyring needs at least one key');
  }

  get primary(): Key {
    const [primary] = this.#keys;
    if (primary === undefined) throw new KeyringError('a keyring needs at least one key');
    return primary;
  }

  get ids(): string[] {
    return this.#keys.map(({ id }) => id);
  }

  find(id: string): Key | undefined {
    return this.#keys.find((key) => key.id === id);
  }

  /** From now on what it sealed is opened. Known keys are left where they are. @throws KeyringError */
  add(key: Uint8Array): void {
    if (key.length !== KEY_BYTES) throw new KeyringError(`a cluster key must be ${KEY_BYTES} bytes, not ${key.length}`);
    const id = keyId(key);
    if (this.find(id) !== undefined) return;
    if (this.#keys.length >= MAX_KEYS) {
      throw new KeyringError(`the keyring holds ${MAX_KEYS} keys already: remove those no node uses any more`);
    }
    this.#keys.push({ id, bytes: Uint8Array.from(key) });
  }

  /** From now on this one seals. Add it on every node first, or they cannot read this one. @throws KeyringError */
  use(id: string): void {
    const key = this.find(id);
    if (key === undefined) throw new KeyringError(`there is no key ${id} in the keyring: add it first`);
    this.#keys = [key, ...this.#keys.filter((other) => other !== key)];
  }

  /** What it sealed is not opened any more. @throws KeyringError for the one in use. */
  remove(id: string): void {
    if (id === this.primary.id) throw new KeyringError(`key ${id} is in use: use another one before it is removed`);
    this.#keys = this.#keys.filter((key) => key.id !== id);
  }
}

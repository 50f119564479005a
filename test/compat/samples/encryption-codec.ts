// Everything the server keeps is sealed: AES with a key that the payload names.

import { webcrypto as crypto, type webcrypto } from 'node:crypto';
import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec, ValueError } from '@temporalio/common';
import proto from '@temporalio/proto';

const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
const IV_LENGTH = 12;
const { Payload: PayloadMessage } = proto.temporal.api.common.v1;
const text = new TextEncoder();

export class EncryptionCodec implements PayloadCodec {
  readonly #keys = new Map<string, Promise<webcrypto.CryptoKey>>();

  readonly keyId: string;

  constructor(keyId: string) {
    this.keyId = keyId;
    this.#keys.set(keyId, importKey(keyId));
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return await Promise.all(
      payloads.map(async (payload) => ({
        metadata: { [METADATA_ENCODING_KEY]: text.encode(ENCODING), [KEY_ID]: text.encode(this.keyId) },
        data: await this.#seal(PayloadMessage.encode(payload).finish()),
      })),
    );
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return await Promise.all(
      payloads.map(async (payload) => {
        const { [METADATA_ENCODING_KEY]: encoding, [KEY_ID]: keyId } = payload.metadata ?? {};
        if (new TextDecoder().decode(encoding) !== ENCODING) return payload;
        if (!payload.data) throw new ValueError('Payload data is missing');
        if (!keyId) throw new ValueError('Unable to decrypt Payload without encryption key id');
        return PayloadMessage.decode(await this.#open(payload.data));
      }),
    );
  }

  async #seal(data: Uint8Array): Promise<Uint8Array> {
    const iv = crypto.getRandomValues(new Uint8Array(IV_LENGTH));
    const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await this.#key(), data);
    return Buffer.concat([iv, new Uint8Array(sealed)]);
  }

  async #open(sealed: Uint8Array): Promise<Uint8Array> {
    const iv = sealed.subarray(0, IV_LENGTH);
    const data = await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, await this.#key(), sealed.subarray(IV_LENGTH));
    return new Uint8Array(data);
  }

  #key(): Promise<webcrypto.CryptoKey> {
    return this.#keys.get(this.keyId) ?? Promise.reject(new ValueError(`no key ${this.keyId}`));
  }
}

const importKey = (keyId: string): Promise<webcrypto.CryptoKey> =>
  crypto.subtle.importKey('raw', text.encode(keyId.padEnd(32, '-')), { name: 'AES-GCM' }, true, ['encrypt', 'decrypt']);

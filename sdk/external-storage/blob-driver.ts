// A storage driver over a place for bytes: each payload is a blob under a key of its own, and its claim says key, size and checksum.

import { createHash } from 'node:crypto';
import { decode, encode } from '../../src/wire/codec.ts';
import type { Payload } from '../../src/wire/common.ts';
import {
  type StorageDriver,
  StorageDriverClaim,
  type StorageDriverRetrieveContext,
  type StorageDriverStoreContext,
} from '../common/external-storage.ts';
import { isRecord } from '../common/type-helpers.ts';
import type { BlobStore, StoredBlob } from './blob-store.ts';
import { isKey, newKey } from './keys.ts';

const checksum = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A payload that a reference names is not in the store. */
export class PayloadMissingError extends Error {
  override readonly name = 'PayloadMissingError';
  readonly driverName: string;
  readonly key: string;

  constructor(driverName: string, key: string, place: string) {
    super(
      `Payload ${key} is not in external storage '${driverName}' (${place}): it was deleted, or written to another place than this`,
    );
    this.driverName = driverName;
    this.key = key;
  }
}

export class BlobStorageDriver implements StorageDriver {
  readonly name: string;
  readonly type: string;
  readonly #store: BlobStore;

  /** @param name In references: keep it for as long as any are about. */
  constructor(name: string, type: string, store: BlobStore) {
    this.name = name;
    this.type = type;
    this.#store = store;
  }

  async store({ target }: StorageDriverStoreContext, payloads: Payload[]): Promise<StorageDriverClaim[]> {
    const owner =
      target?.kind !== 'workflow' || target.id === undefined
        ? undefined
        : { namespace: target.namespace, workflowId: target.id };
    return await Promise.all(
      payloads.map(async ({ metadata, data }) => {
        const bytes = encode({ metadata, data });
        const key = newKey(owner);
        await this.#store.put(key, bytes);
        return new StorageDriverClaim({ key, size: String(bytes.length), sha256: checksum(bytes) });
      }),
    );
  }

  /** @throws PayloadMissingError for one that is not there, Error for one that is not what was stored. */
  async retrieve(_context: StorageDriverRetrieveContext, claims: StorageDriverClaim[]): Promise<Payload[]> {
    return await Promise.all(
      claims.map(async ({ claimData: { key = '', sha256 } }) => {
        if (!isKey(key)) throw new Error(`A reference to external storage '${this.name}' names no key of it`);
        const bytes = await this.#store.get(key);
        if (bytes === undefined) throw new PayloadMissingError(this.name, key, this.#store.place);
        if (checksum(bytes) !== sha256) {
          throw new Error(
            `Payload ${key} in external storage '${this.name}' (${this.#store.place}) is not what was stored`,
          );
        }
        // Its checksum is that of what `store` wrote. A view, so that what was a Buffer gives payloads of plain bytes.
        const { metadata, data } = decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)) as Payload;
        return isRecord(metadata) ? { metadata, data } : { data };
      }),
    );
  }

  /** Everything stored, for a sweep. */
  list(): AsyncIterable<StoredBlob> {
    return this.#store.list();
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.#store.delete(keys);
  }
}

// What a storage driver asks of a place for bytes: a directory, a bucket.

export interface StoredBlob {
  key: string;
  /** Epoch ms it was written, by the store's own clock. */
  writtenAtMs: number;
}

export interface BlobStore {
  /** For messages: where it is. */
  readonly place: string;
  /** Resolves once it would survive a crash. A key is written once. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Undefined when there is none. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** In the order of their keys' folders: blobs of one folder come one after the other. */
  list(): AsyncIterable<StoredBlob>;
  /** Those that are gone already do not matter. */
  delete(keys: readonly string[]): Promise<void>;
}

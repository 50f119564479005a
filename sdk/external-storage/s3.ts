// Payloads as objects of a bucket, through the client of @aws-sdk/client-s3, which the program installs and makes: what is used of it is
// written out here. Any service that speaks S3's protocol will do.

import { isRecord } from '../common/type-helpers.ts';
import { BlobStorageDriver } from './blob-driver.ts';
import type { BlobStore, StoredBlob } from './blob-store.ts';

/** The part of `new S3({ … })` of @aws-sdk/client-s3 that is used. */
export interface S3Operations {
  putObject(input: { Bucket: string; Key: string; Body: Uint8Array }): Promise<unknown>;
  getObject(input: {
    Bucket: string;
    Key: string;
  }): Promise<{ Body?: { transformToByteArray(): Promise<Uint8Array> } | undefined }>;
  listObjectsV2(input: { Bucket: string; Prefix: string; ContinuationToken?: string }): Promise<{
    Contents?: { Key?: string | undefined; LastModified?: Date | undefined }[] | undefined;
    NextContinuationToken?: string | undefined;
  }>;
  deleteObjects(input: {
    Bucket: string;
    Delete: { Objects: { Key: string }[]; Quiet: boolean };
  }): Promise<{ Errors?: { Key?: string | undefined; Message?: string | undefined }[] | undefined }>;
}

export interface S3StorageOptions {
  /** `new S3({ region, … })`. */
  client: S3Operations;
  bucket: string;
  /** Before every key, e.g. 'payloads/'. Default: none. */
  prefix?: string | undefined;
  /** In references. Default: 's3'. */
  name?: string | undefined;
}

/** S3 refuses keys of more than 1,024 bytes, and so payloads of workflows whose ids come near that. */
export class S3StorageDriver extends BlobStorageDriver {
  constructor({ client, bucket, prefix = '', name = 's3' }: S3StorageOptions) {
    super(name, 's3', new BucketStore(client, bucket, prefix));
  }
}

/** Objects that one request deletes, at most. */
const MAX_DELETED = 1000;

class BucketStore implements BlobStore {
  readonly place: string;
  readonly #client: S3Operations;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(client: S3Operations, bucket: string, prefix: string) {
    this.place = `bucket ${bucket}${prefix === '' ? '' : `, prefix ${prefix}`}`;
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#client.putObject({ Bucket: this.#bucket, Key: this.#prefix + key, Body: bytes });
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    try {
      const { Body } = await this.#client.getObject({ Bucket: this.#bucket, Key: this.#prefix + key });
      return await Body?.transformToByteArray();
    } catch (error) {
      if (isRecord(error) && (error.name === 'NoSuchKey' || error.name === 'NotFound')) return undefined;
      throw error;
    }
  }

  async *list(): AsyncIterable<StoredBlob> {
    let token: string | undefined;
    do {
      const page = await this.#client.listObjectsV2({
        Bucket: this.#bucket,
        Prefix: this.#prefix,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      for (const { Key, LastModified } of page.Contents ?? []) {
        if (Key === undefined || LastModified === undefined) continue;
        yield { key: Key.slice(this.#prefix.length), writtenAtMs: LastModified.getTime() };
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += MAX_DELETED) {
      const Objects = keys.slice(at, at + MAX_DELETED).map((key) => ({ Key: this.#prefix + key }));
      const { Errors = [] } = await this.#client.deleteObjects({
        Bucket: this.#bucket,
        Delete: { Objects, Quiet: true },
      });
      const [first] = Errors;
      if (first !== undefined)
        throw new Error(`${first.Key} could not be deleted from ${this.place}: ${first.Message}`);
    }
  }
}

/**
 * Where large payloads go: drivers for `ExternalStorage` of `tenuto/common`, and the sweep that deletes what no workflow needs any more.
 *
 * ```ts
 * const storage = new FileSystemStorageDriver({ directory: '/srv/payloads' });
 * const dataConverter = { externalStorage: new ExternalStorage({ drivers: [storage] }) };
 * const client = new Client({ dataConverter }); // and workers the same
 * ```
 *
 * @module
 */
export { BlobStorageDriver, PayloadMissingError } from './blob-driver.ts';
export type { BlobStore, StoredBlob } from './blob-store.ts';
export { FileSystemStorageDriver, type FileSystemStorageOptions } from './file-system.ts';
export { type S3Operations, S3StorageDriver, type S3StorageOptions } from './s3.ts';
export { type SweepOptions, type SweepResult, sweepExternalStorage } from './sweep.ts';

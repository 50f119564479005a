// Log records, deflated where that pays: many turns of one commit repeat each other's names, ids and keys, so that a tenth of the bytes is left for two
// microseconds of CPU per KB (docs/decisions/0026). Called by segment-log.ts and segment-file.ts.

import { promisify } from 'node:util';
import { deflateRaw, deflateRawSync, inflateRaw, inflateRawSync } from 'node:zlib';

/** Below it a disk writes hardly less, since it takes whole pages, and beginning costs as much as deflating: 50 µs. Bytes. */
export const WORTH_BYTES = 16 * 1024;
/** Of larger records a sample is tried first: what is encrypted or compressed already would cost 25 ms a megabyte for nothing. */
const SAMPLED_BYTES = 64 * 1024;
const SAMPLE_BYTES = 8 * 1024;
/** What is left must be less than this part. */
const WORTH = 0.75;
/** A window of 16 KiB and half the usual tables: as small as with the usual ones, and made in a third less time. */
const FAST = { level: 1, windowBits: 14, memLevel: 7 };
/**
 * Up to so many bytes it is done at once, in 60 to 150 µs: on libuv's pool it takes three times the CPU, most of it for the trip, and a second thread
 * only where a core is free.
 */
const AT_ONCE_BYTES = SAMPLED_BYTES;

const deflated = promisify<Uint8Array, typeof FAST, Buffer>(deflateRaw);
const inflated = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflateRaw);

/** Undefined: it stays as it is. */
export async function deflate(bytes: Uint8Array): Promise<Buffer | undefined> {
  if (bytes.length < WORTH_BYTES) return undefined;
  if (bytes.length > SAMPLED_BYTES) {
    const from = (bytes.length - SAMPLE_BYTES) >>> 1;
    const sample = deflateRawSync(bytes.subarray(from, from + SAMPLE_BYTES), FAST);
    if (sample.length > SAMPLE_BYTES * WORTH) return undefined;
  }
  const smaller = bytes.length <= AT_ONCE_BYTES ? deflateRawSync(bytes, FAST) : await deflated(bytes, FAST);
  return smaller.length < bytes.length * WORTH ? smaller : undefined;
}

/** Of `length` bytes, and never more. Undefined: these are not what `deflate` made of so many. */
export async function inflate(bytes: Uint8Array, length: number): Promise<Buffer | undefined> {
  try {
    return ofLength(await inflated(bytes, { maxOutputLength: length }), length);
  } catch {
    return undefined;
  }
}

export function inflateSync(bytes: Uint8Array, length: number): Buffer | undefined {
  try {
    return ofLength(inflateRawSync(bytes, { maxOutputLength: length }), length);
  } catch {
    return undefined;
  }
}

const ofLength = (bytes: Buffer, length: number): Buffer | undefined => (bytes.length === length ? bytes : undefined);

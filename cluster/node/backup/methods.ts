// What nodes say to each other for a backup: both ends of each request. Method names and shapes are kept while nodes of two versions may meet.

import { bytes, type Check, integer, list, object, string } from '../../../src/frontend/validate/check.ts';
import type { ShardCut } from '../../../src/ports/cluster-backup.ts';
import type { StoreChunk } from '../../../src/ports/replica-store.ts';

export const METHODS = {
  /** Messages stand still from the answer on. Answers with what the node leads. */
  pause: 'backup.pause',
  /** The shards named are cut, as led in the terms named. Answers with where. */
  cut: 'backup.cut',
  /** Messages go on; what was cut stays. */
  resume: 'backup.resume',
  chunk: 'backup.chunk',
  /** What was cut is let go. */
  end: 'backup.end',
} as const;

/** A shard as it is led. */
export interface Led {
  readonly shard: number;
  readonly term: number;
}

const led: Check<Led> = object<Led>({ shard: integer, term: integer });
const cut: Check<ShardCut> = object<ShardCut>({ shard: integer, term: integer, lsn: integer });

export const ledList = list(led);
export const cutList = list(cut);
export const backupBody = object<{ backup: string }>({ backup: string });
export const cutBody = object<{ backup: string; shards: Led[] }>({ backup: string, shards: ledList });
export const chunkBody = object<{ backup: string; index: number }>({ backup: string, index: integer });

const place: Check<StoreChunk['place']> = (value) => (value === 'last' ? 'last' : 'middle');
export const storeChunk: Check<StoreChunk> = object<StoreChunk>({ bytes, digest: integer, place });
export const nothing: Check<undefined> = () => undefined;

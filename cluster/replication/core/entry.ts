// What an entry's bytes are to replication: the engine's data, or a control entry of its own (barrier, configuration). A control entry begins
// with 0xc1, the one byte MessagePack never uses, so the engine's entries need no wrapping and no copy.

import { chainOf } from '../../../src/ports/chain.ts';
import { lsn, term } from '../../../src/ports/ids.ts';
import type { LogEntry } from '../../../src/ports/store.ts';
import { type Configuration, decodeConfiguration, encodeConfiguration } from './configuration.ts';

const CONTROL = 0xc1;
const BARRIER = 1;
const CONFIGURATION = 2;

export type EntryContent =
  | { kind: 'data' }
  /** A new leader's first entry: those before it commit only through it. */
  | { kind: 'barrier' }
  | { kind: 'configuration'; configuration: Configuration }
  /** Written by a newer version, or no entry at all. */
  | { kind: 'unknown' };

export const BARRIER_ENTRY: Uint8Array = Uint8Array.of(CONTROL, BARRIER);

export function configurationEntry(configuration: Configuration): Uint8Array {
  return Buffer.concat([Uint8Array.of(CONTROL, CONFIGURATION), encodeConfiguration(configuration)]);
}

/** Whether the engine has a part in it. */
export const isData = (entry: Uint8Array): boolean => entry[0] !== CONTROL;

export function contentOf(entry: Uint8Array): EntryContent {
  if (isData(entry)) return { kind: 'data' };
  if (entry[1] === BARRIER && entry.length === BARRIER_ENTRY.length) return { kind: 'barrier' };
  if (entry[1] !== CONFIGURATION) return { kind: 'unknown' };
  const configuration = decodeConfiguration(entry.subarray(2));
  return configuration === undefined ? { kind: 'unknown' } : { kind: 'configuration', configuration };
}

/**
 * A shard's first entry: names the voters it is created with. The cluster's initialisation gives the same bytes to each of them; a shard
 * is never created because a node finds none.
 */
export function firstEntry(configuration: Configuration): LogEntry {
  const entry = configurationEntry(configuration);
  return { lsn: lsn(1), term: term(1), chain: chainOf(0, term(1), lsn(1), entry), entry };
}

// What the simulated shard computes: a few registers, and a digest of everything applied so far, so that two replicas that differ in one entry
// differ for ever after.

import { isData } from '../../../cluster/replication/core/entry.ts';
import type { LogEntry } from '../../../src/ports/store.ts';
import { decode, encode } from '../../../src/wire/codec.ts';

export interface State {
  readonly lsn: number;
  readonly digest: number;
  /** Register → operation that wrote it last. */
  readonly registers: Readonly<Record<string, number>>;
}

export const INITIAL_STATE: State = { lsn: 0, digest: 0, registers: {} };

const REGISTERS = 6;

/** The operation's number, and filler, so that sizes differ. */
export function operationEntry(operation: number, size: number): Uint8Array {
  const bytes = new Uint8Array(5 + size);
  bytes[0] = 0x01;
  new DataView(bytes.buffer).setUint32(1, operation);
  return bytes;
}

export const operationOf = (entry: Uint8Array): number =>
  new DataView(entry.buffer, entry.byteOffset, entry.byteLength).getUint32(1);

export function applied(state: State, { lsn, chain, entry }: LogEntry): State {
  if (lsn !== state.lsn + 1) throw new Error(`entry ${lsn} applied after ${state.lsn}`);
  const digest = (Math.imul(state.digest, 31) + chain) | 0;
  if (!isData(entry)) return { lsn, digest, registers: state.registers };
  const operation = operationOf(entry);
  return { lsn, digest, registers: { ...state.registers, [operation % REGISTERS]: operation } };
}

export const encodeState = (state: State): Uint8Array => encode(state);

export function decodeState(bytes: Uint8Array): State {
  return decode(bytes) as State; // written by encodeState, every chunk's digest verified
}

// Branded primitives of the engine: a number or string that means one thing only.
// Cast at the single place where a raw value becomes one (the constructors below).

declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** 0 .. shardCount-1. */
export type ShardId = Brand<number, 'ShardId'>;
/** The fence: grows with every change of leader, and with every restart of a single node. 1-based. */
export type Term = Brand<number, 'Term'>;
/** Position in one shard's log, 1-based; 0 means "before the first entry". */
export type Lsn = Brand<number, 'Lsn'>;
/**
 * A store key as a *binary string*: every character is one byte (≤ U+00FF), so that string order is byte order and the
 * key can index a Map. Text of users enters a key through `utf8Key` (src/store/keys.ts).
 */
export type Key = Brand<string, 'Key'>;

export const shardId = (n: number): ShardId => n as ShardId;
export const term = (n: number): Term => n as Term;
export const lsn = (n: number): Lsn => n as Lsn;
export const key = (s: string): Key => s as Key;

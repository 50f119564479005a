// What nodes say to each other about task queues, as bodies of requests on a link: lists in MessagePack, shape-checked when read back. A reader throws for
// what has another shape: the sender is a node of the cluster, perhaps of another version.

import { ownBytes } from '../../src/frontend/validate/check.ts';
import type { Claim, QueueBacklog, QueueKey } from '../../src/ports/matching.ts';
import { encode } from '../../src/wire/codec.ts';
import { decodeList } from '../link/decode.ts';
import type { Waiting } from './home-queue.ts';

export const METHODS = {
  announce: 'matching.announce',
  assign: 'matching.assign',
  pull: 'matching.pull',
  deliver: 'matching.deliver',
  cancel: 'matching.cancel',
  resume: 'matching.resume',
  told: 'matching.told',
  describe: 'matching.describe',
} as const;

/** Tasks of a queue, or direct queries that wait for one of its workers. */
export type Mode = 'task' | 'query';

/** Characters of a name; ids have at most 1,000 bytes, a session is made of two. */
const MAX_NAME = 4_000;

// ---------------------------------------------------------------- reading

export class Misshapen extends Error {
  override readonly name = 'Misshapen';
}

export const listOf = (bytes: Uint8Array): unknown[] => {
  const decoded = decodeList(bytes);
  if ('list' in decoded) return decoded.list;
  throw new Misshapen(decoded.problem);
};

const wrong = (expected: string): Misshapen => new Misshapen(`${expected} is missing`);

export function items(value: unknown, most: number): unknown[] {
  if (!Array.isArray(value)) throw wrong('a list');
  if (value.length > most) throw new Misshapen(`a list has ${value.length} items, more than ${most}`);
  return value;
}

export function text(value: unknown): string {
  if (typeof value !== 'string' || value.length > MAX_NAME) throw wrong('a name');
  return value;
}

export function whole(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrong('a whole number');
  return value;
}

export function count(value: unknown): number {
  const n = whole(value);
  if (n < 0) throw wrong('a number from 0 on');
  return n;
}

export function ownedBytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw wrong('bytes');
  return ownBytes(value);
}

const maybeText = (value: unknown): string | undefined =>
  value === null || value === undefined ? undefined : text(value);

const KINDS = ['workflow', 'activity'] as const;
const MODES = ['task', 'query'] as const;

function oneOf<T extends string>(values: readonly T[], value: unknown): T {
  const found = values[count(value)];
  if (found === undefined) throw wrong(values.join(' or '));
  return found;
}

const queueList = ({ namespace, name, kind }: QueueKey): unknown[] => [namespace, name, KINDS.indexOf(kind)];
const readQueue = (namespace: unknown, name: unknown, kind: unknown): QueueKey => ({
  namespace: text(namespace),
  name: text(name),
  kind: oneOf(KINDS, kind),
});

/** The best of a backlog that is not in memory is taken for an old one of the usual priority. */
const UNKNOWN = { priority: 3, oldest: 0 };

export const waitingOf = ({ count: n, oldest, priority }: QueueBacklog): Waiting | undefined =>
  n === 0 ? undefined : { count: n, oldest: oldest ?? UNKNOWN.oldest, priority: priority ?? UNKNOWN.priority };

/** A queue as a key of maps. */
export const idOf = ({ namespace, name, kind }: QueueKey): string => `${kind}\0${namespace}\0${name}`;

// ---------------------------------------------------------------- announce

/** What a node says of one queue to the home of one of its partitions. */
export interface QueueNews {
  queue: QueueKey;
  partition: number;
  waiting: Waiting | undefined;
  /** Credits of others it was asked to fill so far. */
  fetched: number;
  queries: number;
  queriesFetched: number;
  workers: number;
  /** See `Taking`; for tasks and for queries. */
  available: number;
  queriesAvailable: number;
  /** Which life of the home the numbers seen are of. */
  epoch: string;
  seen: number;
  queriesSeen: number;
  /** Above 0: the home of `partition` tells that of the first how many assignments it makes a second, and nothing else. */
  rate: number;
}

export const encodeAnnounce = (news: readonly QueueNews[]): Uint8Array =>
  encode(
    news.map((one) => [
      ...queueList(one.queue),
      one.partition,
      waitingList(one.waiting),
      one.fetched,
      one.queries,
      one.queriesFetched,
      one.workers,
      one.available,
      one.queriesAvailable,
      one.epoch,
      one.seen,
      one.queriesSeen,
      one.rate,
    ]),
  );

const waitingList = (waiting: Waiting | undefined): number[] | null =>
  waiting === undefined ? null : [waiting.count, waiting.priority, waiting.oldest];

function readWaiting(value: unknown): Waiting | undefined {
  if (value === null || value === undefined) return undefined;
  const [n, priority, oldest] = items(value, 8);
  return { count: count(n), priority: whole(priority), oldest: whole(oldest) };
}

export const readAnnounce = (bytes: Uint8Array, most: number): QueueNews[] =>
  items(listOf(bytes), most).map((item) => {
    const [namespace, name, kind, partition, waiting, ...rest] = items(item, 32);
    const [fetched, queries, queriesFetched, workers, available, queriesAvailable, epoch, seen, queriesSeen, rate] =
      rest;
    return {
      queue: readQueue(namespace, name, kind),
      partition: count(partition),
      waiting: readWaiting(waiting),
      fetched: count(fetched),
      queries: count(queries),
      queriesFetched: count(queriesFetched),
      workers: count(workers),
      available: whole(available),
      queriesAvailable: whole(queriesAvailable),
      epoch: text(epoch),
      seen: count(seen),
      queriesSeen: count(queriesSeen),
      rate: count(rate),
    };
  });

/** Into how many partitions a queue is split, by its index in the announcement; 1 is not said. */
/** What the home of a queue's first partition says of it: into how many it is split, and how many nodes have workers of it. */
export interface QueueSpread {
  partitions: number;
  takers: number;
}

export const encodeSpreads = (spreads: readonly (readonly [index: number, spread: QueueSpread])[]): Uint8Array =>
  encode(spreads.map(([index, { partitions, takers }]) => [index, partitions, takers]));

/** By index. Of an older version, which does not count them, there are no takers. */
export const readSpreads = (bytes: Uint8Array, most: number): Map<number, QueueSpread> =>
  new Map(
    items(listOf(bytes), most).map((item) => {
      const [index, partitions, takers] = items(item, 8);
      return [count(index), { partitions: count(partitions), takers: takers === undefined ? 0 : count(takers) }];
    }),
  );

// ---------------------------------------------------------------- assign

/** A fetch that this node is to make. */
export interface AssignedFetch {
  queue: QueueKey;
  mode: Mode;
  partition: number;
  from: string;
  count: number;
  number: number;
  priority: number;
  oldest: number;
}

export const encodeAssign = (epoch: string, made: readonly AssignedFetch[]): Uint8Array =>
  encode([
    epoch,
    made.map((one) => [
      ...queueList(one.queue),
      MODES.indexOf(one.mode),
      one.partition,
      one.from,
      one.count,
      one.number,
      one.priority,
      one.oldest,
    ]),
  ]);

export function readAssign(bytes: Uint8Array, most: number): { epoch: string; made: AssignedFetch[] } {
  const [epoch, made] = listOf(bytes);
  return {
    epoch: text(epoch),
    made: items(made, most).map((item) => {
      const [namespace, name, kind, mode, partition, from, n, number, priority, oldest] = items(item, 16);
      return {
        queue: readQueue(namespace, name, kind),
        mode: oneOf(MODES, mode),
        partition: count(partition),
        from: text(from),
        count: count(n),
        number: count(number),
        priority: whole(priority),
        oldest: whole(oldest),
      };
    }),
  };
}

// ---------------------------------------------------------------- pull

export type Taker = Claim['taker'];

export interface Pull {
  queue: QueueKey;
  mode: Mode;
  /** Of the node with the credit. */
  boot: string;
  credits: { id: number; taker: Taker }[];
}

/** Many credits are of few workers: each worker is named once. */
export function encodePull({ queue, mode, boot, credits }: Pull): Uint8Array {
  const takers = new Map<Taker, number>();
  for (const { taker } of credits) if (!takers.has(taker)) takers.set(taker, takers.size);
  const named = [...takers.keys()].map((taker) => [
    taker.identity,
    taker.session,
    taker.workerVersion?.buildId ?? null,
    taker.stickyQueue ?? null,
    taker.stickyScheduleToStartTimeout ?? null,
    taker.version ?? null,
  ]);
  const ids = credits.map(({ id, taker }) => [id, takers.get(taker) ?? 0]);
  return encode([...queueList(queue), MODES.indexOf(mode), boot, named, ids]);
}

function readTaker(value: unknown): Taker {
  const [identity, session, buildId, stickyQueue, timeout, version] = items(value, 16);
  const build = maybeText(buildId);
  return Object.freeze({
    identity: text(identity),
    session: text(session),
    workerVersion: build === undefined ? undefined : { buildId: build, useVersioning: false },
    version: maybeText(version),
    stickyQueue: maybeText(stickyQueue),
    stickyScheduleToStartTimeout: timeout === null || timeout === undefined ? undefined : count(timeout),
  });
}

export function readPull(bytes: Uint8Array, most: number): Pull {
  const [namespace, name, kind, mode, boot, named, ids] = listOf(bytes);
  const takers = items(named, most).map(readTaker);
  const credits = items(ids, most).map((item) => {
    const [id, at] = items(item, 8);
    const taker = takers[count(at)];
    if (taker === undefined) throw wrong('the worker of a credit');
    return { id: count(id), taker };
  });
  return { queue: readQueue(namespace, name, kind), mode: oneOf(MODES, mode), boot: text(boot), credits };
}

/** How a pull has ended: credits that found no task, and what waits there now, so that the next best is known at once. */
export interface Pulled {
  released: number[];
  left: Waiting | undefined;
}

export const encodePulled = ({ released, left }: Pulled): Uint8Array => encode([released, waitingList(left)]);

export function readPulled(bytes: Uint8Array, most: number): Pulled {
  const [released, left] = listOf(bytes);
  return { released: items(released, most).map(count), left: readWaiting(left) };
}

// ---------------------------------------------------------------- cancel, resume, told

const REASONS = ['cancelRequested', 'notFound', 'timedOut'] as const;
export type CancelReason = (typeof REASONS)[number];

export interface Cancel {
  session: string;
  token: Uint8Array;
  reason: CancelReason;
}

export const encodeCancel = ({ session, token, reason }: Cancel): Uint8Array =>
  encode([session, token, REASONS.indexOf(reason)]);

export function readCancel(bytes: Uint8Array): Cancel {
  const [session, token, reason] = listOf(bytes);
  return { session: text(session), token: ownedBytes(token), reason: oneOf(REASONS, reason) };
}

/** One registration that asks what it is owed. Tokens as Latin-1 strings in memory, as bytes on the link. */
export interface ResumeAsk {
  id: number;
  session: string;
  held: readonly string[];
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

export const encodeResume = (boot: string, asks: readonly ResumeAsk[]): Uint8Array =>
  encode([boot, asks.map(({ id, session, held }) => [id, session, held.map((token) => Buffer.from(token, 'latin1'))])]);

export function readResume(
  bytes: Uint8Array,
  most: { asks: number; held: number },
): { boot: string; asks: ResumeAsk[] } {
  const [boot, asks] = listOf(bytes);
  return {
    boot: text(boot),
    asks: items(asks, most.asks).map((item) => {
      const [id, session, held] = items(item, 8);
      const tokens = items(held, most.held).map((token) => latin1(ownedBytes(token)));
      return { id: count(id), session: text(session), held: tokens };
    }),
  };
}

/** To a registration: these tasks it holds are durable, and these are over. */
export interface Told {
  boot: string;
  id: number;
  durable: Uint8Array[];
  over: Uint8Array[];
}

export const encodeTold = ({ boot, id, durable, over }: Told): Uint8Array => encode([boot, id, durable, over]);

export function readTold(bytes: Uint8Array, most: number): Told {
  const [boot, id, durable, over] = listOf(bytes);
  const tokens = (value: unknown): Uint8Array[] => items(value, most).map(ownedBytes);
  return { boot: text(boot), id: count(id), durable: tokens(durable), over: tokens(over) };
}

// Actors in memory: activation (rows are read once, messages wait in order), and passivation under a bounded cache. An actor leaves only when
// everything it decided is durable and the core holds nothing volatile for it (I4): then its rows say all there is to say.

import { unpackRow } from '../core/workflow/index.ts';
import type { ChainRow } from '../core/workflow/rows.ts';
import { chunkOf } from '../core/workflow/rows.ts';
import type { Clock, Scheduler } from '../ports/clock.ts';
import { type Key, key } from '../ports/ids.ts';
import type { Matching, QueueKey } from '../ports/matching.ts';
import { StoreError } from '../ports/store.ts';
import { decode } from '../wire/codec.ts';
import type { Status } from '../wire/status.ts';
import { Actor, type Errand, type Place, taskId } from './actor.ts';
import type { ActorCore, StoredRow } from './core.ts';
import { after, backlogKey, chainPrefix, next, passKey, printable, rowIdentity, rowKey, runPrefix } from './keys.ts';
import type { ShardLimits } from './limits.ts';
import type { Reader, Row } from './reader.ts';
import type { Shard } from './shard.ts';
import { dataLoss, exhausted, messageOf, unavailable } from './status.ts';

/** Activations whose first read is one call. */
const LOAD_BATCH = 256;
/** Rough bytes of an actor without rows. */
const BASE_BYTES = 2_048;
/** A row decoded costs about this much more than its bytes. */
const DECODED_FACTOR = 4;
/** Actors looked at per sweep. */
const SWEEP = 10_000;
/** A closed run's actor leaves after so many ms without a message. */
const CLOSED_IDLE_MS = 2_000;
/** More than an execution has, and than rows of remembered requests cost a workflow id (limits.requestIdsPerTtl in the core). */
const ROWS = 100_000;
/** More than an ordinary execution has. */
const FEW_ROWS = 64;

export interface ActorsOptions {
  core: ActorCore;
  reader: Reader;
  clock: Clock;
  scheduler: Scheduler;
  matching: Matching;
  limits: ShardLimits;
  shardOf(namespace: string, workflowId: string): Shard;
  /** Tasks that wait in this queue may have passes. */
  isFair(queue: QueueKey): boolean;
  /** A read failed for reasons of the store, not of this actor. */
  onReadFailed(error: unknown): void;
}

export class Actors {
  readonly #options: ActorsOptions;
  readonly #actors = new Map<string, Actor>();
  #newest: Actor | undefined;
  #oldest: Actor | undefined;
  #loading: Actor[] = [];
  #scheduled = false;
  bytes = 0;
  /** Errands in all mailboxes. */
  waiting = 0;
  activations = 0;
  passivations = 0;

  constructor(options: ActorsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#actors.size;
  }

  values(): IterableIterator<Actor> {
    return this.#actors.values();
  }

  /** Runs the errand now when the actor is at hand, else once its rows are read; refuses when its mailbox is full. */
  with(namespace: string, workflowId: string, errand: Errand): void {
    const id = `${namespace}\0${workflowId}`;
    let actor = this.#actors.get(id);
    if (actor !== undefined && !actor.shard.isLed) {
      // It is about to be dropped: what it decided may not be what happened.
      errand.refuse(notLed(actor.shard));
      return;
    }
    if (actor === undefined) {
      const { core, shardOf } = this.#options;
      const shard = shardOf(namespace, workflowId);
      if (!shard.isLed) {
        errand.refuse(notLed(shard));
        return;
      }
      actor = new Actor(shard, namespace, workflowId, core.empty(namespace, workflowId));
      this.#actors.set(id, actor);
      this.#link(actor);
      this.#loading.push(actor);
      if (!this.#scheduled) {
        this.#scheduled = true;
        this.#options.scheduler.soon(() => this.#loadAll());
      }
    } else if (actor !== this.#newest) {
      this.#unlink(actor);
      this.#link(actor);
    }
    actor.touchedAt = this.#options.clock.monotonic();
    if (actor.phase === 'ready' && !actor.busy && actor.mailbox === undefined) {
      errand.run(actor);
      this.#drain(actor);
      return;
    }
    actor.mailbox ??= [];
    const { length } = actor.mailbox;
    if (length >= this.#options.limits.mailbox) {
      errand.refuse(exhausted('MAILBOX', `Workflow ${workflowId} has ${length} messages waiting: try again later.`));
    } else {
      actor.mailbox.push(errand);
      this.waiting += 1;
    }
  }

  /** Ends the turn's exclusiveness: runs what arrived meanwhile, in order. */
  #drain(actor: Actor): void {
    while (!actor.busy && actor.phase === 'ready') {
      const errand = actor.mailbox?.shift();
      if (errand === undefined) return;
      if (actor.mailbox?.length === 0) actor.mailbox = undefined;
      this.waiting -= 1;
      errand.run(actor);
    }
  }

  /** Lets go of actors past the bounds, idle ones, and those whose run has closed. Bounded work per call. */
  sweep(): void {
    const { limits, clock, core } = this.#options;
    const now = clock.monotonic();
    let actor = this.#oldest;
    for (let looked = 0; actor !== undefined && looked < SWEEP; looked += 1) {
      const newer: Actor | undefined = actor.newer;
      const over = this.#actors.size > limits.cachedActors || this.bytes > limits.cachedBytes;
      const idleMs = now - actor.touchedAt;
      if (!over && idleMs < CLOSED_IDLE_MS) return;
      // Without a deadline nothing is to be expected of it: its run has closed.
      const wanted =
        idleMs < limits.actorIdleMs && actor.phase === 'ready' && core.nextDeadline(actor.state) !== undefined;
      if (!over && wanted) {
        actor = newer;
        continue;
      }
      if (this.#isPassivatable(actor) && core.isPassivatable(actor.state)) {
        this.#remove(actor);
        this.passivations += 1;
      }
      actor = newer;
    }
  }

  /** For tests and hand-over: drops every actor that can go. */
  passivateAll(): void {
    for (const actor of [...this.#actors.values()]) {
      if (!this.#isPassivatable(actor) || !this.#options.core.isPassivatable(actor.state)) continue;
      this.#remove(actor);
      this.passivations += 1;
    }
  }

  /** The actors of a shard that is led elsewhere: what they decided may not be what happened. */
  drop(shard: Shard, why: Status): void {
    for (const actor of [...this.#actors.values()]) if (actor.shard === shard) this.#refuseAll(actor, why);
  }

  account(actor: Actor, before: number): void {
    this.bytes += (actor.bytes - before) * DECODED_FACTOR;
  }

  #isPassivatable(actor: Actor): boolean {
    return (
      actor.phase === 'ready' &&
      actor.pending === undefined &&
      !actor.busy &&
      actor.mailbox === undefined &&
      actor.delivering === undefined
    );
  }

  #loadAll(): void {
    this.#scheduled = false;
    const actors = this.#loading;
    this.#loading = [];
    for (let i = 0; i < actors.length; i += LOAD_BATCH) void this.#loadSome(actors.slice(i, i + LOAD_BATCH));
  }

  async #loadSome(actors: readonly Actor[]): Promise<void> {
    const { reader } = this.#options;
    let chains: (Uint8Array | undefined)[];
    try {
      chains = await reader.getMany(actors.map(({ base }) => rowKey(base, 'chain', '', '')));
    } catch (error) {
      // One damaged row must not take its neighbours with it: each reads for itself.
      if (actors.length > 1) for (const actor of actors) void this.#loadSome([actor]);
      else for (const actor of actors) this.#failed(actor, error);
      return;
    }
    const loading: Promise<void>[] = [];
    actors.forEach((actor, i) => {
      const chain = chains[i];
      // Nothing to read: it is new, as most are.
      if (chain === undefined) this.#begin(actor);
      else loading.push(this.#loadOne(actor, chain));
    });
    if (loading.length > 0) await Promise.all(loading);
  }

  #begin(actor: Actor): void {
    try {
      this.#ready(actor);
    } catch (error) {
      this.#failed(actor, error);
    }
  }

  async #loadOne(actor: Actor, chain: Uint8Array): Promise<void> {
    try {
      await this.#load(actor, chain);
      this.#ready(actor);
    } catch (error) {
      this.#failed(actor, error);
    }
  }

  async #load(actor: Actor, chain: Uint8Array): Promise<void> {
    const { reader, core, isFair } = this.#options;
    const prefix = chainPrefix(actor.base);
    // The chain row names the current run (src/core/workflow/rows.ts).
    const { currentRunId } = unpackRow('chain', '', decode(chain)) as ChainRow;
    const ofRun = runPrefix(actor.base, currentRunId);
    const [requests, rows] = await this.#rowsOf(prefix, currentRunId === '' ? undefined : ofRun);
    const stored: StoredRow[] = [];
    let bytes = 0;
    for (const [k, value] of [[key(prefix), chain] as const, ...requests]) {
      const row = storedRow(k, prefix, '', value);
      stored.push(row);
      if (chunkOf(row.id) === undefined) bytes += value.length;
    }
    for (const [k, value] of rows) {
      stored.push(storedRow(k, ofRun, currentRunId, value));
      bytes += value.length;
    }
    // Its shard went meanwhile: it is counted no more, and another may have its id.
    if (actor.phase !== 'loading') return;
    actor.state = core.load(actor.namespace, actor.workflowId, stored);
    actor.wasRead = true;
    actor.bytes = bytes;
    actor.countRequests();
    this.bytes += actor.bytes * DECODED_FACTOR;
    const due = core.nextDeadline(actor.state);
    if (due !== undefined) actor.armed = { key: undefined, at: due };
    for (const offer of core.waitingOffers(actor.state)) {
      const queue = { namespace: offer.queueNamespace ?? offer.namespace, name: offer.taskQueue, kind: offer.kind };
      const { kind, runId, scheduledEventId } = offer;
      const stored = isFair(queue) ? await reader.get(passKey(actor.base, kind, runId, scheduledEventId)) : undefined;
      // Written by the executor alone.
      const pass = stored === undefined ? undefined : (decode(stored) as number);
      const task = { ...offer, actorBase: actor.base };
      let place: Place = { queue, key: backlogKey(queue, { ...task, pass }), pass };
      if (offer.sticky !== undefined) {
        const sticky = { ...queue, name: offer.sticky.queue };
        const stickyKey = backlogKey(sticky, task);
        if ((await reader.get(stickyKey)) !== undefined) place = { queue: sticky, key: stickyKey };
      }
      actor.waitsAt(taskId(kind, runId, scheduledEventId), place);
    }
  }

  /** What lies behind the chain's row, and the rows of its current run: in one read, unless those of many runs lie between. */
  async #rowsOf(chain: string, ofRun: string | undefined): Promise<[requests: readonly Row[], rows: readonly Row[]]> {
    const { reader } = this.#options;
    const from = next(key(chain));
    const read = async (start: Key, end: Key): Promise<Row[]> => {
      const rows = await reader.range(start, end, ROWS);
      // Without the rest it would do again what it has done.
      if (rows.length === ROWS) throw new Error(`it has more than ${ROWS} rows`);
      return rows;
    };
    if (ofRun === undefined) return [await read(from, after(chain)), []];
    const all = await reader.chunk(from, after(ofRun), FEW_ROWS);
    if (all.next === undefined) {
      const under = (prefix: string): Row[] => all.rows.filter(([k]) => k.startsWith(prefix));
      return [under(chain), under(ofRun)];
    }
    return [await read(from, after(chain)), await read(key(ofRun), after(ofRun))];
  }

  #ready(actor: Actor): void {
    if (actor.phase !== 'loading') return;
    actor.phase = 'ready';
    this.activations += 1;
    this.#drain(actor);
  }

  #failed(actor: Actor, error: unknown): void {
    // Rows that changed while they were read, after its shard had gone, are not damaged.
    const isStoreGone = error instanceof StoreError && error.kind !== 'corrupt';
    if (actor.phase === 'gone' && !isStoreGone) return;
    const { workflowId, namespace } = actor;
    if (isStoreGone) {
      this.#options.onReadFailed(error);
      this.#refuseAll(actor, unavailable(`Workflow ${workflowId} cannot be read: ${error.message}`, 'no'));
      return;
    }
    const what = `The stored state of workflow ${workflowId} in namespace ${namespace} is damaged (rows ${printable(`a${actor.base}`)}): ${messageOf(error)}`;
    this.#refuseAll(actor, dataLoss(`${what}. Other workflows are not affected; restore it from a backup.`));
  }

  #refuseAll(actor: Actor, why: Status): void {
    actor.phase = 'gone';
    this.#remove(actor);
    const left = actor.mailbox ?? [];
    actor.mailbox = undefined;
    this.waiting -= left.length;
    for (const errand of left) errand.refuse(why);
  }

  #remove(actor: Actor): void {
    const id = `${actor.namespace}\0${actor.workflowId}`;
    if (this.#actors.get(id) !== actor) return;
    this.#actors.delete(id);
    actor.phase = 'gone';
    this.bytes -= BASE_BYTES + actor.bytes * DECODED_FACTOR;
    this.#unlink(actor);
  }

  #link(actor: Actor): void {
    if (actor.touchedAt === 0) this.bytes += BASE_BYTES;
    actor.older = this.#newest;
    actor.newer = undefined;
    if (this.#newest !== undefined) this.#newest.newer = actor;
    this.#newest = actor;
    this.#oldest ??= actor;
  }

  #unlink(actor: Actor): void {
    if (actor.newer !== undefined) actor.newer.older = actor.older;
    else if (this.#newest === actor) this.#newest = actor.older;
    if (actor.older !== undefined) actor.older.newer = actor.newer;
    else if (this.#oldest === actor) this.#oldest = actor.newer;
    actor.newer = undefined;
    actor.older = undefined;
  }
}

/** A request for it belongs at another node, or comes while it moves. */
export const notLed = (shard: Shard): Status =>
  unavailable(`Shard ${shard.id} is not led by this node: ask again, or its leader.`, 'no');

/** A row as the core loads it, from its key under `prefix` and its bytes. */
export function storedRow(k: Key, prefix: string, runId: string, bytes: Uint8Array): StoredRow {
  const { table, id } = rowIdentity(k, prefix);
  return { table, id, runId, value: unpackRow(table, id, decode(bytes)) };
}

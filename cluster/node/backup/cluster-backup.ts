// A backup of the whole cluster as one consistent cut (DESIGN §7), led by the node that was asked for it: messages between workflows stand still
// on every node, every shard is cut by its leader, messages go on, and the cuts stream here, each node's at its own pace and a chunk at a time.
// Keeps: all nodes stood still before the first shard was cut, and each until its own were; so no cut holds the receipt of a message
// that its source's cut has not sent, and no source has let go of one that the receiver's cut does not hold. Called by cluster-node.ts.

import type { Check } from '../../../src/frontend/validate/check.ts';
import type { Random } from '../../../src/ports/clock.ts';
import type {
  BackupHead,
  BackupPart,
  BackupTarget,
  ClusterBackupReport,
  ShardCut,
} from '../../../src/ports/cluster-backup.ts';
import type { Log } from '../../../src/ports/log.ts';
import type { StoreChunk } from '../../../src/ports/replica-store.ts';
import { StoreError } from '../../../src/ports/store.ts';
import { type Status, StatusCode } from '../../../src/wire/status.ts';
import type { Rpc, ServedCall } from '../../link/rpc.ts';
import { decodeBody, encodeBody, encodeValue, readAnswer } from '../../routing/answers.ts';
import { unavailable } from '../../routing/statuses.ts';
import { BackupSource, type BackupSourceOptions, NotNow } from './backup-source.ts';
import { backupBody, chunkBody, cutBody, cutList, type Led, ledList, METHODS, nothing, storeChunk } from './methods.ts';

export interface ClusterBackupOptions extends BackupSourceOptions {
  self: string;
  rpc: Rpc;
  log: Log;
  /** Names of the nodes that are connected. */
  peers(): readonly string[];
  head(): BackupHead;
  random: Random;
}

/** How long another node may take for a request, ms. */
const ASK_MS = 10_000;
/** A shard that has no leader at the moment, or moves, is waited for so often. */
const ATTEMPTS = 10;
/** From half of it to one and a half: two backups that begin at once and refuse each other would else do so every time. */
const BETWEEN_MS = 1_000;

export class ClusterBackup {
  readonly #options: ClusterBackupOptions;
  /** This node's own part. */
  readonly #source: BackupSource;
  #running = false;

  constructor(options: ClusterBackupOptions) {
    this.#options = options;
    this.#source = new BackupSource(options);
    this.#serve();
  }

  /** What others still read here is let go. */
  close(): Promise<void> {
    return this.#source.close();
  }

  /**
   * @throws StoreError when it cannot be had, for people; nothing of it is kept in the target
   */
  async run(target: BackupTarget): Promise<ClusterBackupReport> {
    if (this.#running) throw failed('another backup is under way', 'Wait for it to end.');
    this.#running = true;
    let cut: AllCut | undefined;
    try {
      cut = await this.#cutAll();
      await this.#copyAll(cut, target);
      const head = this.#options.head();
      await target.finish(head);
      return { nodes: cut.nodes.length, shards: head.shardCount, pausedMs: cut.pausedMs };
    } catch (error) {
      await target.abandon();
      throw error instanceof StoreError ? error : failed(messageOf(error), 'Nothing of it was kept: try again.');
    } finally {
      this.#running = false;
      if (cut !== undefined) await this.#endAll(cut.backup, cut.nodes);
    }
  }

  // ---------------------------------------------------------------- the cut

  async #cutAll(): Promise<AllCut> {
    const { self, peers, clock, scheduler, log, random } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      // Each attempt has a name of its own: what an earlier one left behind somewhere is never taken for a part of it.
      const backup = random.uuid();
      const nodes = [self, ...peers()];
      const beganMs = clock.monotonic();
      try {
        const leaders = this.#covering(await this.#pauseAll(backup, nodes));
        const shards = new Map<string, readonly ShardCut[]>();
        await Promise.all(
          [...leaders].map(async ([node, led]) => shards.set(node, await this.#cut(backup, node, led))),
        );
        await Promise.all(nodes.map((node) => this.#resume(backup, node)));
        return { backup, nodes, shards, pausedMs: Math.round(clock.monotonic() - beganMs) };
      } catch (error) {
        await this.#endAll(backup, nodes);
        if (!(error instanceof NotNow) || attempt === ATTEMPTS) throw error;
        log.info({ attempt, why: error.message }, 'the shards cannot be cut for a backup at this moment: trying again');
        await new Promise<void>((resolve) => void scheduler.after(BETWEEN_MS * (0.5 + random.next()), resolve));
      }
    }
  }

  async #pauseAll(backup: string, nodes: readonly string[]): Promise<Map<string, readonly Led[]>> {
    const led = await Promise.all(nodes.map((node) => this.#pause(backup, node)));
    return new Map(nodes.map((node, i) => [node, led[i] ?? []]));
  }

  /** Of two that say they lead a shard, the one of the later term does. Every shard must have one. */
  #covering(said: ReadonlyMap<string, readonly Led[]>): ReadonlyMap<string, readonly Led[]> {
    const best = new Map<number, { node: string; led: Led }>();
    for (const [node, shards] of said) {
      for (const led of shards) {
        const known = best.get(led.shard);
        if (known === undefined || known.led.term < led.term) best.set(led.shard, { node, led });
      }
    }
    const leaders = new Map<string, Led[]>();
    for (let shard = 0; shard < this.#options.head().shardCount; shard += 1) {
      const found = best.get(shard);
      if (found === undefined) throw new NotNow(`shard ${shard} has no leader among the nodes that are connected`);
      const { node, led } = found;
      const shards = leaders.get(node);
      if (shards === undefined) leaders.set(node, [led]);
      else shards.push(led);
    }
    return leaders;
  }

  // ---------------------------------------------------------------- the rows

  /** All nodes at once: what a node has cut is let go when nobody reads it for long. Nothing is under way any more when it ends. */
  async #copyAll({ backup, shards }: AllCut, target: BackupTarget): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    const copies = [...shards].map(async ([node, cuts]) => {
      try {
        await this.#copy(backup, node, await target.part(node, cuts), () => failure !== undefined);
      } catch (error) {
        failure ??= { error };
      }
    });
    await Promise.all(copies);
    if (failure !== undefined) throw failure.error;
  }

  async #copy(backup: string, node: string, part: BackupPart, isOver: () => boolean): Promise<void> {
    // One chunk is on its way while the one before is written.
    let coming = this.#chunk(backup, node, 0);
    for (let index = 1; !isOver(); index += 1) {
      const chunk = await coming;
      if (chunk.place === 'last') {
        await part.write(chunk);
        return;
      }
      coming = this.#chunk(backup, node, index);
      // Its failure is heard of when it is its turn.
      coming.catch(() => undefined);
      await part.write(chunk);
    }
  }

  // ---------------------------------------------------------------- each node, this one or another

  #pause(backup: string, node: string): Promise<readonly Led[]> {
    return this.#on(node, () => this.#source.pause(backup), METHODS.pause, { backup }, ledList);
  }

  #cut(backup: string, node: string, shards: readonly Led[]): Promise<readonly ShardCut[]> {
    const source = this.#source;
    return this.#on(node, () => source.cut(backup, shards), METHODS.cut, { backup, shards }, cutList);
  }

  #resume(backup: string, node: string): Promise<undefined> {
    return this.#on(node, () => this.#source.resume(backup), METHODS.resume, { backup }, nothing);
  }

  #chunk(backup: string, node: string, index: number): Promise<StoreChunk> {
    const source = this.#source;
    return this.#on(node, () => source.chunk(backup, index), METHODS.chunk, { backup, index }, storeChunk);
  }

  /** A node that cannot be told ends it by itself. */
  async #endAll(backup: string, nodes: readonly string[]): Promise<void> {
    const end = (node: string): Promise<undefined> =>
      this.#on(node, () => this.#source.end(backup), METHODS.end, { backup }, nothing);
    await Promise.allSettled(nodes.map(end));
  }

  async #on<T>(node: string, here: () => unknown, method: string, body: object, check: Check<T>): Promise<T> {
    if (node === this.#options.self) return check(await here());
    return this.#ask(node, method, body, check);
  }

  #ask<T>(node: string, method: string, body: object, check: Check<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#options.rpc.call(node, method, encodeBody(body), ASK_MS, (status, bytes) => {
        if (status !== undefined || bytes === undefined) {
          const message = status?.message ?? 'no answer';
          reject(isNotNow(status) ? new NotNow(message) : new Error(message));
          return;
        }
        const answer = readAnswer(bytes, check);
        if (answer.type === 'value') resolve(answer.value);
        else
          reject(new Error(`node ${node} answered ${method} with something else: are both of neighbouring versions?`));
      });
    });
  }

  #serve(): void {
    const { rpc } = this.#options;
    const source = this.#source;
    const serve = (method: string, work: (body: unknown) => unknown): void =>
      rpc.serve(method, (call, bytes) => {
        // A request of another shape is a fault of its sender, and is told so.
        void Promise.resolve()
          .then(() => work(decodeBody(bytes)))
          .then(
            (value) => call.answer(encodeValue(value)),
            (error: unknown) => this.#refuse(call, method, error),
          );
      });
    serve(METHODS.pause, (body) => source.pause(backupBody(body).backup));
    serve(METHODS.cut, (body) => {
      const { backup, shards } = cutBody(body);
      return source.cut(backup, shards);
    });
    serve(METHODS.resume, (body) => source.resume(backupBody(body).backup));
    serve(METHODS.chunk, (body) => {
      const { backup, index } = chunkBody(body);
      return source.chunk(backup, index);
    });
    serve(METHODS.end, (body) => source.end(backupBody(body).backup));
  }

  #refuse(call: ServedCall, method: string, error: unknown): void {
    const message = `Node ${this.#options.self} refused ${method}: ${messageOf(error).slice(0, MESSAGE_CHARS)}`;
    call.refuse(error instanceof NotNow ? unavailable(message, 'no') : { code: StatusCode.INTERNAL, message });
  }
}

/** Of an error, told to another node. */
const MESSAGE_CHARS = 300;

interface AllCut {
  readonly backup: string;
  readonly nodes: readonly string[];
  readonly shards: ReadonlyMap<string, readonly ShardCut[]>;
  readonly pausedMs: number;
}

/** The node is away, or cannot at the moment. */
const isNotNow = (status: Status | undefined): boolean => status?.code === StatusCode.UNAVAILABLE;

const failed = (what: string, hint: string): StoreError =>
  new StoreError('failed', `the cluster cannot be backed up: ${what}`, { hint });

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

// A cluster for tests of the cut: real relays, links and backups over shards that are a model. A shard knows what it has sent, received and not
// yet taken from its outbox; every change of it takes a while, and counts only when its leader is still the one that began it.

import type { BackupPart, BackupTarget, ShardCut } from '../../../src/ports/cluster-backup.ts';
import { type Key, lsn, shardId, term } from '../../../src/ports/ids.ts';
import type { LedShards, ShardMessage, ShardMessageOutcome } from '../../../src/ports/led-shards.ts';
import { silentLog } from '../../../src/ports/log.ts';
import type { ReplicaStore, RowLayout, ShardSnapshot, StoreChunk } from '../../../src/ports/replica-store.ts';
import { Cut } from '../../../src/shard/cut.ts';
import { outboxDestination, outboxKey, outboxSeq, shardMetaKey } from '../../../src/shard/keys.ts';
import { rowLayout } from '../../../src/shard/row-layout.ts';
import { Shard } from '../../../src/shard/shard.ts';
import { rowsOfChunk } from '../../../src/store/index.ts';
import { encode } from '../../../src/wire/codec.ts';
import { TestRandom } from '../../link/link.test-support.ts';
import { at, RoutingWorld, SHARDS, shardOf, type TestNode } from '../../routing/routing.test-support.ts';
import { OutboxRelay } from '../outbox-relay.ts';
import { ClusterBackup } from './cluster-backup.ts';
import { DeliveryPause } from './delivery-pause.ts';

export const NAMES = ['a', 'b', 'c'];
/** Most changes take little, some long: cuts and receipts overtake each other. */
const SHORT_MS = 5;
const LONG_MS = 60;
const RETRY_MS = 10;

interface ModelShard {
  leader: string;
  term: number;
  readonly state: Shard;
  readonly outbox: Set<Key>;
}

interface Parts {
  readonly node: TestNode;
  readonly relay: OutboxRelay;
  readonly pause: DeliveryPause;
  readonly backup: ClusterBackup;
}

export class CutWorld {
  readonly net = new RoutingWorld();
  readonly random: TestRandom;
  readonly shards: ModelShard[];
  readonly nodes = new Map<string, Parts>();
  /** By node: messages its relay has. */
  readonly #underWay = new Set<string>();
  readonly #makePause: (clock: RoutingWorld['time']) => DeliveryPause;

  constructor(seed: number, makePause = (clock: RoutingWorld['time']) => new DeliveryPause(clock)) {
    this.random = new TestRandom(seed);
    this.#makePause = makePause;
    this.shards = Array.from({ length: SHARDS }, (_, id) => ({
      leader: NAMES[id % NAMES.length] ?? '',
      term: 1,
      state: new Shard(shardId(id), { lastLsn: lsn(0), appliedLsn: lsn(0) }),
      outbox: new Set<Key>(),
    }));
    for (const node of this.net.cluster(...NAMES)) this.nodes.set(node.name, this.#build(node));
    for (const shard of this.shards.keys()) this.#announce(shard);
  }

  /** Time passes, and what has become possible happens. */
  async advance(ms: number): Promise<void> {
    for (let i = 0; i < ms; i += 1) {
      this.net.time.advance(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  send(source: number, destination: number): void {
    const shard = this.#shard(source);
    this.#commit(source, shard.leader, () => {
      const seq = (shard.state.committedSent.get(destination) ?? 0) + 1;
      shard.state.sentTo(destination, seq);
      shard.outbox.add(outboxKey(source, destination, seq));
    });
  }

  /** Every leader hands what is in its outboxes to its relay. */
  pump(): void {
    for (const [source, { leader, outbox }] of this.shards.entries()) {
      for (const k of outbox) this.#deliver(leader, source, k);
    }
  }

  move(shard: number): void {
    const model = this.#shard(shard);
    model.leader = NAMES[this.random.int(NAMES.length)] ?? '';
    model.term += 1;
    this.#announce(shard);
  }

  get waiting(): number {
    return this.shards.reduce((sum, { outbox }) => sum + outbox.size, 0);
  }

  end(): void {
    this.net.end();
  }

  // ---------------------------------------------------------------- inside

  #shard(id: number): ModelShard {
    const shard = this.shards[id];
    if (shard === undefined) throw new Error(`there is no shard ${id}`);
    return shard;
  }

  #delay(): number {
    return 1 + this.random.int(this.random.int(4) === 0 ? LONG_MS : SHORT_MS);
  }

  #commit(shard: number, node: string, change: () => void, lost: () => void = () => undefined): void {
    const model = this.#shard(shard);
    const inTerm = model.term;
    this.net.time.after(this.#delay(), () => {
      if (model.leader === node && model.term === inTerm) change();
      else lost();
    });
  }

  #deliver(node: string, source: number, k: Key): void {
    const id = `${node} ${k}`;
    if (this.#underWay.has(id)) return;
    this.#underWay.add(id);
    const destination = outboxDestination(k);
    // The relay passes the message on without looking into it.
    const message = { type: 'parentClosed' } as ShardMessage['message'];
    const target = { namespace: 'default', workflowId: `w${destination}-${this.random.int(2)}` };
    const over = (): void => void this.net.time.after(RETRY_MS, () => this.#underWay.delete(id));
    this.nodes.get(node)?.relay.relay({ source, seq: outboxSeq(k), ...target, message }, (said) => {
      if (said === 'later') over();
      else this.#commit(source, node, () => this.#shard(source).outbox.delete(k));
      if (said === 'applied') over();
    });
  }

  #receive(
    node: string,
    { source, seq, namespace, workflowId }: ShardMessage,
    done: (said: ShardMessageOutcome) => void,
  ) {
    const destination = shardOf(namespace, workflowId);
    const { state } = this.#shard(destination);
    const apply = (): void => {
      state.receipt(source, seq);
      done('applied');
    };
    this.#commit(destination, node, apply, () => done('later'));
  }

  #announce(shard: number): void {
    const { leader, term: inTerm } = this.#shard(shard);
    for (const [name, { node }] of this.nodes) node.view.set(shard, name === leader ? 'local' : at(leader, inTerm));
  }

  #build(node: TestNode): Parts {
    const { time } = this.net;
    const pause = this.#makePause(time);
    const engine = {
      receive: (item: ShardMessage, done: (said: ShardMessageOutcome) => void) => this.#receive(node.name, item, done),
    } as LedShards; // the relay asks for no more
    const relay = new OutboxRelay({
      ...{ self: node.name, view: node.view, rpc: node.rpc, scheduler: time, shardOf, pause },
      engine: () => engine,
      connect: () => undefined,
    });
    const later = (): Promise<void> => new Promise((resolve) => void time.after(this.#delay(), resolve));
    const store = {
      replicaPosition: () => ({ appliedLsn: lsn(1) }),
      snapshot: async (_: number, layout: RowLayout) => {
        await later();
        return this.#snapshot(layout);
      },
    } as unknown as ReplicaStore; // a backup asks for no more
    const backup = new ClusterBackup({
      ...{
        self: node.name,
        rpc: node.rpc,
        store,
        layout: rowLayout,
        pause,
        clock: time,
        scheduler: time,
        log: silentLog,
      },
      peers: () => NAMES.filter((name) => node.rpc.reaches(name)),
      head: () => ({ clusterId: 'test', incarnation: 'one', shardCount: SHARDS }),
      random: this.random,
      led: () =>
        this.shards.flatMap(({ leader, term: inTerm }, shard) =>
          leader === node.name ? [{ shard, term: term(inTerm), commit: 1 }] : [],
        ),
      confirm: async (shard) => {
        await later();
        return this.#shard(shard).leader === node.name;
      },
      flush: later,
    });
    return { node, relay, pause, backup };
  }

  /** Metas and outboxes as they are now. */
  #snapshot(layout: RowLayout): ShardSnapshot {
    const rows: [Key, Uint8Array][] = [];
    for (const [id, { state, outbox }] of this.shards.entries()) {
      if (!layout.owns(shardId(id), shardMetaKey(id))) continue;
      rows.push(
        [shardMetaKey(id), state.encodeMeta()],
        ...[...outbox].map((k): [Key, Uint8Array] => [k, new Uint8Array(0)]),
      );
    }
    const bytes = encode(rows.flatMap(([k, value]) => [Buffer.from(k, 'latin1'), value]));
    const chunk: StoreChunk = { bytes, digest: 0, place: 'last' };
    const position = { lsn: lsn(1), term: term(1), chain: 0, configuration: new Uint8Array(0) };
    return { position, chunk: async () => chunk, close: async () => undefined };
  }
}

/** Looks whether what comes is one cut. */
export class CheckingTarget implements BackupTarget {
  readonly cut = new Cut();
  readonly shards: ShardCut[] = [];
  state: 'open' | 'finished' | 'abandoned' = 'open';

  async part(_node: string, shards: readonly ShardCut[]): Promise<BackupPart> {
    this.shards.push(...shards);
    return {
      write: async ({ bytes }) => {
        for (const [k, value] of rowsOfChunk(bytes)) this.cut.take(k, value);
      },
    };
  }

  async finish(): Promise<void> {
    this.state = 'finished';
  }

  async abandon(): Promise<void> {
    this.state = 'abandoned';
  }
}

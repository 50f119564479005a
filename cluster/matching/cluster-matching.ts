// Matching across nodes (DESIGN §6, docs/cluster/matching.md): joins this node's matcher to those of the others. Announces what waits here and what the
// workers here would take to the home of each queue, is the home of some queues itself, fetches what the homes assign, and serves what others
// fetch. Holds nothing durable; what comes over a link is shape-checked and bounded (I9). Built by the composition root, one for a node.

import type { Clock, Scheduler } from '../../src/ports/clock.ts';
import { type Log, silentLog } from '../../src/ports/log.ts';
import type {
  BacklogSource,
  LocalQueue,
  MatchingPeers,
  QueueCredit,
  QueueDescriptions,
  QueueKey,
} from '../../src/ports/matching.ts';
import { encode } from '../../src/wire/codec.ts';
import { StatusCode } from '../../src/wire/status.ts';
import type { Rpc, RpcHandler, ServedCall } from '../link/rpc.ts';
import { Announcer } from './announcer.ts';
import { encodeAnswer, readDelivery } from './deliveries.ts';
import { askAll, encodeDescribed, readAsked } from './descriptions.ts';
import { Homes } from './homes.ts';
import { LentCredits } from './lent-credits.ts';
import { DEFAULT_MATCHING_LIMITS, type MatchingLimits } from './limits.ts';
import { Deliveries } from './link-claim.ts';
import * as messages from './messages.ts';
import { METHODS } from './messages.ts';
import { RemoteSource } from './remote-source.ts';
import { ServedPulls } from './served-pulls.ts';
import { Sessions, YES } from './sessions.ts';

const ANNOUNCE_MS = 5_000;
const ASSIGN_MS = 1_000;

/** Of src/matching's Matcher. */
export interface LocalMatcher {
  join(peers: MatchingPeers, elsewhere: BacklogSource): void;
  backlogChanged(source: BacklogSource, queue: QueueKey): void;
  queriesWait(queue: QueueKey): void;
  creditOf(queue: QueueKey): QueueCredit;
  isConnected(session: string): boolean;
  shared(queue: QueueKey, nodes: number): void;
  describeHere(namespace: string, taskQueue: string): Promise<LocalQueue>;
  cancelActivity(session: string, token: Uint8Array, reason: messages.CancelReason): void;
}

export interface ClusterMatchingOptions {
  /** This node's name, and which life of its process this is: both as its links say. */
  self: string;
  boot: string;
  rpc: Pick<Rpc, 'serve' | 'call' | 'reaches'>;
  clock: Clock;
  scheduler: Scheduler;
  matcher: LocalMatcher;
  /** The shards led here. */
  engine: BacklogSource;
  /**
   * The node where a partition of a queue meets; undefined while none is known. Asked again for every announcement. It should be one that is up: the
   * present leader of a shard rather than the planned one, which may be away for long.
   */
  homeOf(queue: QueueKey, partition: number): string | undefined;
  /** The other nodes that are up, as far as is known. */
  nodes(): readonly string[];
  limits?: Partial<MatchingLimits> | undefined;
  log?: Log | undefined;
}

/** For metrics. */
export interface MatchingStats {
  /** Queues that others are told of; partitions whose home is here. */
  queues: number;
  homes: number;
  /** Credits lent to other nodes; claims of other nodes that wait for a task; tasks on their way to other nodes. */
  lent: number;
  claims: number;
  underWay: number;
}

export class ClusterMatching implements MatchingPeers {
  readonly #options: ClusterMatchingOptions;
  readonly #limits: MatchingLimits;
  readonly #log: Log;
  readonly #announcer: Announcer;
  readonly #homes: Homes;
  readonly #lent: LentCredits;
  readonly #source: RemoteSource;
  readonly #deliveries: Deliveries;
  readonly #pulls: ServedPulls;
  readonly #sessions: Sessions;
  #isLooking = false;
  #state: 'made' | 'started' | 'closed' = 'made';

  /** Joins the matcher and serves its requests at once: before the first worker and the first link. */
  constructor(options: ClusterMatchingOptions) {
    this.#options = options;
    this.#log = options.log ?? silentLog;
    const limits = { ...DEFAULT_MATCHING_LIMITS, ...options.limits };
    this.#limits = limits;
    const { self, boot, rpc, clock, scheduler, matcher, engine, homeOf, nodes } = options;
    this.#lent = new LentCredits(clock, limits, (session, task) => this.#sessions.gave(session, task));
    this.#source = new RemoteSource({
      ...{ clock, scheduler, limits, lent: this.#lent },
      ask: (...asked) => this.#pull(...asked),
      changed: (queue, mode) => this.#assignmentsChanged(queue, mode),
      resume: (worker) => this.#sessions.ask(worker),
    });
    this.#announcer = new Announcer({
      ...{ self, clock, scheduler, limits, homeOf },
      backlogOf: (queue) => engine.backlog(queue),
      queriesOf: (queue) => engine.waitingQueries(queue),
      creditOf: (queue) => matcher.creditOf(queue),
      heldOf: (queue, mode) => this.#source.heldOf(queue, mode),
      send: (home, news) => this.#announce(home, news),
    });
    this.#homes = new Homes({
      ...{ clock, scheduler, limits },
      send: (to, made) => this.#assign(to, made),
      tellRate: (queue, partition, rate) => this.#tellRate(queue, partition, rate),
      full: ({ namespace, name, kind }, homes) => {
        const what =
          'a task queue finds no room at this node, which pairs its tasks with workers at other nodes: add nodes';
        this.#log.warn({ namespace, taskQueue: name, kind, homes }, what);
      },
    });
    this.#deliveries = new Deliveries({
      ...{ rpc, clock, scheduler, limits },
      taken: (session, node) => this.#sessions.took(session, node),
    });
    this.#pulls = new ServedPulls({
      ...{ limits, engine, deliveries: this.#deliveries },
      fetched: (queue, mode, n) => this.#announcer.fetched(queue, mode, n),
    });
    this.#sessions = new Sessions({
      ...{ boot, rpc, clock, scheduler, limits, engine, nodes, deliveries: this.#deliveries },
      isConnected: (session) => matcher.isConnected(session),
    });
    this.#serve();
    matcher.join(this, this.#source);
  }

  get stats(): MatchingStats {
    return {
      queues: this.#announcer.size,
      homes: this.#homes.size,
      lent: this.#lent.size,
      claims: this.#pulls.size,
      underWay: this.#deliveries.size,
    };
  }

  // ---------------------------------------------------------------- life

  /** From now on this node announces. After the engine is open and the ring is known. */
  start(): void {
    if (this.#state !== 'made') return;
    this.#state = 'started';
    this.#announcer.start();
    this.#sweepLater();
  }

  /** Gives back what is lent, and waits for no answers any more. Before the links close. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#announcer.close();
    this.#homes.close();
    this.#source.close();
    this.#lent.close();
    this.#deliveries.close();
  }

  /** `homeOf` may say something else than before: what has another home is announced there. Cheap to call often: looks once in a while. */
  homesMoved(): void {
    if (this.#isLooking || this.#state !== 'started') return;
    this.#isLooking = true;
    this.#options.scheduler.after(this.#limits.announceMs, () => {
      this.#isLooking = false;
      this.#announcer.homesMoved();
    });
  }

  /** Left, or dead as gossip says: nothing is assigned to it or fetched from it until it announces again. */
  nodeGone(node: string): void {
    this.#homes.gone(node);
    this.#source.nodeGone(node);
  }

  // ---------------------------------------------------------------- MatchingPeers (the matcher)

  backlogChanged(queue: QueueKey): void {
    if (this.#state !== 'closed') this.#announcer.changed(queue);
  }

  creditChanged(queue: QueueKey): void {
    if (this.#state !== 'closed') this.#announcer.changed(queue);
  }

  queryWaits(queue: QueueKey): void {
    if (this.#state !== 'closed') this.#announcer.changed(queue);
  }

  nodes(): number {
    return 1 + this.#options.nodes().length;
  }

  describe(namespace: string, taskQueue: string): Promise<QueueDescriptions> {
    return askAll(this.#options.rpc, this.#options.nodes(), namespace, taskQueue);
  }

  cancelActivity(session: string, token: Uint8Array, reason: messages.CancelReason): void {
    if (this.#state !== 'closed') this.#sessions.cancel({ session, token, reason });
  }

  // ---------------------------------------------------------------- out

  #announce(home: string, news: readonly messages.QueueNews[]): void {
    const { self, rpc } = this.#options;
    if (home === self) {
      for (const one of news) this.#heard(one.queue, one.partition, this.#homes.hear(self, one));
      return;
    }
    rpc.call(home, METHODS.announce, messages.encodeAnnounce(news), ANNOUNCE_MS, (error, body) => {
      if (this.#state === 'closed') return;
      const spreads = error === undefined && body !== undefined ? this.#spreads(home, body) : undefined;
      if (spreads === undefined) this.#announcer.notHeard(news);
      else for (const [i, { queue, partition }] of news.entries()) this.#heard(queue, partition, spreads.get(i));
    });
  }

  #heard(queue: QueueKey, partition: number, spread: messages.QueueSpread | undefined): void {
    if (partition !== 0) return;
    this.#announcer.split(queue, spread?.partitions ?? 1);
    if (spread !== undefined && spread.takers > 0) this.#options.matcher.shared(queue, spread.takers);
  }

  #spreads(home: string, body: Uint8Array): Map<number, messages.QueueSpread> | undefined {
    return this.#reading(home, METHODS.announce, () => messages.readSpreads(body, this.#limits.entries));
  }

  #tellRate(queue: QueueKey, partition: number, rate: number): void {
    const { homeOf, self, rpc } = this.#options;
    const home = homeOf(queue, 0);
    const none = { waiting: undefined, fetched: 0, queries: 0, queriesFetched: 0, workers: 0, available: 0 };
    const news = { ...none, queue, partition, queriesAvailable: 0, epoch: '', seen: 0, queriesSeen: 0, rate };
    if (home === self) this.#homes.hear(self, news);
    else if (home !== undefined) {
      rpc.call(home, METHODS.announce, messages.encodeAnnounce([news]), ANNOUNCE_MS, () => undefined);
    }
  }

  #assign(to: string, made: readonly messages.AssignedFetch[]): void {
    const { self, boot, rpc } = this.#options;
    if (to === self) {
      this.#assigned(boot, made);
      return;
    }
    for (let at = 0; at < made.length; at += this.#limits.entries) {
      const part = made.slice(at, at + this.#limits.entries);
      // What is lost is made again.
      rpc.call(to, METHODS.assign, messages.encodeAssign(boot, part), ASSIGN_MS, () => undefined);
    }
  }

  #assigned(epoch: string, made: readonly messages.AssignedFetch[]): void {
    for (const fetch of made) {
      if (fetch.from === this.#options.self) continue;
      if (this.#announcer.saw(fetch.queue, fetch.mode, fetch.partition, epoch, fetch.number)) {
        this.#source.assigned(fetch);
      }
    }
  }

  #assignmentsChanged(queue: QueueKey, mode: messages.Mode): void {
    const { matcher } = this.#options;
    this.#announcer.changed(queue);
    if (mode === 'task') matcher.backlogChanged(this.#source, queue);
    else matcher.queriesWait(queue);
  }

  readonly #pull: ConstructorParameters<typeof RemoteSource>[0]['ask'] = (from, queue, mode, credits, ended) => {
    const { boot, rpc } = this.#options;
    const named = credits.map(({ id, claim }) => ({ id, taker: claim.taker }));
    const body = messages.encodePull({ queue, mode, boot, credits: named });
    rpc.call(from, METHODS.pull, body, this.#limits.lentMaxMs, (error, answer) => {
      if (error === undefined && answer !== undefined) {
        const read = this.#reading(from, METHODS.pull, () => messages.readPulled(answer, this.#limits.pull));
        ended(read?.released, read?.left);
        return;
      }
      const isUnheard = error?.code === StatusCode.RESOURCE_EXHAUSTED || error?.code === StatusCode.UNIMPLEMENTED;
      const isUnsent = error?.detail?.kind === 'Unavailable' && error.detail.applied === 'no';
      ended(isUnheard || isUnsent ? credits.map(({ id }) => id) : undefined, undefined);
      // Its homes will assign again what is still there then.
      this.#source.nodeGone(from);
    });
  };

  // ---------------------------------------------------------------- in

  #serve(): void {
    const { rpc, matcher } = this.#options;
    const limits = this.#limits;
    const serve = <T>(method: string, read: (body: Uint8Array) => T, handle: (call: ServedCall, asked: T) => void) => {
      const handler: RpcHandler = (call, body) => {
        const asked = this.#reading(call.from, method, () => ({ value: read(body) }));
        if (asked !== undefined && this.#state !== 'closed') handle(call, asked.value);
        else call.refuse(asked === undefined ? misshapen(call.from, method) : STOPPED);
      };
      rpc.serve(method, handler);
    };
    serve(
      METHODS.announce,
      (body) => messages.readAnnounce(body, limits.entries),
      (call, news) => {
        const heard = news.map((one, i) => [i, this.#homes.hear(call.from, one)] as const);
        call.answer(messages.encodeSpreads(heard.filter(([, { partitions, takers }]) => partitions > 1 || takers > 0)));
      },
    );
    serve(
      METHODS.assign,
      (body) => messages.readAssign(body, limits.entries),
      (call, { epoch, made }) => {
        this.#assigned(epoch, made);
        call.answer(encode([]));
      },
    );
    serve(
      METHODS.pull,
      (body) => messages.readPull(body, limits.pull),
      (call, pull) => this.#pulls.serve(call, pull),
    );
    serve(METHODS.deliver, readDelivery, (call, { target, task }) => {
      // Of an earlier process of this node nobody knows what it had taken.
      if (target.boot !== this.#options.boot) call.answer(encodeAnswer('unknown'));
      else if (target.by === 'credit') call.answer(encodeAnswer(this.#lent.deliver(target.id, call.from, task)));
      else call.answer(encodeAnswer(this.#sessions.deliver(target, call.from, task)));
    });
    serve(METHODS.describe, readAsked, (call, { namespace, taskQueue }) => {
      matcher.describeHere(namespace, taskQueue).then(
        (queue) => call.answer(encodeDescribed(queue)),
        (error: unknown) => call.refuse(unreadable(error)),
      );
    });
    serve(METHODS.cancel, messages.readCancel, (call, { session, token, reason }) => {
      const isHere = matcher.isConnected(session);
      if (isHere) matcher.cancelActivity(session, token, reason);
      call.answer(encode([isHere ? YES : 0]));
    });
    serve(
      METHODS.resume,
      (body) => messages.readResume(body, { asks: limits.pull, held: limits.heldTokens }),
      (call, { boot, asks }) => {
        for (const ask of asks) this.#sessions.serve(call.from, boot, ask);
        call.answer(encode([]));
      },
    );
    serve(
      METHODS.told,
      (body) => messages.readTold(body, limits.heldTokens),
      (call, told) => {
        if (told.boot === this.#options.boot) this.#sessions.told(told);
        call.answer(encode([]));
      },
    );
  }

  /** Undefined when it has another shape than expected: the other node is of another version, or broken. */
  #reading<T>(node: string, method: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      const what = error instanceof Error ? error.message.slice(0, 500) : String(error);
      this.#log.warn({ node, method, what }, 'a node sent a message of another shape than expected: it is left out');
      return undefined;
    }
  }

  #sweepLater(): void {
    this.#options.scheduler.after(this.#limits.holdMs, () => {
      if (this.#state !== 'started') return;
      this.#lent.sweep();
      this.#sessions.sweep();
      this.#sweepLater();
    });
  }
}

const unreadable = (error: unknown) =>
  ({
    code: StatusCode.UNAVAILABLE,
    message: `What waits here cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    detail: { kind: 'Unavailable', applied: 'no' },
  }) as const;

const STOPPED = {
  code: StatusCode.UNAVAILABLE,
  message: 'This node stops: its workers take nothing more.',
  detail: { kind: 'Unavailable', applied: 'no' },
} as const;

const misshapen = (node: string, method: string) => ({
  code: StatusCode.UNIMPLEMENTED,
  message: `Node ${node} sent a ${method} of another shape than expected, nothing was done: the two are of different versions.`,
});

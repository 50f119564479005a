// A coordinator that is there, for the first time or again, may have forgotten everything, or have been empty from the start: it is told what
// this node knows. What is older than what it has changes nothing there. Called by cluster-node.ts.

import type { Cancelable, Scheduler } from '../../src/ports/clock.ts';
import type { ClusterRecord, Coordinator, Peer } from '../../src/ports/coordinator.ts';
import type { ShardId } from '../../src/ports/ids.ts';
import type { Log } from '../../src/ports/log.ts';
import { decodePlan } from '../ring/plan-codec.ts';
import type { LeaderNews } from './leader-news.ts';

export interface CoordinatorWatchOptions {
  coordinator: Pick<Coordinator, 'arrivals' | 'readCluster' | 'restoreCluster' | 'publishPlan' | 'announce'>;
  scheduler: Scheduler;
  log: Log;
  news: Pick<LeaderNews, 'leading'>;
  record(): ClusterRecord;
  /** The newest plan known, '' before the first. */
  plan(): string;
  /** This node, once it has addresses. */
  peer(): Peer | undefined;
  led(): readonly { shard: ShardId; term: number }[];
}

/** How often it is looked whether the coordinator is there, ms. */
const WATCH_MS = 500;
/** Every so many looks it is asked for the cluster's record: it may have been emptied without going away. */
const ASK_LOOKS = 4;

export class CoordinatorWatch {
  readonly #options: CoordinatorWatchOptions;
  #arrivals = 0;
  #looks = 0;
  /** Of a cluster that it prefers to this one: being told does not change that. */
  #other: string | undefined;
  #timer: Cancelable | undefined;
  #stopped = false;

  constructor(options: CoordinatorWatchOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#stopped) return;
    const { coordinator, scheduler } = this.#options;
    const { arrivals } = coordinator;
    this.#looks += 1;
    if (arrivals !== this.#arrivals) this.#tell();
    else if (arrivals > 0 && this.#looks % ASK_LOOKS === 0) void this.#ask();
    this.#arrivals = arrivals;
    this.#timer = scheduler.after(WATCH_MS, () => this.start());
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #ask(): Promise<void> {
    const found = await this.#options.coordinator.readCluster();
    if (this.#stopped || found.type !== 'ok') return;
    const incarnation = found.value?.incarnation;
    if (incarnation === this.#options.record().incarnation) return;
    if (incarnation !== undefined && incarnation === this.#other) return;
    this.#other = incarnation;
    this.#tell();
  }

  #tell(): void {
    const { coordinator, news, record, peer, led, log } = this.#options;
    const body = this.#options.plan();
    const version = decodePlan(body)?.version;
    const me = peer();
    const told = [
      coordinator.restoreCluster(record()),
      ...(version === undefined ? [] : [coordinator.publishPlan({ version, body })]),
      ...(me === undefined ? [] : [coordinator.announce(me)]),
    ];
    for (const one of told) {
      one.catch((error: unknown) => {
        const fault = error instanceof Error ? error : new Error(String(error));
        log.warn({ error: fault }, 'the coordinator could not be told what this node knows');
      });
    }
    for (const { shard, term } of led()) news.leading(shard, term);
  }
}

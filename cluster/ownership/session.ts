// Keeps this node's one lease: claims it, renews it, gives it back. One lease for all its shards, however many. It says who may *try* to
// lead, never what is safe (I3): a node that cannot renew goes on leading what its replicas confirm (DESIGN §7), and `lapsed` only tells it
// that others may try. Called by node.ts.

import type { Cancelable, Clock, Scheduler } from '../../src/ports/clock.ts';
import type { Coordinator, NodeSession } from '../../src/ports/coordinator.ts';
import type { Log } from '../../src/ports/log.ts';
import { SESSION_RENEW_MS, SESSION_TTL_MS } from './limits.ts';

export type SessionState =
  /** Not claimed yet: the coordinator has not answered since the start. */
  | { readonly type: 'unclaimed' }
  | { readonly type: 'held' }
  /** It was held, and the coordinator has not confirmed it for a lease's life. */
  | { readonly type: 'lapsed' }
  /**
   * Another process has this node's name or its directory: it must not lead. `renewed`: that one lives, since its lease was renewed while this one
   * waited for its end; until then it may have been killed just now.
   */
  | { readonly type: 'taken'; readonly by: NodeSession; readonly renewed: boolean };

export interface SessionKeeperOptions {
  readonly coordinator: Coordinator;
  readonly session: NodeSession;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Log;
  /** Another process goes on renewing a lease that names this node or its directory: it lives, and is no run of before. Once for each. */
  readonly onRival?: (by: NodeSession) => void;
  /** The name and the directory are this process's alone again. */
  readonly onAlone?: () => void;
  readonly ttlMs?: number;
  readonly renewMs?: number;
}

/** Added to a lease's rest when waiting for its end, ms: clocks do not run alike. */
const MARGIN_MS = 20;
/** A lease that ends so much later than when last asked was renewed, ms: below it is the way of the answers. Renewals add `renewMs`. */
const RENEWED_MS = 500;

interface Taken {
  readonly by: NodeSession;
  readonly sinceMs: number;
  readonly freeAtMs: number;
  readonly renewed: boolean;
  readonly isRival: boolean;
}

export class SessionKeeper {
  readonly #options: SessionKeeperOptions;
  readonly #ttlMs: number;
  readonly #renewMs: number;
  #timer: Cancelable | undefined;
  #stopped = false;
  #untilMs: number | undefined;
  #taken: Taken | undefined;
  #hasRival = false;
  /** Whom the log has named last. */
  #saidTakenBy: string | undefined;

  constructor(options: SessionKeeperOptions) {
    this.#options = options;
    this.#ttlMs = options.ttlMs ?? SESSION_TTL_MS;
    this.#renewMs = options.renewMs ?? SESSION_RENEW_MS;
  }

  get state(): SessionState {
    if (this.#taken !== undefined) return { type: 'taken', by: this.#taken.by, renewed: this.#taken.renewed };
    if (this.#untilMs === undefined) return { type: 'unclaimed' };
    return { type: this.#options.clock.monotonic() < this.#untilMs ? 'held' : 'lapsed' };
  }

  /** Resolves after the first attempt, whatever came of it; goes on in the background. */
  async start(): Promise<void> {
    await this.#claim();
  }

  /** Gives the lease back, as far as the coordinator can be reached: a successor need not wait for its end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#untilMs = undefined;
    await this.#options.coordinator.endSession(this.#options.session);
  }

  async #claim(): Promise<void> {
    const outcome = await this.#options.coordinator.holdSession(this.#options.session, this.#ttlMs);
    if (this.#stopped) return;
    let nextMs = this.#renewMs;
    if (outcome.type === 'ok') {
      const claim = outcome.value;
      if (claim.type === 'held') this.#held(claim.untilMs);
      else {
        this.#refused(claim.by, claim.freeInMs);
        nextMs = Math.min(nextMs, claim.freeInMs + MARGIN_MS);
      }
    }
    this.#timer = this.#options.scheduler.after(nextMs, () => void this.#claim());
  }

  #held(untilMs: number): void {
    this.#untilMs = untilMs;
    this.#taken = undefined;
    if (this.#hasRival) this.#options.onAlone?.();
    this.#hasRival = false;
    if (this.#saidTakenBy === undefined) return;
    this.#saidTakenBy = undefined;
    this.#options.log.info(
      { node: this.#options.session.node },
      'this node has its name and directory to itself again',
    );
  }

  #refused(by: NodeSession, freeInMs: number): void {
    const { clock, log, session } = this.#options;
    const nowMs = clock.monotonic();
    const freeAtMs = nowMs + freeInMs;
    const before = this.#taken?.by.sessionId === by.sessionId ? this.#taken : undefined;
    const renewed = before !== undefined && (before.renewed || freeAtMs > before.freeAtMs + RENEWED_MS);
    const sinceMs = before?.sinceMs ?? nowMs;
    // What is done about a rival is drastic: a lease's life is waited out as well.
    const isRival = renewed && nowMs - sinceMs >= this.#ttlMs + this.#renewMs;
    this.#taken = { by, sinceMs, freeAtMs: Math.min(freeAtMs, before?.freeAtMs ?? freeAtMs), renewed, isRival };
    if (isRival && before?.isRival !== true) {
      this.#hasRival = true;
      this.#options.onRival?.(by);
    }
    const what = `${by.sessionId}${renewed ? ' renewed' : ''}`;
    if (this.#saidTakenBy === what) return;
    this.#saidTakenBy = what;
    const fields = {
      node: session.node,
      directoryId: session.directoryId,
      otherNode: by.node,
      otherDirectoryId: by.directoryId,
    };
    const [sameName, sameDirectory] = [by.node === session.node, by.directoryId === session.directoryId];
    if (!renewed) {
      log.info(
        { ...fields, freeInMs },
        sameName && sameDirectory
          ? 'the previous run of this node still has its lease; waiting for its end'
          : sameName
            ? 'a node of this name, with another data directory, still has a lease; waiting whether it ends'
            : `node ${JSON.stringify(by.node)} still has a lease on this data directory; waiting whether it ends`,
      );
    } else if (sameName && sameDirectory) {
      log.error(
        fields,
        'another process runs as this very node, with its name and its data directory: one of them has a copy and must be removed. If that one goes on, this one takes part no more',
      );
    } else if (sameName) {
      log.error(
        fields,
        `another node is called ${JSON.stringify(session.node)}: give one of them another cluster.name. This one leads nothing`,
      );
    } else {
      log.error(
        fields,
        `the data directory of this node is used by node ${JSON.stringify(by.node)} too: one of them is a copy and must be removed. If that one goes on, this one takes part no more`,
      );
    }
  }
}

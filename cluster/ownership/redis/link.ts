// The node's line to Redis: sends calls, each with a deadline, and turns everything that can go wrong into `unavailable`. Says once in
// the log when Redis is lost and when it is back, however often it is tried in between. Called by coordinator.ts.

import type { Clock, Random, Scheduler } from '../../../src/ports/clock.ts';
import type { CoordinatorState, Outcome, RedisSettings, Unavailable } from '../../../src/ports/coordinator.ts';
import type { Log } from '../../../src/ports/log.ts';
import { CALL_TIMEOUT_MS, MAX_CALLS } from '../limits.ts';
import { createClient, describeServers, type RedisClient } from './client.ts';

export interface LinkOptions {
  readonly redis: RedisSettings;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly log: Log;
  readonly callTimeoutMs?: number | undefined;
}

const unavailable = (applied: 'no' | 'maybe', why: string): Unavailable => ({ type: 'unavailable', applied, why });

/** What the client says when it is asked between two connections, which is no reason for anything. */
const NOT_CONNECTED = /enableOfflineQueue options is false/;
/** What it says of bytes that are no answer, asking to be told of them. */
const NO_REDIS = /Please report this\.$/;

/** Some errors of Node carry their reason in the code alone. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (NO_REDIS.test(error.message)) return 'what answers there does not speak the protocol of Redis';
  const { code } = error as NodeJS.ErrnoException;
  return error.message !== '' ? error.message : (code ?? error.name);
}

/** Redis has answered: with a refusal. Nothing was carried out then. */
const isRefusal = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError';

export class RedisLink {
  readonly #options: LinkOptions;
  readonly #client: RedisClient;
  readonly #servers: string;
  readonly #callTimeoutMs: number;
  readonly #underWay = new Set<(outcome: Unavailable) => void>();
  #state: CoordinatorState = 'connecting';
  arrivals = 0;
  #sinceMs: number;
  /** The last error of the connection: why it is away. */
  #fault = 'no connection yet';
  #saidUnreachable = false;
  /** Refusals already in the log: Redis refuses for few reasons, in words that may carry numbers. */
  readonly #saidRefusals = new Set<string>();

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#callTimeoutMs = options.callTimeoutMs ?? CALL_TIMEOUT_MS;
    this.#servers = describeServers(options.redis);
    this.#sinceMs = options.clock.monotonic();
    this.#client = createClient(options.redis, this.#callTimeoutMs, options.random);
    this.#client.on('ready', () => this.#reached());
    this.#client.on('error', (error) => this.#failed(this.#reasonOf(error)));
    this.#client.on('node error', (error) => {
      this.#fault = this.#reasonOf(error);
    });
    this.#client.on('close', () => this.#failed(this.#fault));
  }

  get state(): CoordinatorState {
    return this.#state;
  }

  /** Never rejects. */
  call(send: (client: RedisClient) => Promise<unknown>): Promise<Outcome<unknown>> {
    if (this.#state === 'closed') return Promise.resolve(unavailable('no', 'this node has closed its coordinator'));
    if (this.#client.status !== 'ready') return Promise.resolve(unavailable('no', `${this.#servers}: ${this.#fault}`));
    if (this.#underWay.size >= MAX_CALLS) {
      return Promise.resolve(unavailable('no', `${MAX_CALLS} calls to ${this.#servers} are under way already`));
    }
    return new Promise((resolve) => {
      const end = (outcome: Outcome<unknown>): void => {
        if (!this.#underWay.delete(end)) return;
        deadline.cancel();
        resolve(outcome);
      };
      this.#underWay.add(end);
      const deadline = this.#options.scheduler.after(this.#callTimeoutMs, () => {
        this.#failed(`no answer within ${this.#callTimeoutMs} ms`);
        end(unavailable('maybe', `${this.#servers}: no answer within ${this.#callTimeoutMs} ms`));
      });
      send(this.#client).then(
        (value) => {
          this.#reached();
          end({ type: 'ok', value });
        },
        (error: unknown) => end(this.#rejected(error)),
      );
    });
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#client.disconnect();
    for (const end of [...this.#underWay]) end(unavailable('maybe', 'this node has closed its coordinator'));
  }

  /** An answer that is no value of ours: somebody else writes to this Redis, or a newer version. */
  unreadable(what: string): Unavailable {
    const why = `${this.#servers}: what stands there as ${what} cannot be read`;
    this.#sayRefusal(why);
    return unavailable('maybe', why);
  }

  #reasonOf(error: unknown): string {
    const reason = reasonOf(error);
    return NOT_CONNECTED.test(reason) ? this.#fault : reason;
  }

  #rejected(error: unknown): Unavailable {
    const reason = this.#reasonOf(error);
    const why = `${this.#servers}: ${reason}`;
    if (isRefusal(error)) {
      this.#sayRefusal(why);
      return unavailable('no', why);
    }
    this.#failed(reason);
    return unavailable('maybe', why);
  }

  #reached(): void {
    if (this.#state === 'ready' || this.#state === 'closed') return;
    const { clock, log } = this.#options;
    const lasted = Math.round((clock.monotonic() - this.#sinceMs) / 1_000);
    if (this.#state === 'away' || this.#saidUnreachable) log.info({ seconds: lasted }, `${this.#servers} is back`);
    else log.info({}, `${this.#servers} is reached`);
    this.#state = 'ready';
    this.arrivals += 1;
    this.#saidRefusals.clear();
  }

  #failed(why: string): void {
    this.#fault = why;
    const { clock, log } = this.#options;
    if (this.#state === 'connecting' && !this.#saidUnreachable) {
      this.#saidUnreachable = true;
      log.warn(
        { reason: why },
        `${this.#servers} cannot be reached: check cluster.redis. Who knows its cluster starts all the same, a new node waits, and both go on trying; until then no ring plan changes`,
      );
    }
    if (this.#state !== 'ready') return;
    this.#state = 'away';
    this.#sinceMs = clock.monotonic();
    log.warn(
      { reason: why },
      `${this.#servers} is away. What is led goes on, and of a node that dies is led by others; no ring plan changes until it is back`,
    );
  }

  #sayRefusal(why: string): void {
    const kind = why.replaceAll(/\d+/g, '#');
    if (this.#saidRefusals.has(kind) || this.#saidRefusals.size >= MAX_SAID) return;
    this.#saidRefusals.add(kind);
    this.#options.log.warn({ reason: why }, 'Redis refuses a call');
  }
}

const MAX_SAID = 20;

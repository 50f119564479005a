// Measures how long shards are not served: every so often each shard is asked something through one of the nodes, whichever has answered the last
// question. A gap is the time between two answers, so without any fault it is about the pause between two questions.

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'tenuto/client';
import { RpcError } from 'tenuto/client';
import { StatusCode } from '../../../src/wire/status.ts';
import { connectTo } from './clients.ts';
import { idOn } from './ledger.ts';

export const PROBE_EVERY_MS = 50;
const ANSWER_MS = 4_000;
/** A shard is served when it has answered within this, for all of `CALM_MS`. */
const FRESH_MS = 400;
const CALM_MS = 1_000;
const LOOK_MS = 10;

interface Prober {
  readonly connection: Connection;
  /** Shards whose question has no answer yet. */
  readonly waiting: Set<number>;
}

/** What was seen between `begin` and `end`. */
export interface Gaps {
  /** By shard: its longest gap, ms. */
  readonly longestMs: readonly number[];
  /** How late this process ran at worst, ms: what it adds to the gaps. */
  readonly ownStallMs: number;
}

export class Probes {
  readonly #ids: readonly string[];
  readonly #probers = new Map<string, Prober>();
  readonly #answeredAtMs: number[];
  readonly #longestMs: number[];
  readonly #turns: number[];
  readonly #stalls: IntervalHistogram = monitorEventLoopDelay({ resolution: 5 });
  readonly #timer: NodeJS.Timeout;

  /** @param everyMs between two questions to one shard */
  constructor(shardCount: number, everyMs = PROBE_EVERY_MS) {
    this.#ids = Array.from({ length: shardCount }, (_, shard) => idOn(shard, shardCount, -1));
    this.#answeredAtMs = Array.from({ length: shardCount }, () => performance.now());
    this.#longestMs = Array.from({ length: shardCount }, () => 0);
    this.#turns = Array.from({ length: shardCount }, (_, shard) => shard);
    this.#stalls.enable();
    let next = 0;
    // One shard after the other, spread over the pause.
    this.#timer = setInterval(() => {
      for (let n = 0; n < Math.ceil((shardCount * LOOK_MS) / everyMs); n += 1) {
        this.#ask(next);
        next = (next + 1) % shardCount;
      }
    }, LOOK_MS);
  }

  /** Asks through this node too, from now on. */
  use(address: string): void {
    this.#probers.set(address, { connection: connectTo(address), waiting: new Set() });
  }

  async forget(address: string): Promise<void> {
    const prober = this.#probers.get(address);
    this.#probers.delete(address);
    await prober?.connection.close();
  }

  begin(): void {
    this.#longestMs.fill(0);
    this.#stalls.reset();
  }

  end(): Gaps {
    const nowMs = performance.now();
    const longestMs = this.#longestMs.map((gapMs, shard) => Math.max(gapMs, nowMs - (this.#answeredAtMs[shard] ?? 0)));
    return { longestMs: longestMs.map(Math.round), ownStallMs: Math.round(this.#stalls.max / 1e6) };
  }

  /** Resolves when every shard has been served without a break for a second; rejects, naming those that are not, after `boundMs`. */
  async untilServed(boundMs: number): Promise<void> {
    const giveUpAtMs = performance.now() + boundMs;
    for (let calmSinceMs: number | undefined; ; ) {
      const nowMs = performance.now();
      const silent = this.#answeredAtMs.flatMap((atMs, shard) => (nowMs - atMs > FRESH_MS ? [shard] : []));
      if (silent.length > 0) calmSinceMs = undefined;
      else {
        calmSinceMs ??= nowMs;
        if (nowMs - calmSinceMs >= CALM_MS) return;
      }
      if (nowMs > giveUpAtMs) throw new Error(`after ${boundMs} ms these shards are not served: ${silent.join(', ')}`);
      await sleep(LOOK_MS);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stalls.disable();
    await Promise.all([...this.#probers.values()].map(({ connection }) => connection.close()));
  }

  #ask(shard: number): void {
    const probers = [...this.#probers.values()].filter(({ waiting }) => !waiting.has(shard));
    const turn = (this.#turns[shard] ?? 0) + 1;
    this.#turns[shard] = turn;
    const prober = probers[turn % Math.max(1, probers.length)];
    if (prober === undefined) return;
    const { connection, waiting } = prober;
    waiting.add(shard);
    const target = { namespace: 'default', workflowId: this.#ids[shard] ?? '' };
    connection
      .request('describeWorkflowExecution', target, { timeoutMs: ANSWER_MS })
      // It does not exist, and only the shard's leader can say so.
      .catch((error: unknown) => error instanceof RpcError && error.code === StatusCode.NOT_FOUND)
      .then((answered) => {
        waiting.delete(shard);
        if (answered !== false) this.#answered(shard);
      });
  }

  #answered(shard: number): void {
    const nowMs = performance.now();
    const gapMs = nowMs - (this.#answeredAtMs[shard] ?? nowMs);
    this.#longestMs[shard] = Math.max(this.#longestMs[shard] ?? 0, gapMs);
    this.#answeredAtMs[shard] = nowMs;
  }
}

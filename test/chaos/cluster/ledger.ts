// The record of what was acknowledged: one client per shard starts workflows and signals them, one call after the other, and notes each
// acknowledgement by id. Afterwards the histories must hold exactly that: nothing acknowledged missing, nothing twice, in order, no gap (I5).
// No worker listens on their queue: what is in these histories, the ledger put there.

import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Connection } from 'tenuto/client';
import { shardOf } from '../../../src/shard/keys.ts';
import { EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';

const NAMESPACE = 'default';
const TASK_QUEUE = 'ledger-that-nobody-works-on';
/** Between two calls of one shard's client. */
const EVERY_MS = 150;
/** Signals of one workflow; then the next is started. */
const SIGNALS_EACH = 100;
const CHECKS_AT_ONCE = 8;

/** `unknown`: the call failed, and may have been applied. */
type Outcome = 'acknowledged' | 'unknown';

/** One workflow of the ledger: what was asked of it, and what came of that. */
export interface Page {
  readonly workflowId: string;
  readonly start: Outcome;
  readonly runId: string;
  readonly signals: { readonly name: string; readonly outcome: Outcome }[];
}

export interface FailedCall {
  readonly what: string;
  readonly why: string;
}

export interface LedgerReport {
  readonly starts: number;
  readonly signals: number;
  readonly failed: readonly FailedCall[];
  /** The longest a client waited for an acknowledgement, ms. */
  readonly longestMs: number;
}

export class Ledger {
  readonly #client: Client;
  readonly #prefix: string;
  readonly #pages: Page[] = [];
  readonly #failed: FailedCall[] = [];
  readonly #lanes: Promise<void>[];
  readonly #stop = new AbortController();
  #longestMs = 0;

  /** @param prefix of its workflows' ids: of each ledger of a run its own. @param library of the connection's build */
  constructor(connection: Connection, shardCount: number, prefix = 'ledger', library = { Client }) {
    this.#client = new library.Client({ connection });
    this.#prefix = prefix;
    this.#lanes = Array.from({ length: shardCount }, (_, shard) => this.#lane(shard, shardCount));
  }

  get report(): LedgerReport {
    const acknowledged = this.#pages.filter(({ start }) => start === 'acknowledged');
    const signals = this.#pages.flatMap((page) => page.signals).filter(({ outcome }) => outcome === 'acknowledged');
    return {
      starts: acknowledged.length,
      signals: signals.length,
      failed: this.#failed,
      longestMs: Math.round(this.#longestMs),
    };
  }

  /** No more calls; resolves when those under way have ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#lanes);
  }

  /** Reads every history. Returns what is wrong; empty: all is there. */
  async check(): Promise<string[]> {
    const problems: string[] = [];
    const todo = this.#pages.values();
    const lane = async (): Promise<void> => {
      for (const page of todo) problems.push(...(await this.#checkPage(page)));
    };
    await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, lane));
    return problems;
  }

  async #lane(shard: number, shardCount: number): Promise<void> {
    for (let n = 0; !this.#stop.signal.aborted; n += 1) await this.#write(idOn(shard, shardCount, n, this.#prefix));
  }

  /** Starts one workflow and signals it until it is full, or until a call fails: what comes after is another one's. */
  async #write(workflowId: string): Promise<void> {
    const started = await this.#call(`start of ${workflowId}`, () =>
      this.#client.workflow.start('ledger', { workflowId, taskQueue: TASK_QUEUE }),
    );
    const page: Page = {
      workflowId,
      start: started === undefined ? 'unknown' : 'acknowledged',
      runId: started?.firstExecutionRunId ?? '',
      signals: [],
    };
    this.#pages.push(page);
    if (started === undefined) return;
    for (let n = 1; n <= SIGNALS_EACH && !this.#stop.signal.aborted; n += 1) {
      const name = `note-${n}`;
      const done = await this.#call(`signal ${name} of ${workflowId}`, async () => {
        await started.signal(name);
        return true;
      });
      page.signals.push({ name, outcome: done === undefined ? 'unknown' : 'acknowledged' });
    }
  }

  async #call<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
    const begun = performance.now();
    try {
      return await call();
    } catch (error) {
      this.#failed.push({ what, why: chainOf(error) });
      return undefined;
    } finally {
      const tookMs = performance.now() - begun;
      this.#longestMs = Math.max(this.#longestMs, tookMs);
      await sleep(Math.max(0, EVERY_MS - tookMs));
    }
  }

  async #checkPage(page: Page): Promise<string[]> {
    const { workflowId, start } = page;
    let events: HistoryEvent[];
    try {
      ({ events } = await this.#client.workflow.getHandle(workflowId).fetchHistory());
    } catch (error) {
      return start === 'unknown' ? [] : [`${workflowId} was acknowledged, and cannot be read: ${chainOf(error)}`];
    }
    return problemsOf(page, events);
  }
}

/** What a history lacks, or has and should not, by what was acknowledged. */
export function problemsOf({ workflowId, start, runId, signals }: Page, events: readonly HistoryEvent[]): string[] {
  const problems = gapsOf(workflowId, events);
  const [first] = events;
  if (first?.eventType !== EventType.WORKFLOW_EXECUTION_STARTED) {
    problems.push(`${workflowId}: its history does not begin with its start`);
  } else if (start === 'acknowledged' && first.attributes.originalExecutionRunId !== runId) {
    problems.push(`${workflowId}: run ${runId} was acknowledged, the history is of another one`);
  }
  const noted = events.flatMap((event) =>
    event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED ? [event.attributes.signalName] : [],
  );
  // In the order in which they were sent, each at most once; only unknown ones may be missing.
  const sent = signals.filter(({ name, outcome }) => outcome === 'acknowledged' || noted.includes(name));
  const expected = sent.map(({ name }) => name);
  if (JSON.stringify(noted) !== JSON.stringify(expected)) {
    const missing = expected.filter((name) => !noted.includes(name));
    const odd = noted.filter((name, i) => noted.indexOf(name) !== i || !expected.includes(name));
    const what =
      missing.length + odd.length === 0
        ? 'its signals are in another order than they were sent'
        : `of ${expected.length} acknowledged signals [${missing.join(' ')}] are missing; [${odd.join(' ')}] are too many`;
    problems.push(`${workflowId}: ${what}`);
  }
  return problems;
}

/** Event ids are 1..n (I5). */
export function gapsOf(workflowId: string, events: readonly HistoryEvent[]): string[] {
  const at = events.findIndex(({ eventId }, i) => eventId !== i + 1);
  return at < 0 ? [] : [`${workflowId}: event ${events[at]?.eventId} stands where ${at + 1} should`];
}

export function chainOf(error: unknown): string {
  const messages: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) messages.push(cause.message);
  return messages.length > 0 ? messages.join(' ← ') : String(error);
}

/** The n-th id of ours that lies on a shard. */
export function idOn(shard: number, shardCount: number, n: number, prefix = 'ledger'): string {
  for (let salt = 0; ; salt += 1) {
    const id = `${prefix}-${shard}-${n}-${salt}`;
    if (shardOf(NAMESPACE, id, shardCount) === shard) return id;
  }
}

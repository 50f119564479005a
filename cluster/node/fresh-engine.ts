// The engine of this node for reads that must miss nothing acknowledged anywhere (DESIGN §7, fresh reads): before it answers, the log confirms
// that this node still leads the shard. One round of the leader's replicas serves all that wait for it. Submitted messages need none: what
// they decide is confirmed by their entry, or by the engine itself where they write nothing.

import type { CommitLog } from '../../src/ports/commit-log.ts';
import type { Engine, Waiting } from '../../src/ports/engine.ts';
import { shardId } from '../../src/ports/ids.ts';
import type { Status } from '../../src/wire/status.ts';
import { unavailable } from '../routing/statuses.ts';

export interface FreshEngineOptions {
  engine: Engine;
  confirm: NonNullable<CommitLog['confirm']>;
  shardOf(namespace: string, workflowId: string): number;
  /** Shards led here now: a search without a choice is of these. */
  led(): ReadonlySet<number>;
}

const NOTHING: Waiting = { abandon: () => undefined };

/** A wait that begins once the confirmation is there, unless it was given up before. */
class Later implements Waiting {
  #over = false;
  #inner: Waiting = NOTHING;

  begin(wait: () => Waiting): void {
    if (!this.#over) this.#inner = wait();
  }

  get over(): boolean {
    return this.#over;
  }

  abandon(): void {
    this.#over = true;
    this.#inner.abandon();
  }
}

export function freshEngine({ engine, confirm, shardOf, led }: FreshEngineOptions): Engine {
  const stale = (shard: number): Status => unavailable(`Shard ${shard} is not led by this node any more.`, 'no');
  const confirmed = (
    to: { namespace: string; workflowId: string },
    go: () => void,
    refuse: (why: Status) => void,
  ): void => {
    const shard = shardOf(to.namespace, to.workflowId);
    void confirm(shardId(shard)).then((fresh) => (fresh ? go() : refuse(stale(shard))));
  };
  const waiting = (
    to: { namespace: string; workflowId: string },
    wait: () => Waiting,
    refuse: (why: Status) => void,
  ): Waiting => {
    const later = new Later();
    confirmed(
      to,
      () => later.begin(wait),
      (why) => {
        if (!later.over) refuse(why);
      },
    );
    return later;
  };
  const all = async (shards: ReadonlySet<number> | undefined): Promise<Status | undefined> => {
    const ids = [...(shards ?? led())];
    const fresh = await Promise.all(ids.map((shard) => confirm(shardId(shard))));
    const at = fresh.indexOf(false);
    return at < 0 ? undefined : stale(ids[at] ?? 0);
  };
  return {
    submit: (to, message, done) => engine.submit(to, message, done),
    answerQuery: (to, queryId, result, done) => engine.answerQuery(to, queryId, result, done),
    taskHistory: (to, task, done) => engine.taskHistory(to, task, done),
    describe: (to, runId, done) =>
      confirmed(
        to,
        () => engine.describe(to, runId, done),
        (why) => done(why, undefined),
      ),
    query: (to, message, done) =>
      waiting(
        to,
        () => engine.query(to, message, done),
        (why) => done(why, undefined),
      ),
    history: (to, query, done) =>
      waiting(
        to,
        () => engine.history(to, query, done),
        (why) => done(why, undefined),
      ),
    awaitResult: (to, runId, followRuns, done) =>
      waiting(
        to,
        () => engine.awaitResult(to, runId, followRuns, done),
        (why) => done(why, undefined),
      ),
    list: (request, done) =>
      void all(request.shards).then((why) => (why === undefined ? engine.list(request, done) : done(why, undefined))),
    count: (request, done) =>
      void all(request.shards).then((why) => (why === undefined ? engine.count(request, done) : done(why, undefined))),
  };
}

// The engine of this node for reads that must miss nothing acknowledged anywhere (DESIGN §7, fresh reads): before it answers, the log confirms
// that this node still leads the shard. One round of the leader's replicas serves all that wait for it. Submitted messages need none: what
// they decide is confirmed by their entry, or by the engine itself where they write nothing.

import { REGISTRY } from '../../src/core/namespace/record.ts';
import type { CommitLog } from '../../src/ports/commit-log.ts';
import type { Done, Engine, Waiting } from '../../src/ports/engine.ts';
import { shardId } from '../../src/ports/ids.ts';
import { type Status, StatusCode } from '../../src/wire/status.ts';
import { unavailable } from '../routing/statuses.ts';

export interface FreshEngineOptions {
  engine: Engine;
  confirm: NonNullable<CommitLog['confirm']>;
  shardOf(namespace: string, workflowId: string): number;
  /** Shards led here now, and in which terms: a search without a choice is of these. */
  led(): ReadonlyMap<number, number>;
  /** The engine threw: a bug. The call is answered all the same. */
  onFault(error: unknown): void;
}

interface Address {
  namespace: string;
  workflowId: string;
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

/** An answer that came is not taken back by what goes wrong after it. */
function once<T>(done: Done<T>): Done<T> {
  let open = true;
  return (error, value) => {
    if (!open) return;
    open = false;
    done(error, value);
  };
}

export function freshEngine({ engine, confirm, shardOf, led, onFault }: FreshEngineOptions): Engine {
  const stale = (shard: number): Status => unavailable(`Shard ${shard} is not led by this node any more.`, 'no');
  /** Nobody above catches what is thrown here: the call that asked returned long ago. */
  const then = (asked: Promise<Status | undefined>, go: () => void, refuse: (why: Status) => void): void => {
    asked
      .then((why) => (why === undefined ? go() : refuse(why)))
      .catch((error: unknown) => {
        onFault(error);
        refuse({ code: StatusCode.INTERNAL, message: 'A read failed by a fault of the server: please report it.' });
      });
  };
  const one = async (to: Address): Promise<Status | undefined> => {
    const shard = shardOf(to.namespace, to.workflowId);
    return (await confirm(shardId(shard))) ? undefined : stale(shard);
  };
  const all = async (ids: readonly number[]): Promise<Status | undefined> => {
    const fresh = await Promise.all(ids.map((shard) => confirm(shardId(shard))));
    const at = fresh.indexOf(false);
    return at < 0 ? undefined : stale(ids[at] ?? 0);
  };
  const answered = <T>(asked: Promise<Status | undefined>, done: Done<T>, go: (done: Done<T>) => void): void => {
    const told = once(done);
    then(
      asked,
      () => go(told),
      (why) => told(why, undefined),
    );
  };
  const waiting = <T>(to: Address, done: Done<T>, wait: (done: Done<T>) => Waiting): Waiting => {
    const later = new Later();
    const told = once(done);
    then(
      one(to),
      () => later.begin(() => wait(told)),
      (why) => {
        if (!later.over) told(why, undefined);
      },
    );
    return later;
  };
  /** A shard that went while rows were read may have lacked some, also when it is back by now. */
  const searching = <T>(shards: ReadonlySet<number> | undefined, done: Done<T>, go: (done: Done<T>) => void): void => {
    const terms = led();
    const ids = [...(shards ?? terms.keys())];
    answered(all(ids), done, (told) =>
      go((error, value) => {
        const now = led();
        const moved = ids.find((shard) => now.get(shard) !== terms.get(shard));
        if (error !== undefined || moved === undefined) told(error, value);
        else told(stale(moved), undefined);
      }),
    );
  };
  return {
    // Turns, which see for themselves that what they rest on is fresh.
    submit: (to, message, done) => engine.submit(to, message, done),
    update: (to, message, done) => engine.update(to, message, done),
    updateWithStart: (to, message, done) => engine.updateWithStart(to, message, done),
    answerQuery: (to, queryId, result, done) => engine.answerQuery(to, queryId, result, done),
    // "That task is over" makes its worker drop what it has: only the shard's leader can say it.
    taskHistory: (to, task, done) => answered(one(to), done, (told) => engine.taskHistory(to, task, told)),
    describe: (to, runId, done) => answered(one(to), done, (told) => engine.describe(to, runId, told)),
    query: (to, message, done) => waiting(to, done, (told) => engine.query(to, message, told)),
    history: (to, query, done) => waiting(to, done, (told) => engine.history(to, query, told)),
    awaitResult: (to, runId, followRuns, done) =>
      waiting(to, done, (told) => engine.awaitResult(to, runId, followRuns, told)),
    searchAttributes: (namespace, done) =>
      answered(one({ namespace, workflowId: '' }), done, (told) => engine.searchAttributes(namespace, told)),
    changeSearchAttributes: (namespace, change, done) => engine.changeSearchAttributes(namespace, change, done),
    // A job's next step is confirmed by its entry; what is told of it is not.
    jobs: (namespace, asked, done) => {
      const reads = asked.type === 'describe' || asked.type === 'list';
      if (!reads) engine.jobs(namespace, asked, done);
      else answered(one({ namespace, workflowId: '' }), done, (told) => engine.jobs(namespace, asked, told));
    },
    namespaces: (asked, done) => {
      if (asked.type !== 'list') engine.namespaces(asked, done);
      else answered(one({ namespace: REGISTRY, workflowId: '' }), done, (told) => engine.namespaces(asked, told));
    },
    deployments: (asked, done) => {
      if (asked.type !== 'list') engine.deployments(asked, done);
      else answered(one({ namespace: REGISTRY, workflowId: '' }), done, (told) => engine.deployments(asked, told));
    },
    workers: (namespace, asked, done) =>
      answered(one({ namespace, workflowId: '' }), done, (told) => engine.workers(namespace, asked, told)),
    list: (request, done) => searching(request.shards, done, (told) => engine.list(request, told)),
    count: (request, done) => searching(request.shards, done, (told) => engine.count(request, told)),
  };
}

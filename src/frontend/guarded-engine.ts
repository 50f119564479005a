// The engine as the doors ask it: what is made of an answer is made in its callback, where nobody is left to catch what it throws, and a fault of
// ours in it would end the process. So it costs that call and no more, as in a turn (src/shard/executor.ts). Built by the composition root.

import type { Message } from '../core/workflow/message.ts';
import type { Reply } from '../core/workflow/outcome.ts';
import type { ActorAddress, Done, Engine, Waiting } from '../ports/engine.ts';
import { type Status, StatusCode } from '../wire/status.ts';
import { Refused } from './validate/check.ts';

const FAULT: Status = {
  code: StatusCode.INTERNAL,
  message:
    "The request failed inside the server; what it asked for may have been done. Please report this, with the server's log.",
};

/** `onFault` hears of what a callback threw, and of whom the engine was asked. */
export class GuardedEngine implements Engine {
  readonly #engine: Engine;
  readonly #onFault: (error: unknown, asked: string) => void;

  constructor(engine: Engine, onFault: (error: unknown, asked: string) => void) {
    this.#engine = engine;
    this.#onFault = onFault;
  }

  submit(to: ActorAddress, message: Message, done: Done<Reply>): void {
    this.#engine.submit(to, message, this.#guarded(done, message.type));
  }

  query(...[to, message, done]: Parameters<Engine['query']>): Waiting {
    return this.#engine.query(to, message, this.#guarded(done, 'query'));
  }

  update(...[to, message, done]: Parameters<Engine['update']>): Waiting {
    return this.#engine.update(to, message, this.#guarded(done, 'update'));
  }

  updateWithStart(...[to, message, done]: Parameters<Engine['updateWithStart']>): Waiting {
    return this.#engine.updateWithStart(to, message, this.#guarded(done, 'updateWithStart'));
  }

  answerQuery(...[to, queryId, result, done]: Parameters<Engine['answerQuery']>): void {
    this.#engine.answerQuery(to, queryId, result, this.#guarded(done, 'answerQuery'));
  }

  describe(...[to, runId, done]: Parameters<Engine['describe']>): void {
    this.#engine.describe(to, runId, this.#guarded(done, 'describe'));
  }

  history(...[to, query, done]: Parameters<Engine['history']>): Waiting {
    return this.#engine.history(to, query, this.#guarded(done, 'history'));
  }

  taskHistory(...[to, task, done]: Parameters<Engine['taskHistory']>): void {
    this.#engine.taskHistory(to, task, this.#guarded(done, 'taskHistory'));
  }

  awaitResult(...[to, runId, followRuns, done]: Parameters<Engine['awaitResult']>): Waiting {
    return this.#engine.awaitResult(to, runId, followRuns, this.#guarded(done, 'awaitResult'));
  }

  list(...[request, done]: Parameters<Engine['list']>): void {
    this.#engine.list(request, this.#guarded(done, 'list'));
  }

  count(...[request, done]: Parameters<Engine['count']>): void {
    this.#engine.count(request, this.#guarded(done, 'count'));
  }

  searchAttributes(...[namespace, done]: Parameters<Engine['searchAttributes']>): void {
    this.#engine.searchAttributes(namespace, this.#guarded(done, 'searchAttributes'));
  }

  changeSearchAttributes(...[namespace, change, done]: Parameters<Engine['changeSearchAttributes']>): void {
    this.#engine.changeSearchAttributes(namespace, change, this.#guarded(done, 'changeSearchAttributes'));
  }

  jobs(...[namespace, asked, done]: Parameters<Engine['jobs']>): void {
    this.#engine.jobs(namespace, asked, this.#guarded(done, 'jobs'));
  }

  namespaces(...[asked, done]: Parameters<Engine['namespaces']>): void {
    this.#engine.namespaces(asked, this.#guarded(done, 'namespaces'));
  }

  nexusEndpoints(...[asked, done]: Parameters<Engine['nexusEndpoints']>): void {
    this.#engine.nexusEndpoints(asked, this.#guarded(done, 'nexusEndpoints'));
  }

  deployments(...[asked, done]: Parameters<Engine['deployments']>): void {
    this.#engine.deployments(asked, this.#guarded(done, 'deployments'));
  }

  workers(...[namespace, asked, done]: Parameters<Engine['workers']>): void {
    this.#engine.workers(namespace, asked, this.#guarded(done, 'workers'));
  }

  /** Whoever throws is told that he did: he has answered nobody yet, or what he answers now is ignored. */
  #guarded<T>(done: Done<T>, asked: string): Done<T> {
    return (error, value) => {
      try {
        done(error, value);
      } catch (thrown) {
        if (!(thrown instanceof Refused)) this.#onFault(thrown, asked);
        try {
          done(thrown instanceof Refused ? thrown.status : FAULT, undefined);
        } catch (again) {
          this.#onFault(again, asked);
        }
      }
    };
  }
}

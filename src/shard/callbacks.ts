// Calls callbacks of closed runs and completed updates, after the commit that says so (I1): reads how the run ended, sends it, and tells the actor what came of it. Holds
// nothing durable: an attempt that is lost with the node is made again when its row is due. Called by delivery.ts.

import { completionRequest } from '../core/nexus/completion.ts';
import { completionTold } from '../core/workflow/callbacks.ts';
import type { CallbackAnswer, CallbackSender } from '../ports/callbacks.ts';
import type { Actor } from './actor.ts';
import type { Actors } from './actors.ts';
import { decodeBatch } from './batches.ts';
import type { Executor } from './executor.ts';
import { readHistory } from './history.ts';
import type { Reader } from './reader.ts';
import type { LeavingEffect } from './turn.ts';

export type CallbackEffect = Extract<LeavingEffect, { type: 'deliverCallback' }>;

export interface CallbacksOptions {
  reader: Reader;
  actors: Actors;
  executor(): Executor;
  onReadFailed(error: unknown): void;
  /** Absent: nobody is called. */
  callbacks?: CallbackSender | undefined;
}

/** Requests of one node under way at once; an attempt beyond them waits for its next one. */
const MAX_UNDER_WAY = 200;

const later = (message: string): CallbackAnswer => ({ failure: { message, retryable: true } });

export class Callbacks {
  readonly #options: CallbacksOptions;
  #underWay = 0;

  constructor(options: CallbacksOptions) {
    this.#options = options;
  }

  deliver(actor: Actor, effect: CallbackEffect): void {
    const { callbacks } = this.#options;
    if (callbacks === undefined) {
      this.#answered(actor, effect, { failure: { message: 'this node calls no callbacks', retryable: true } });
      return;
    }
    if (this.#underWay >= MAX_UNDER_WAY) {
      this.#answered(actor, effect, later(`${MAX_UNDER_WAY} callbacks are being called already`));
      return;
    }
    this.#underWay += 1;
    this.#call(callbacks, actor, effect)
      .catch((error: unknown) => {
        this.#options.onReadFailed(error);
        return later('the history of the closed run could not be read');
      })
      .then((answer) => {
        this.#underWay -= 1;
        this.#answered(actor, effect, answer);
      });
  }

  async #call(sender: CallbackSender, actor: Actor, effect: CallbackEffect): Promise<CallbackAnswer> {
    const { namespace, workflowId, base } = actor;
    const { runId, updateId, closeEventId, callback, callbackId, attempt, timeoutMs } = effect;
    const read = async (id: number) => {
      const page = { runId, from: id, to: id, maximumBytes: 1, edges: 'exact' as const };
      return (await readHistory(this.#options.reader, base, page)).events.flatMap(decodeBatch)[0];
    };
    const [started, event] = [await read(1), await read(closeEventId)];
    const completion = event && completionTold(updateId, event);
    if (started === undefined || event === undefined || completion === undefined) {
      return { failure: { message: `event ${closeEventId} closes no run`, retryable: false } };
    }
    const closed = { namespace, workflowId, runId, startTime: started.eventTime, event, updateId };
    const { headers, body } = completionRequest(closed, completion);
    const { url = '', header = {} } = callback.nexus ?? {};
    return new Promise((resolve) =>
      sender.send({ callbackId, attempt, url, headers: { ...header, ...headers }, body, timeoutMs }, resolve),
    );
  }

  /** A refusal needs no answer: the attempt counts as lost when its row is due. */
  #answered(
    { namespace, workflowId }: Actor,
    { callbackId, attempt }: CallbackEffect,
    { failure }: CallbackAnswer,
  ): void {
    const { actors, executor } = this.#options;
    actors.with(namespace, workflowId, {
      run: (live) => executor().run(live, { type: 'callbackAnswered', callbackId, attempt, failure }, () => undefined),
      refuse: () => undefined,
    });
  }
}

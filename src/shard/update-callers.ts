// Callers that wait for updates, by the id of their call: the core says which is answered (I1: as an effect of a durable turn). Volatile (I4): a crash
// loses them, and a client asks again under the same update id. An outcome that only the history has is read from it.

import type { Message, PollUpdateMessage, UpdateMessage } from '../core/workflow/message.ts';
import type { Reply } from '../core/workflow/outcome.ts';
import type { ActorAddress, Done, UpdateWithStartMessage, Waiting } from '../ports/engine.ts';
import { EventType, UpdateWorkflowExecutionLifecycleStage as Stage } from '../wire/enums.ts';
import type { StartWorkflowExecutionResponse } from '../wire/execution.ts';
import type { Status } from '../wire/status.ts';
import type { UpdateWithStartWorkflowExecutionResponse, UpdateWorkflowExecutionResponse } from '../wire/update.ts';
import type { Actor } from './actor.ts';
import { decodeBatch } from './batches.ts';
import { readHistory } from './history.ts';
import type { Reader } from './reader.ts';
import { exhausted, messageOf, perhaps, unavailable } from './status.ts';
import type { LeavingEffect } from './turn.ts';

export interface UpdateCallersOptions {
  reader: Reader;
  /** Of the node. */
  limit: number;
  submit(to: ActorAddress, message: Message, done: Done<Reply>): void;
  onReadFailed(error: unknown): void;
}

type Answer = Extract<LeavingEffect, { type: 'answerUpdate' }>;

interface Caller {
  to: ActorAddress;
  done: Done<UpdateWorkflowExecutionResponse>;
  /** Of its own message. Until it is there, an answer waits. */
  replied: boolean;
  /** Its message started the workflow, too. */
  starts: boolean;
  answer?: UpdateWorkflowExecutionResponse | undefined;
}

export class UpdateCallers {
  readonly #options: UpdateCallersOptions;
  readonly #callers = new Map<string, Caller>();
  #calls = 0;

  constructor(options: UpdateCallersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#callers.size;
  }

  ask(
    to: ActorAddress,
    message: UpdateMessage | PollUpdateMessage,
    done: Done<UpdateWorkflowExecutionResponse>,
  ): Waiting {
    const callId = this.#named(message.callId);
    return this.#ask(to, { ...message, callId }, callId, done, () => undefined);
  }

  askWithStart(
    to: ActorAddress,
    message: UpdateWithStartMessage,
    done: Done<UpdateWithStartWorkflowExecutionResponse>,
  ): Waiting {
    let start: StartWorkflowExecutionResponse | undefined;
    const answered: Done<UpdateWorkflowExecutionResponse> = (error, update) => {
      if (start === undefined || update === undefined) done(error, undefined);
      else done(undefined, { start, update });
    };
    const callId = this.#named(message.update.callId);
    const named = { ...message, update: { ...message.update, callId } };
    return this.#ask(to, named, callId, answered, (reply) => {
      if (reply.type === 'started') start = reply.response;
    });
  }

  /**
   * Each attempt waits under a name of its own. One request may come twice: where its answer is late, routing tries again, while the first attempt still
   * waits here. Under one name the answer to the first would go to the second, before its own reply, and the end of the first would end both.
   */
  #named(callId: string): string {
    this.#calls += 1;
    return `${callId}/${this.#calls}`;
  }

  #ask(
    to: ActorAddress,
    message: Message,
    callId: string,
    done: Done<UpdateWorkflowExecutionResponse>,
    replied: (reply: Reply) => void,
  ): Waiting {
    if (this.#callers.size >= this.#options.limit) {
      const why = `${this.#callers.size} callers wait for updates on this node: try again later.`;
      done(exhausted('UPDATES', why), undefined);
      return { abandon: () => undefined };
    }
    const caller: Caller = { to, done, replied: false, starts: message.type === 'start' };
    this.#callers.set(callId, caller);
    const { submit } = this.#options;
    submit(to, message, (error, reply) => {
      if (error !== undefined) {
        this.#answer(callId, error, undefined);
        return;
      }
      caller.replied = true;
      if (reply !== undefined) replied(reply);
      if (caller.answer !== undefined) this.#answer(callId, undefined, caller.answer);
    });
    return {
      abandon: () => {
        if (this.#callers.delete(callId)) submit(to, { type: 'updateAbandoned', callId }, () => undefined);
      },
    };
  }

  #answer(callId: string, error: Status | undefined, response: UpdateWorkflowExecutionResponse | undefined): void {
    const caller = this.#callers.get(callId);
    if (caller === undefined) return;
    // A turn that writes nothing ends only once a majority has said that this node still leads. A later turn, which writes what the update came to, may
    // be durable before that.
    if (error === undefined && !caller.replied) {
      caller.answer = response;
      return;
    }
    this.#callers.delete(callId);
    caller.done(error, response);
  }

  leave(actor: Actor, { callId, answer }: Answer): void {
    const caller = this.#callers.get(callId);
    if (caller === undefined) return;
    if ('response' in answer) this.#answer(callId, undefined, answer.response);
    else if ('rejection' in answer)
      this.#answer(callId, caller.starts ? perhaps(answer.rejection) : answer.rejection, undefined);
    else {
      const { runId, updateId, outcomeAt } = answer;
      this.#outcome(actor, runId, outcomeAt).then(
        (outcome) => this.#answer(callId, undefined, { runId, updateId, stage: Stage.COMPLETED, outcome }),
        (error: unknown) => {
          this.#options.onReadFailed(error);
          const what = `The outcome of update ${updateId} of workflow ${actor.workflowId} cannot be read: ${messageOf(error)}`;
          this.#answer(callId, unavailable(what, 'maybe'), undefined);
        },
      );
    }
  }

  /**
   * These workflows are led elsewhere: the actors here, which held the updates, are gone (I4). What was accepted, and what was started with it, is
   * durable, whatever its caller waits for.
   */
  refuse(concerns: (to: ActorAddress) => boolean, why: Status): void {
    for (const [callId, { to }] of [...this.#callers]) if (concerns(to)) this.#answer(callId, perhaps(why), undefined);
  }

  async #outcome(actor: Actor, runId: string, eventId: number): Promise<UpdateWorkflowExecutionResponse['outcome']> {
    const page = { runId, from: eventId, to: eventId, maximumBytes: 1, edges: 'exact' as const };
    const { events } = await readHistory(this.#options.reader, actor.base, page);
    const event = events.flatMap(decodeBatch).find((found) => found.eventId === eventId);
    if (event?.eventType !== EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED) {
      throw new Error(`event ${eventId} of run ${runId} completes no update`);
    }
    return event.attributes.outcome ?? {};
  }
}

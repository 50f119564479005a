// What actors are told of their Nexus operations' tasks and of their callbacks.

import type { Payload } from '../../wire/common.ts';
import type { Failure } from '../../wire/failure.ts';
import type { NexusLink } from '../../wire/nexus.ts';
import type { TaskRef } from './message.ts';

/** What a handler says to a Nexus task. `ended`: the operation itself has failed or was cancelled; `failed`: the handler has. */
export type NexusAnswer =
  | { type: 'completed'; result?: Payload | undefined; links?: NexusLink[] | undefined }
  | { type: 'started'; operationToken: string; links?: NexusLink[] | undefined }
  | { type: 'ended'; failure: Failure }
  | { type: 'cancelTaken' }
  | { type: 'failed'; failure: Failure };

export interface AnswerNexusTaskMessage {
  type: 'answerNexusTask';
  task: TaskRef;
  /** Of the worker that answers: the task was given to it. */
  namespace: string;
  answer: NexusAnswer;
}

/** What came of calling a callback. */
export interface CallbackAnsweredMessage {
  type: 'callbackAnswered';
  callbackId: string;
  attempt: number;
  /** Absent: it took the news. */
  failure?: { message: string; retryable: boolean } | undefined;
}

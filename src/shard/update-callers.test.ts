// Callers of updates, alone: what they are told, whatever order replies, answers and ends come in.
import { describe, expect, it } from 'vitest';
import type { Message } from '../core/workflow/index.ts';
import type { Reply } from '../core/workflow/outcome.ts';
import type { ActorAddress, Done, UpdateWithStartMessage } from '../ports/engine.ts';
import { lsn, shardId } from '../ports/ids.ts';
import {
  UpdateWorkflowExecutionLifecycleStage as Stage,
  WorkflowExecutionStatus,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '../wire/enums.ts';
import type { StartWorkflowExecutionResponse } from '../wire/execution.ts';
import type { Status } from '../wire/status.ts';
import type { UpdateWorkflowExecutionResponse } from '../wire/update.ts';
import { Actor } from './actor.ts';
import { workflowCore } from './core.ts';
import type { Reader } from './reader.ts';
import { Shard } from './shard.ts';
import { unavailable } from './status.ts';
import { UpdateCallers } from './update-callers.ts';

const TO: ActorAddress = { namespace: 'n', workflowId: 'a' };
const ASK = { callId: 'call', until: 'completed', updateId: 'u', updateName: 'add', identity: 'me' } as const;
const WITH_START: UpdateWithStartMessage = {
  ...{ type: 'start', runId: 'run', requestId: 'r', identity: 'me', workflowType: 'T', taskQueue: 'q' },
  reusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
  conflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
  update: ASK,
};
const START: StartWorkflowExecutionResponse = { runId: 'run', started: true, status: WorkflowExecutionStatus.RUNNING };
const UPDATE: UpdateWorkflowExecutionResponse = { runId: 'run', updateId: 'u', stage: Stage.COMPLETED, outcome: {} };

/** The actor is played by the test: it sees what is submitted, and says when the turn ends. */
function callers() {
  const submitted: { message: Message; done: Done<Reply> }[] = [];
  const sut = new UpdateCallers({
    reader: {} as Reader,
    limit: 10,
    submit: (_to, message, done) => submitted.push({ message, done }),
    onReadFailed: (error) => {
      throw error;
    },
  });
  const shard = new Shard(shardId(0), { lastLsn: lsn(0), appliedLsn: lsn(0) });
  const actor = new Actor(shard, 'n', 'a', workflowCore.empty('n', 'a'));
  const at = (i: number) => {
    const found = submitted[i];
    if (found === undefined) throw new Error(`nothing was submitted as number ${i}`);
    return found;
  };
  const callIdOf = (i: number): string => {
    const { message } = at(i);
    if (message.type === 'start' && message.update !== undefined) return message.update.callId;
    if ('callId' in message) return message.callId;
    throw new Error(`a ${message.type} is no call`);
  };
  return {
    sut,
    submitted,
    reply: (i: number, error?: Status): void => {
      if (error === undefined) at(i).done(undefined, { type: 'started', response: START });
      else at(i).done(error, undefined);
    },
    answer: (i: number): void =>
      sut.leave(actor, { type: 'answerUpdate', callId: callIdOf(i), answer: { response: UPDATE } }),
  };
}

interface Told {
  error: Status | undefined;
  value: unknown;
}

describe('an answer that is there before the reply', () => {
  it('waits for it: the caller gets both', () => {
    const { sut, reply, answer } = callers();
    const told: Told[] = [];
    sut.askWithStart(TO, WITH_START, (error, value) => told.push({ error, value }));
    answer(0);
    expect(told).toEqual([]);
    reply(0);
    expect(told).toEqual([{ error: undefined, value: { start: START, update: UPDATE } }]);
    expect(sut.size).toBe(0);
  });

  it('is not given where the turn then fails, nor where the shard leaves', () => {
    for (const end of ['turn', 'shard'] as const) {
      const { sut, reply, answer } = callers();
      const told: Told[] = [];
      const why = unavailable('led elsewhere', 'no');
      sut.askWithStart(TO, WITH_START, (error, value) => told.push({ error, value }));
      answer(0);
      if (end === 'turn') reply(0, why);
      else sut.refuse(() => true, why);
      const error = end === 'turn' ? why : unavailable('led elsewhere', 'maybe');
      expect(told).toEqual([{ error, value: undefined }]);
      if (end === 'shard') reply(0);
      expect(told).toHaveLength(1);
      expect(sut.size).toBe(0);
    }
  });
});

describe('callers whose shard leaves', () => {
  it('hear that what they asked for may be applied: a start, or the acceptance of an update, is durable before its outcome', () => {
    const { sut, reply } = callers();
    const told: Told[] = [];
    sut.askWithStart(TO, WITH_START, (error, value) => told.push({ error, value }));
    sut.ask({ ...TO, workflowId: 'elsewhere' }, { type: 'update', target: {}, ...ASK }, () => told.push());
    reply(0);
    reply(1);
    sut.refuse(({ workflowId }) => workflowId === TO.workflowId, unavailable('led elsewhere', 'no'));
    expect(told).toEqual([{ error: unavailable('led elsewhere', 'maybe'), value: undefined }]);
    expect(sut.size).toBe(1);
  });
});

describe('one request that comes twice', () => {
  it('waits twice: each attempt is answered by what its own turn said', () => {
    const { sut, reply, answer } = callers();
    const told: string[] = [];
    sut.askWithStart(TO, WITH_START, () => told.push('first'));
    sut.askWithStart(TO, WITH_START, () => told.push('second'));
    reply(0);
    answer(0);
    expect(told).toEqual(['first']);
    reply(1);
    answer(1);
    expect(told).toEqual(['first', 'second']);
  });

  it('goes on waiting when its first attempt is given up', () => {
    const { sut, submitted, reply, answer } = callers();
    const told: Told[] = [];
    const message = { type: 'update', target: {}, ...ASK } as const;
    const first = sut.ask(TO, message, () => undefined);
    sut.ask(TO, message, (error, value) => told.push({ error, value }));
    reply(0);
    reply(1);
    first.abandon();
    expect(submitted.map(({ message: { type } }) => type)).toEqual(['update', 'update', 'updateAbandoned']);
    answer(1);
    expect(told).toEqual([{ error: undefined, value: UPDATE }]);
  });
});

// What others may do to an actor, for random lives. Workflows: ask it for something, answer what it asked for, close as its parent or child.
// People: pause, unpause, reset and change its activities.

import { ParentClosePolicy, WorkflowIdReusePolicy } from '../../wire/enums.ts';
import type { ChildClosure, Message, NexusAnswer } from './message.ts';
import { startedTasks } from './state.ts';
import { applicationFailure, payloads, type World } from './testing.ts';

const CLOSURES: readonly ChildClosure[] = [
  { how: 'completed', result: payloads('done') },
  { how: 'failed', failure: applicationFailure('no'), retryState: 5 },
  { how: 'canceled' },
  { how: 'timedOut', retryState: 3 },
  { how: 'terminated' },
];
const POLICIES = [ParentClosePolicy.TERMINATE, ParentClosePolicy.REQUEST_CANCEL] as const;
const PARENT = { namespace: 'default', workflowId: 'parent', runId: 'parent-run' };

export interface RelationStep {
  do: 'other';
  /** What happens. */
  how: number;
  /** Among what is pending. */
  pick: number;
}

/** `n` is unique in the life. Undefined: there is nothing it could be about. */
export function relationMessage(world: World, { how, pick }: RelationStep, n: number): Message | undefined {
  const { run } = world.state;
  const origin = { ...PARENT, initiatedEventId: n };
  const policy = POLICIES[pick % POLICIES.length] ?? ParentClosePolicy.TERMINATE;
  if (how >= 12) return aboutOperation(world, how, pick);
  if (how >= 8) return steering(world, how, pick, n);
  switch (how) {
    case 0:
      return {
        type: 'startChild',
        origin,
        root: PARENT,
        parentClosePolicy: policy,
        identity: '',
        workflowType: 'order',
        taskQueue: 'orders',
        reusePolicy: (pick % 4) + WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      } as Message;
    case 1:
      return { type: 'signalExternal', origin, childWorkflowOnly: pick === 0, signalName: `x${n}` };
    case 2:
      return { type: 'cancelExternal', origin, childWorkflowOnly: pick === 0 };
    case 3: {
      const firstRunId = pick % 3 === 0 ? 'of-another-chain' : (run?.start.attributes.firstExecutionRunId ?? '');
      return { type: 'parentClosed', policy, parent: PARENT, firstRunId };
    }
    case 4:
    case 5:
      return aboutChild(world, how, pick);
    case 6:
      return aboutExternal(world, pick);
    default:
      return aboutNobody(pick);
  }
}

function aboutChild(world: World, how: number, pick: number): Message | undefined {
  const { run } = world.state;
  const children = [...(run?.children.values() ?? [])];
  const child = children[pick % Math.max(1, children.length)];
  if (run === undefined || child === undefined) return undefined;
  const { workflowId, namespace, parentClosePolicy, initiatedEventId } = child;
  const origin = { runId: run.runId, initiatedEventId };
  const firstRunId = `first-of-${workflowId}`;
  if (how % 2 === 1) {
    const closure = CLOSURES[pick % CLOSURES.length] ?? { how: 'terminated' };
    return { type: 'childClosed', origin, child: { workflowId, runId: `last-of-${workflowId}` }, firstRunId, closure };
  }
  if (pick % 4 === 3) return { type: 'childStartFailed', origin, cause: 1 };
  return { type: 'childStarted', origin, child: { namespace, workflowId, runId: firstRunId }, parentClosePolicy };
}

function aboutExternal({ state: { run } }: World, pick: number): Message | undefined {
  const externals = [...(run?.externals.values() ?? [])];
  const external = externals[pick % Math.max(1, externals.length)];
  if (run === undefined || external === undefined) return undefined;
  const origin = { runId: run.runId, initiatedEventId: external.initiatedEventId };
  return { type: 'externalAnswered', origin, refusal: pick % 3 === 0 ? 'workflowNotFound' : undefined };
}

const ANSWERS: readonly NexusAnswer[] = [
  { type: 'completed', result: { data: new Uint8Array([1]) } },
  { type: 'started', operationToken: 'token' },
  { type: 'started', operationToken: 'token' },
  { type: 'ended', failure: applicationFailure('no') },
  { type: 'ended', failure: { message: 'cancelled', canceledFailureInfo: {} } },
  { type: 'cancelTaken' },
  { type: 'failed', failure: { message: 'busy', nexusHandlerFailureInfo: { type: 'UNAVAILABLE' } } },
  { type: 'failed', failure: { message: 'no', nexusHandlerFailureInfo: { type: 'BAD_REQUEST' } } },
];

/** A handler answers a task, or what it began has ended. */
function aboutOperation({ state }: World, how: number, pick: number): Message | undefined {
  const { run } = state;
  const operations = [...(run?.operations.values() ?? [])];
  const operation = operations[pick % Math.max(1, operations.length)];
  if (run === undefined || operation === undefined) return undefined;
  const { facts } = operation;
  if (how === 14) {
    return {
      type: 'nexusOperationEnded',
      origin: { runId: run.runId, initiatedEventId: facts.scheduledEventId },
      requestId: pick % 5 === 0 ? 'guessed' : facts.requestId,
      operationToken: 'token',
      completion:
        pick % 2 ? { state: 'succeeded', result: undefined } : { state: 'failed', failure: { message: 'no' } },
      link: {},
    };
  }
  const started = startedTasks(state).filter(
    ({ scheduledEventId: id }) => id === facts.scheduledEventId || id === facts.cancelRequestedEventId,
  );
  const task = started[pick % Math.max(1, started.length)];
  const answer = ANSWERS[pick % ANSWERS.length];
  if (task === undefined || answer === undefined) return undefined;
  return { type: 'answerNexusTask', task, namespace: pick === 11 ? 'default' : 'billing', answer };
}

/** Answers that come to a run that has closed, or never was. */
function aboutNobody(pick: number): Message {
  const origin = { runId: 'long-gone', initiatedEventId: 5 };
  const child = { namespace: 'default', workflowId: 'c', runId: 'c-run' };
  if (pick % 2 === 0) {
    return { type: 'childStarted', origin, child, parentClosePolicy: ParentClosePolicy.TERMINATE };
  }
  return { type: 'childClosed', origin, child, firstRunId: 'c-run', closure: { how: 'terminated' } };
}

function steering(world: World, how: number, pick: number, n: number): Message | undefined {
  const pending = [...(world.state.run?.activities.values() ?? [])];
  const chosen = pending[pick % Math.max(1, pending.length)];
  if (chosen === undefined) return undefined;
  const activities = pick % 3 === 0 ? { all: true as const } : { id: chosen.facts.activityId };
  const odd = pick % 2 === 1;
  const common = { target: {}, activities };
  const later = { jitter: odd ? 700 : 0, jitterSeed: n };
  switch (how) {
    case 8:
      return { type: 'pauseActivity', ...common, identity: 'operator', reason: 'why', requestId: `p${n}` };
    case 9:
      return { type: 'unpauseActivity', ...common, ...later, resetAttempts: odd, resetHeartbeats: pick % 4 < 2 };
    case 10: {
      const restoreOriginalOptions = pick % 5 === 0;
      return {
        type: 'resetActivity',
        ...common,
        ...later,
        restoreOriginalOptions,
        keepPaused: odd,
        resetHeartbeats: pick % 4 < 2,
      };
    }
    default: {
      const change = {
        taskQueue: odd ? 'elsewhere' : 'orders',
        heartbeatTimeout: 900,
        retryPolicy: { initialInterval: 300 },
      };
      return { type: 'updateActivityOptions', ...common, change: pick % 5 === 0 ? 'restoreOriginal' : change };
    }
  }
}

// Steps of a worker that does what the sequence says: it polls where both servers show that something waits, and answers by plan.

import { setTimeout as delay } from 'node:timers/promises';
import { apiRoot } from '../../../src/frontend/grpc/proto/descriptors.ts';
import { at } from '../pair.ts';
import type { Plain, Ref } from '../side.ts';
import { failure, payloads, seconds, taskQueue } from '../values.ts';
import { type Act, described, PAUSED, TASK_SCHEDULED, workflowId, workflowQueue } from './act.ts';
import { commandsOf } from './commands.ts';
import type { Options } from './step.ts';
import { type Bodies, namespace, Parted, type World } from './world.ts';

const identity = 'worker';

interface Task {
  readonly token: Ref;
  readonly bodies: Bodies;
}
/** What a worker of a play holds. */
interface Held {
  readonly tasks: Map<number, Task>;
  /** The latest of each activity. */
  readonly activities: Map<string, Ref>;
  /** Updates that were accepted and not completed, of each workflow. */
  readonly updates: Map<number, Set<string>>;
}

const held = new WeakMap<World, Held>();
function heldBy(world: World): Held {
  const known = held.get(world) ?? { tasks: new Map(), activities: new Map(), updates: new Map() };
  held.set(world, known);
  return known;
}

const pollOf = (queue: string): Plain => ({ namespace, identity, taskQueue: taskQueue(queue) });

export async function poll(world: World, on: number): Promise<void> {
  const { pendingWorkflowTask: task, workflowExecutionInfo: info } = described(world, on);
  const waits = task?.state === TASK_SCHEDULED && info?.status !== PAUSED;
  if (!waits && !world.waitsFor('QueryWorkflow')) return;
  const bodies = await world.poll('PollWorkflowTaskQueue', pollOf(workflowQueue(world, on)));
  if (bodies === undefined || bodies[0].taskToken === undefined) return;
  if (bodies[0].query === undefined) hold(world, on, bodies);
  else await answerQuery(world, world.keep(bodies, 'taskToken'));
}

/** A workflow task, as a poll or another answer brings it. */
export function hold(world: World, on: number, bodies: Bodies): void {
  heldBy(world).tasks.set(on, { token: world.keep(bodies, 'taskToken'), bodies });
}

/** What both answers have at a path; undefined where one has nothing. */
export function bothAt([a, b]: Bodies, path: string): Bodies | undefined {
  const both = [at(a, path), at(b, path)];
  // Parts of bodies are bodies, and neither is missing.
  return both.includes(undefined) ? undefined : (both as unknown as Bodies);
}

async function answerQuery(world: World, taskToken: Ref): Promise<void> {
  const answer = { namespace, taskToken, completedType: 1, queryResult: payloads };
  await world.call('RespondQueryTaskCompleted', answer);
}

const any = (type: string, value: Plain): Plain => {
  const found = apiRoot().lookupType(`temporal.api.update.v1.${type}`);
  return {
    type_url: `type.googleapis.com/temporal.api.update.v1.${type}`,
    value: found.encode(found.create(value)).finish(),
  };
};

interface Answered {
  readonly messages: Plain[];
  readonly commands: Plain[];
}

/** What is said to the requests of a task, and to those accepted before. */
function updatesOf(updates: Set<string>, [body]: Bodies, plan: unknown): Answered {
  const messages: Plain[] = [];
  const commands: Plain[] = [];
  const say = (id: string, protocolInstanceId: string, body: Plain): void => {
    messages.push({ id, protocolInstanceId, body });
    commands.push({ commandType: 14, protocolMessageCommandAttributes: { messageId: id } });
  };
  for (const { id, protocolInstanceId, eventId } of (body.messages ?? []) as Plain[]) {
    const name = String(protocolInstanceId);
    if (plan === 'reject') {
      const about = { rejectedRequestMessageId: id, rejectedRequestSequencingEventId: eventId, failure };
      messages.push({ id: `${name}/no`, protocolInstanceId, body: any('Rejection', about) });
    } else if (plan !== 'ignore') {
      updates.add(name);
      const about = { acceptedRequestMessageId: id, acceptedRequestSequencingEventId: eventId };
      say(`${name}/yes`, name, any('Acceptance', about));
    }
  }
  if (plan !== 'complete' && plan !== 'break') return { messages, commands };
  const outcome = plan === 'complete' ? { success: payloads } : { failure };
  for (const name of updates)
    say(`${name}/done`, name, any('Response', { meta: { updateId: name, identity: 'somebody' }, outcome }));
  updates.clear();
  return { messages, commands };
}

/** Until a timer of one second has fired on both. */
const SHORT_MS = 2_200;
const CLOSES = /^(complete|fail|cancelWorkflow|continueAsNew)/;

async function answer(world: World, on: number, options: Options): Promise<void> {
  const { tasks, updates } = heldBy(world);
  const task = tasks.get(on);
  if (task === undefined) return;
  tasks.delete(on);
  const open = updates.get(on) ?? new Set();
  updates.set(on, open);
  const said = updatesOf(open, task.bodies, options.updates);
  const asked = (options.commands ?? []) as readonly string[];
  const commands = asked.flatMap((text) => commandsOf(world, on, task.bodies, text));
  if (asked.some((text) => CLOSES.test(text))) open.clear();
  const queryResult = { resultType: 1, answer: payloads };
  const answered = ({ queries }: Plain): Plain => ({
    ...{ namespace, identity, taskToken: task.token, messages: said.messages },
    commands: [...said.commands, ...commands],
    forceCreateNewWorkflowTask: options.again === true,
    returnNewWorkflowTask: options.next === true,
    queryResults: Object.fromEntries(Object.keys(queries ?? {}).map((id) => [id, queryResult])),
  });
  const [reference, ours] = task.bodies;
  const bodies = await world.call('RespondWorkflowTaskCompleted', [answered(reference), answered(ours)]);
  if (bodies === undefined) {
    // A task that fails again: the reference leaves it to its timeout, here it is given out again, each time later.
    if (Number(reference.attempt) > 1) throw new Parted();
    return;
  }
  const next = bothAt(bodies, 'workflowTask');
  if (next?.[0].taskToken !== undefined) hold(world, on, next);
  for (let i = 0; ; i += 1) {
    const eager = bothAt(bodies, `activityTasks.${i}`);
    if (eager === undefined) break;
    holdActivity(world, on, eager);
  }
  if (asked.includes('shortTimer')) await delay(SHORT_MS);
}

async function pollActivity(world: World, on: number): Promise<void> {
  const { pendingActivities = [], workflowExecutionInfo: info } = described(world, on);
  if (info?.status === PAUSED) return;
  const ready = pendingActivities.some(
    ({ state, nextAttemptScheduleTime: next }) => state === 'PENDING_ACTIVITY_STATE_SCHEDULED' && !isLater(next),
  );
  if (!ready) return;
  const bodies = await world.poll('PollActivityTaskQueue', pollOf(workflowQueue(world, on)));
  if (bodies?.[0].taskToken !== undefined) holdActivity(world, on, bodies);
}

function holdActivity(world: World, on: number, bodies: Bodies): void {
  heldBy(world).activities.set(`${on} ${String(bodies[0].activityId)}`, world.keep(bodies, 'taskToken'));
}

const isLater = (time: unknown): boolean =>
  Number((time as { seconds?: number } | undefined)?.seconds ?? 0) > Date.now() / 1_000 + 5;

/** Of an activity by its token or by its ids. */
async function ofActivity(world: World, on: number, { id, by }: Options, what: string, more: Plain): Promise<void> {
  const request = { namespace, identity, ...more };
  if (by === 'id') {
    const ids = { workflowId: workflowId(world, on), activityId: `a${id}` };
    await world.call(`${what}ById`, { ...request, ...ids });
    return;
  }
  const taskToken = heldBy(world).activities.get(`${on} a${id}`);
  if (taskToken !== undefined) await world.call(what, { ...request, taskToken });
}

const onActivity = (world: World, on: number, { id }: Options): Plain => ({
  ...{ namespace, identity: 'somebody', execution: { workflowId: workflowId(world, on) } },
  ...(typeof id === 'string' ? { type: `Act${id}` } : { id: `a${id}` }),
});

export const WORKER_STEPS: Readonly<Record<string, Act>> = {
  poll,
  answer,
  /** Most tasks are answered before anything else comes. */
  async work(world, on, options) {
    await poll(world, on);
    await answer(world, on, options);
  },
  async failTask(world, on, { cause }) {
    const { tasks } = heldBy(world);
    const task = tasks.get(on);
    if (task === undefined) return;
    tasks.delete(on);
    await world.call('RespondWorkflowTaskFailed', { namespace, identity, taskToken: task.token, cause, failure });
  },
  pollActivity,
  completeActivity: (world, on, options) =>
    ofActivity(world, on, options, 'RespondActivityTaskCompleted', { result: payloads }),
  failActivity: (world, on, options) => {
    const { retried } = options;
    const applicationFailureInfo = { type: 'Broken', nonRetryable: retried === false };
    return ofActivity(world, on, options, 'RespondActivityTaskFailed', {
      failure: { ...failure, applicationFailureInfo },
    });
  },
  cancelActivity: (world, on, options) =>
    ofActivity(world, on, options, 'RespondActivityTaskCanceled', { details: payloads }),
  heartbeat: (world, on, options) =>
    ofActivity(world, on, options, 'RecordActivityTaskHeartbeat', { details: payloads }),
  async pauseActivity(world, on, options) {
    await world.call('PauseActivity', { ...onActivity(world, on, options), reason: 'why' });
  },
  async unpauseActivity(world, on, options) {
    const { attempts = false, heartbeat = false } = options;
    const request = { ...onActivity(world, on, options), resetAttempts: attempts, resetHeartbeat: heartbeat };
    await world.call('UnpauseActivity', request);
  },
  async resetActivity(world, on, options) {
    const { heartbeat = false, keep = false, restore = false } = options;
    const how = { resetHeartbeat: heartbeat, keepPaused: keep, restoreOriginalOptions: restore };
    await world.call('ResetActivity', { ...onActivity(world, on, options), ...how });
  },
  async setActivityOptions(world, on, options) {
    const change =
      options.restore === true
        ? { restoreOriginal: true }
        : {
            activityOptions: { heartbeatTimeout: seconds(500), retryPolicy: { maximumAttempts: 7 } },
            updateMask: { paths: ['heartbeat_timeout', 'retry_policy.maximum_attempts'] },
          };
    await world.call('UpdateActivityOptions', { ...onActivity(world, on, options), ...change });
  },
};

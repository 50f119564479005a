// Steps of activities without a workflow and of schedules.

import { at } from '../pair.ts';
import type { Plain } from '../side.ts';
import { failure, payload, payloads, seconds, taskQueue } from '../values.ts';
import type { Act } from './act.ts';
import type { Options } from './step.ts';
import { namespace, type World } from './world.ts';

const identity = 'somebody';
/** A call that waits has come to where it waits. */
const ARRIVES_MS = 300;
const LONG = seconds(3_600);
const YEAR = 365 * 86_400;
/** Long before anything that a schedule does now: 2020. */
const PAST = 50 * YEAR;

const activityId = (world: World, on: number): string => world.id('a', on);
const activityQueue = (world: World, on: number): string => world.id('aq', on);
const scheduleId = (world: World, on: number): string => world.id('schedule', on);

const ofActivity =
  (method: string, more: (options: Options) => Plain = () => ({})): Act =>
  async (world, on, options) => {
    await world.call(method, { namespace, identity, activityId: activityId(world, on), ...more(options) });
  };

/** As a worker that knows no token: an empty workflow id means an activity without a workflow. */
const byIds = (method: string, more: (options: Options) => Plain): Act => ofActivity(method, more);

interface Info {
  readonly runState?: string;
  readonly nextAttemptScheduleTime?: { readonly seconds?: number };
}

async function pollStandalone(world: World, on: number): Promise<void> {
  const { info } = (world.last(`activity ${on}`) ?? {}) as { info?: Info };
  const next = Number(info?.nextAttemptScheduleTime?.seconds ?? 0);
  if (info?.runState !== 'PENDING_ACTIVITY_STATE_SCHEDULED' || next > Date.now() / 1_000 + 5) return;
  await world.poll('PollActivityTaskQueue', { namespace, identity, taskQueue: taskQueue(activityQueue(world, on)) });
}

function scheduleOf(world: World, on: number, { overlap, paused, limited }: Options): Plain {
  const startWorkflow = {
    ...{ workflowId: world.id('scheduled', on), workflowType: { name: 'Scheduled' }, input: payloads },
    taskQueue: taskQueue(world.id('sq', on)),
  };
  return {
    spec: { interval: [{ interval: seconds(YEAR), phase: seconds(86_400 * 200) }] },
    action: { startWorkflow },
    policies: { overlapPolicy: overlap },
    state: {
      paused: paused === true,
      notes: 'note',
      ...(limited === true && { limitedActions: true, remainingActions: 1 }),
    },
  };
}

const ofSchedule =
  (method: string, more: (world: World, on: number, options: Options) => Plain): Act =>
  async (world, on, options) => {
    await world.call(method, { namespace, identity, scheduleId: scheduleId(world, on), ...more(world, on, options) });
  };

export const OTHER_STEPS: Readonly<Record<string, Act>> = {
  async startStandalone(world, on, { reuse, conflict, attempts, delay }) {
    await world.call('StartActivityExecution', {
      ...{ namespace, identity, requestId: world.pair.fresh('request'), activityId: activityId(world, on) },
      ...{ activityType: { name: 'Act' }, taskQueue: taskQueue(activityQueue(world, on)), input: payloads },
      ...{
        startToCloseTimeout: LONG,
        heartbeatTimeout: seconds(1_000),
        idReusePolicy: reuse,
        idConflictPolicy: conflict,
      },
      retryPolicy: { initialInterval: LONG, maximumInterval: LONG, backoffCoefficient: 1, maximumAttempts: attempts },
      ...(delay === true && { startDelay: LONG }),
    });
    const all = { includeInput: true, includeOutcome: true, includeHeartbeatDetails: true, includeLastFailure: true };
    world.watch(`activity ${on}`, 'DescribeActivityExecution', {
      namespace,
      activityId: activityId(world, on),
      ...all,
    });
  },
  pollStandalone,
  completeStandalone: byIds('RespondActivityTaskCompletedById', () => ({ result: payloads })),
  failStandalone: byIds('RespondActivityTaskFailedById', ({ retried }) => ({
    failure: { ...failure, applicationFailureInfo: { type: 'Broken', nonRetryable: retried === false } },
  })),
  cancelStandalone: byIds('RespondActivityTaskCanceledById', () => ({ details: payloads })),
  heartbeatStandalone: byIds('RecordActivityTaskHeartbeatById', () => ({ details: payloads })),
  requestCancelStandalone: ofActivity('RequestCancelActivityExecution', () => ({ reason: 'why' })),
  terminateStandalone: ofActivity('TerminateActivityExecution', () => ({ reason: 'why' })),
  deleteStandalone: ofActivity('DeleteActivityExecution'),
  pauseStandalone: ofActivity('PauseActivityExecution', () => ({ reason: 'why' })),
  unpauseStandalone: ofActivity('UnpauseActivityExecution', () => ({ reason: 'well' })),
  resetStandalone: ofActivity('ResetActivityExecution', ({ heartbeat = false, keep = false, restore = false }) => ({
    ...{ resetHeartbeat: heartbeat, keepPaused: keep, restoreOriginalOptions: restore },
  })),
  setStandaloneOptions: ofActivity('UpdateActivityExecutionOptions', ({ restore }) =>
    restore === true
      ? { restoreOriginal: true }
      : { activityOptions: { heartbeatTimeout: seconds(500) }, updateMask: { paths: ['heartbeat_timeout'] } },
  ),
  async awaitStandalone(world, on) {
    await world.begin('PollActivityExecution', { namespace, activityId: activityId(world, on) });
    await new Promise((resolve) => setTimeout(resolve, ARRIVES_MS));
  },
  async listStandalone(world) {
    const query = `ActivityId IN (${[0, 1].map((on) => `'${activityId(world, on)}'`).join(', ')})`;
    await world.eventually('ListActivityExecutions', { namespace, query, pageSize: 20 });
    await world.eventually('CountActivityExecutions', { namespace, query });
  },

  async createSchedule(world, on, options) {
    await world.call('CreateSchedule', {
      ...{ namespace, identity, scheduleId: scheduleId(world, on), requestId: world.pair.fresh('request') },
      ...{ schedule: scheduleOf(world, on, options), memo: { fields: { key: payload } } },
      ...(options.trigger === true && { initialPatch: { triggerImmediately: {} } }),
    });
    world.watch(`schedule ${on}`, 'DescribeSchedule', { namespace, scheduleId: scheduleId(world, on) });
  },
  updateSchedule: ofSchedule('UpdateSchedule', (world, on, options) => ({ schedule: scheduleOf(world, on, options) })),
  pauseSchedule: ofSchedule('PatchSchedule', () => ({ patch: { pause: 'stop' } })),
  unpauseSchedule: ofSchedule('PatchSchedule', () => ({ patch: { unpause: 'go' } })),
  triggerSchedule: ofSchedule('PatchSchedule', (_world, _on, { overlap }) => ({
    patch: { triggerImmediately: { overlapPolicy: overlap } },
  })),
  backfillSchedule: ofSchedule('PatchSchedule', (_world, _on, { overlap, years }) => ({
    patch: {
      backfillRequest: [
        { startTime: seconds(PAST), endTime: seconds(PAST + YEAR * Number(years)), overlapPolicy: overlap },
      ],
    },
  })),
  /** What runs of it, ends: what waits may begin. */
  async endScheduled(world, on) {
    const described = world.lasts(`schedule ${on}`);
    const path = 'info.runningWorkflows.0';
    if (described === undefined || described.some((body) => at(body, path) === undefined)) return;
    const workflowExecution = world.keep(described, path);
    await world.call('TerminateWorkflowExecution', { namespace, identity, workflowExecution, reason: 'why' });
  },
  deleteSchedule: ofSchedule('DeleteSchedule', () => ({})),
  async listSchedules(world) {
    const query = `ScheduleId IN (${[0, 1].map((on) => `'${scheduleId(world, on)}'`).join(', ')})`;
    await world.eventually('ListSchedules', { namespace, query, maximumPageSize: 20 });
    await world.eventually('CountSchedules', { namespace, query });
  },
};

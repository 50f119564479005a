// Of schedules.

import type { Pair } from '../pair.ts';
import type { Plain } from '../side.ts';
import { payload, payloads, seconds, taskQueue } from '../values.ts';
import { identity, namespace, type Template, type Templates } from './template.ts';

const scheduleOf = (pair: Pair): Plain => ({
  spec: { interval: [{ interval: seconds(3_600), phase: {} }] },
  action: {
    startWorkflow: {
      ...{
        workflowId: pair.fresh('scheduled'),
        workflowType: { name: 'Type' },
        taskQueue: taskQueue(pair.fresh('queue')),
      },
      input: payloads,
    },
  },
  policies: { overlapPolicy: 1, catchupWindow: seconds(60) },
  state: { paused: true, notes: 'note' },
});

async function schedule(pair: Pair): Promise<string> {
  const scheduleId = pair.fresh('schedule');
  const requestId = pair.fresh('request');
  await pair.prepare('CreateSchedule', { namespace, identity, scheduleId, requestId, schedule: scheduleOf(pair) });
  return scheduleId;
}

const describeSchedule = (scheduleId: string): readonly (readonly [string, Plain])[] => [
  ['DescribeSchedule', { namespace, scheduleId }],
];

const onSchedule =
  (more: (pair: Pair) => Plain = () => ({})): Template =>
  async (pair) => {
    const scheduleId = await schedule(pair);
    return { request: { namespace, identity, scheduleId, ...more(pair) }, after: describeSchedule(scheduleId) };
  };

export const SCHEDULES_REQUESTS: Templates = {
  CreateSchedule: (pair) => {
    const scheduleId = pair.fresh('schedule');
    const request = { namespace, identity, scheduleId, requestId: pair.fresh('request'), schedule: scheduleOf(pair) };
    return { request: { ...request, memo: { fields: { k: payload } } }, after: describeSchedule(scheduleId) };
  },
  DescribeSchedule: onSchedule(),
  UpdateSchedule: onSchedule((pair) => ({ schedule: scheduleOf(pair), requestId: 'r' })),
  PatchSchedule: [
    onSchedule(() => ({ patch: { unpause: 'go' }, requestId: 'r' })),
    onSchedule(() => ({ patch: { pause: 'stop' } })),
  ],
  ListScheduleMatchingTimes: onSchedule(() => ({ startTime: seconds(1_700_000_000), endTime: seconds(1_700_100_000) })),
  DeleteSchedule: onSchedule(),
  ListSchedules: (pair) => ({
    request: { namespace, maximumPageSize: 10, query: `ScheduleId = '${pair.fresh('none')}'` },
  }),
  CountSchedules: (pair) => ({ request: { namespace, query: `ScheduleId = '${pair.fresh('none')}'` } }),
};

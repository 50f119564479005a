// Schedules: the native door's, but that types and queues of what they start are messages with a name.

import { TaskQueueKind } from '../../../wire/enums.ts';
import type { Schedule } from '../../../wire/schedule.ts';
import { StatusCode } from '../../../wire/status.ts';
import { invalid } from '../../validate/check.ts';
import { altered, answering } from '../altered-call.ts';
import { type Message, nameIn, native, nothing, part, rpc, runNative, text } from '../rpc.ts';

/** Zones are those of this server, by their names: times of another one would be wrong, silently. */
function checkZone({ timezoneData }: Message): void {
  if (given(timezoneData) === undefined) return;
  throw invalid('Invalid schedule spec: time zone data is not read here: name the zone (timezone_name).');
}

/** With what a schedule starts, if it says so, as the native door has it. */
function inward(schedule: unknown): object | undefined {
  if (schedule === undefined) return undefined;
  // Decoded by its descriptor.
  const message = schedule as Message;
  checkZone(part(message, 'spec'));
  const action = part(message, 'action');
  if (action.startWorkflow === undefined) return message;
  const workflow = part(action, 'startWorkflow');
  const startWorkflow = {
    ...workflow,
    workflowType: nameIn(workflow, 'workflowType'),
    taskQueue: nameIn(workflow, 'taskQueue'),
  };
  return { ...message, action: { startWorkflow } };
}

function outward(schedule: Schedule): object {
  const startWorkflow = schedule.action?.startWorkflow;
  if (startWorkflow === undefined) return schedule;
  const { workflowType, taskQueue } = startWorkflow;
  return {
    ...schedule,
    action: {
      startWorkflow: {
        ...startWorkflow,
        workflowType: { name: workflowType },
        taskQueue: { name: taskQueue, kind: TaskQueueKind.NORMAL },
      },
    },
  };
}

const withSchedule = (request: Message): Message => ({
  ...request,
  schedule: inward(request.schedule),
  // A field of bytes that was not given is none.
  conflictToken: given(request.conflictToken),
});

const given = (bytes: unknown): Uint8Array | undefined =>
  bytes instanceof Uint8Array && bytes.length > 0 ? bytes : undefined;

export const CreateSchedule = native('createSchedule', withSchedule);

/** In the words by which newer clients of the reference server know it, and try again. */
const CONFLICT = { code: StatusCode.FAILED_PRECONDITION, message: 'mismatched conflict token' };

export const UpdateSchedule = rpc((services, caller, request, call) =>
  runNative(
    'updateSchedule',
    services,
    caller,
    withSchedule(request),
    altered(answering(call, nothing), {
      refuse: (status) => call.refuse(status.code === StatusCode.FAILED_PRECONDITION ? CONFLICT : status),
    }),
  ),
);
/** Why a schedule is paused, or goes on: in bytes. */
const MAX_NOTE_BYTES = 1_000;

/** A patch of nothing is a mistake of its caller, and so is a note that nobody reads to its end. */
export function checkPatch(request: Message): Message {
  if (request.patch === undefined) throw invalid('Patch is not set on request.');
  const patch = part(request, 'patch');
  const notes = [text(patch, 'pause'), text(patch, 'unpause')];
  if (notes.some((note) => Buffer.byteLength(note) > MAX_NOTE_BYTES)) throw invalid('Schedule notes exceeds limit.');
  return request;
}

export const PatchSchedule = native('patchSchedule', checkPatch, nothing);
export const DeleteSchedule = native('deleteSchedule', undefined, nothing);
export const ListScheduleMatchingTimes = native('listScheduleMatchingTimes');
export const CountSchedules = native('countSchedules');

export const DescribeSchedule = native('describeSchedule', undefined, (reply) => ({
  ...reply,
  schedule: outward(reply.schedule),
}));

export const ListSchedules = native(
  'listSchedules',
  (request) => ({ ...request, nextPageToken: given(request.nextPageToken) }),
  ({ schedules, nextPageToken }) => ({
    schedules: schedules.map(({ info, ...entry }) => ({
      ...entry,
      info: { ...info, workflowType: info.workflowType === undefined ? undefined : { name: info.workflowType } },
    })),
    nextPageToken,
  }),
);

// Schedules by their id: create, describe, update, patch, delete, and when one would be due. Each is a message to the schedule's actor.

import { scheduleAddress } from '../../core/schedule/address.ts';
import type { ScheduleDefinition, ScheduleMessage } from '../../core/schedule/message.ts';
import { attributesTooLarge } from '../../core/workflow/attribute-sizes.ts';
import type { Reply } from '../../core/workflow/outcome.ts';
import type { Memo, SearchAttributes } from '../../wire/common.ts';
import { ScheduleOverlapPolicy, WorkflowIdReusePolicy } from '../../wire/enums.ts';
import type {
  DeleteScheduleRequest,
  DescribeScheduleResponse,
  ListScheduleMatchingTimesRequest,
  PatchScheduleRequest,
  SchedulePatch,
  ScheduleTarget,
} from '../../wire/schedule.ts';
import { StatusCode } from '../../wire/status.ts';
import { withNames } from '../attribute-names.ts';
import { type Call, type Caller, method, type Services } from '../door.ts';
import { checkFlow } from '../flow-starts.ts';
import { covers, stamp } from '../search-attributes.ts';
import { bytes, defaulted, integer, invalid, object, optional, Refused, string } from '../validate/check.ts';
import * as common from '../validate/common.ts';
import * as rules from '../validate/rules.ts';
import * as schedules from '../validate/schedules.ts';

const EMPTY = Object.freeze({});
/** Characters of a note. */
const MAX_NOTE_LENGTH = 2_000;
/** Runs are named by the action's workflow id and a time like this one. */
const TIME_OF_A_RUN = '-2009-11-10T23:00:00Z';
const EARLIEST_MS = 0;
const LATEST_MS = Date.UTC(2101, 0, 1);
const POLICIES: ReadonlySet<number> = new Set(Object.values(ScheduleOverlapPolicy));

const target = { namespace: defaulted(string, ''), scheduleId: defaulted(string, '') };
const changing = { ...target, identity: defaulted(string, ''), requestId: defaulted(string, '') };

function checkTarget(services: Services, caller: Caller, { namespace, scheduleId }: ScheduleTarget): void {
  const { limits, reference } = services;
  rules.namespace(services, caller, namespace);
  // The reference server takes an empty one.
  if (reference === undefined) rules.present(limits, 'ScheduleId', scheduleId);
  else rules.within(limits, 'ScheduleId', scheduleId);
}

function checkNote(note: string | undefined): void {
  if (note !== undefined && note.length > MAX_NOTE_LENGTH)
    throw invalid(`A note has at most ${MAX_NOTE_LENGTH} characters, not ${note.length}.`);
}

function checkPolicy(policy: ScheduleOverlapPolicy | undefined): void {
  if (policy !== undefined && !POLICIES.has(policy)) throw invalid(`There is no overlap policy ${policy}.`);
}

function checkDefinition({ limits, reference }: Services, { spec, action, policies, state }: ScheduleDefinition): void {
  // As it is kept: a text of two characters is a range with three fields.
  rules.blob(limits, spec);
  checkPolicy(policies.overlapPolicy);
  rules.duration('CatchupWindow', policies.catchupWindow);
  checkNote(state.notes);
  if ((state.remainingActions ?? 0) < 0) throw invalid('RemainingActions cannot be negative.');
  const { startWorkflow: workflow } = action;
  if (workflow === undefined) {
    // There a schedule may have nothing to do.
    if (reference === undefined) throw invalid('A schedule needs an action: startWorkflow is not set.');
    return;
  }
  rules.within(limits, 'WorkflowId', workflow.workflowId + TIME_OF_A_RUN);
  rules.present(limits, 'WorkflowType', workflow.workflowType);
  rules.taskQueueName(limits, workflow.taskQueue);
  if (workflow.cronSchedule) throw invalid('CronSchedule of a scheduled workflow is not allowed: the schedule has it.');
  const { workflowIdReusePolicy: reuse = 0 } = workflow;
  if (reuse !== WorkflowIdReusePolicy.UNSPECIFIED && reuse !== WorkflowIdReusePolicy.ALLOW_DUPLICATE)
    throw invalid('WorkflowIdReusePolicy of a scheduled workflow must be ALLOW_DUPLICATE.');
  rules.duration('WorkflowExecutionTimeout', workflow.workflowExecutionTimeout);
  rules.duration('WorkflowRunTimeout', workflow.workflowRunTimeout);
  rules.duration('WorkflowTaskTimeout', workflow.workflowTaskTimeout);
  // The reference server takes any, and starts nothing: what is wrong is said when the schedule is described.
  if (reference === undefined) rules.retryPolicy(workflow.retryPolicy);
  rules.priority(workflow.priority);
  checkFlow(workflow.flowControl, 'unattended');
  for (const blob of [workflow.input, workflow.memo, workflow.header]) rules.blob(limits, blob);
}

function checkPatch({ triggerImmediately, backfillRequest = [], pause, unpause }: SchedulePatch): void {
  checkNote(pause);
  checkNote(unpause);
  checkPolicy(triggerImmediately?.overlapPolicy);
  checkTime('ScheduledTime', triggerImmediately?.scheduledTime ?? 0);
  for (const { overlapPolicy, startTime, endTime } of backfillRequest) {
    checkPolicy(overlapPolicy);
    checkTime('StartTime', startTime);
    checkTime('EndTime', endTime);
  }
}

function checkTime(label: string, ms: number): void {
  if (ms < EARLIEST_MS || ms > LATEST_MS)
    throw invalid(`${label} is epoch milliseconds up to the year 2100, not ${ms}.`);
}

/** Says it to the schedule's actor; `answer` gets its reply. */
function submit(
  services: Services,
  { namespace, scheduleId }: ScheduleTarget,
  message: ScheduleMessage,
  call: Call,
  answer: (reply: Reply) => object = () => EMPTY,
): void {
  services.engine.submit({ namespace, workflowId: scheduleAddress(scheduleId) }, message, (error, reply) => {
    if (error !== undefined) call.refuse(error);
    else if (reply !== undefined) call.reply(answer(reply));
  });
}

/** Types are stamped on the attributes of the schedule and on those of its runs, which have to be registered. */
function stamped(
  services: Services,
  namespace: string,
  schedule: ScheduleDefinition,
  own: SearchAttributes | undefined,
  call: Call,
  go: (schedule: ScheduleDefinition, own: SearchAttributes | undefined) => void,
): void {
  const { startWorkflow } = schedule.action;
  const ofRuns = startWorkflow?.searchAttributes;
  for (const attributes of [own, ofRuns]) {
    const tooLarge = attributesTooLarge(attributes?.indexedFields ?? {}, services.limits);
    if (tooLarge !== undefined) throw invalid(tooLarge);
  }
  const both = { indexedFields: { ...own?.indexedFields, ...ofRuns?.indexedFields } };
  services.attributes.with(namespace, covers(both), (failure, types) => {
    if (failure !== undefined) {
      call.refuse(failure);
      return;
    }
    const [mine, runs] = [stamp(namespace, own, types), stamp(namespace, ofRuns, types)];
    if ('problem' in mine) call.refuse(invalid(mine.problem).status);
    else if ('problem' in runs) call.refuse(invalid(runs.problem).status);
    else if (startWorkflow === undefined || runs.attributes === undefined) go(schedule, mine.attributes);
    else {
      const action = { startWorkflow: { ...startWorkflow, searchAttributes: runs.attributes } };
      go({ ...schedule, action }, mine.attributes);
    }
  });
}

interface Creation extends ScheduleTarget {
  schedule: ScheduleDefinition;
  initialPatch?: SchedulePatch | undefined;
  memo?: Memo | undefined;
  searchAttributes?: SearchAttributes | undefined;
  requestId: string;
}

const NEW: ScheduleDefinition = { spec: {}, action: {}, policies: {}, state: {} };

export const createSchedule = method(
  object<Creation>({
    ...changing,
    schedule: defaulted(schedules.schedule, NEW),
    initialPatch: optional(schedules.patch),
    memo: optional(common.memo),
    searchAttributes: optional(common.searchAttributes),
  }),
  (services, caller, request, call) => {
    checkTarget(services, caller, request);
    const { namespace, requestId, schedule, initialPatch, memo, searchAttributes } = request;
    rules.present(services.limits, 'RequestId', requestId);
    checkDefinition(services, schedule);
    if (initialPatch !== undefined) checkPatch(initialPatch);
    rules.blob(services.limits, memo);
    stamped(services, namespace, schedule, searchAttributes, call, (complete, own) => {
      const message: ScheduleMessage = {
        type: 'createSchedule',
        requestId,
        incarnation: services.random.uuid(),
        schedule: complete,
        patch: initialPatch,
        memo,
        searchAttributes: own,
      };
      submit(services, request, message, call, (reply) =>
        reply.type === 'scheduleChanged' ? { conflictToken: reply.conflictToken } : EMPTY,
      );
    });
  },
);

interface Replacement extends Creation {
  conflictToken?: Uint8Array | undefined;
}

export const updateSchedule = method(
  object<Omit<Replacement, 'initialPatch'>>({
    ...changing,
    schedule: defaulted(schedules.schedule, NEW),
    conflictToken: optional(bytes),
    memo: optional(common.memo),
    searchAttributes: optional(common.searchAttributes),
  }),
  (services, caller, request, call) => {
    checkTarget(services, caller, request);
    const { namespace, requestId, schedule, conflictToken, memo, searchAttributes } = request;
    rules.within(services.limits, 'RequestId', requestId);
    checkDefinition(services, schedule);
    rules.blob(services.limits, memo);
    stamped(services, namespace, schedule, searchAttributes, call, (complete, own) => {
      const message: ScheduleMessage = {
        type: 'updateSchedule',
        requestId: requestId === '' ? services.random.uuid() : requestId,
        schedule: complete,
        conflictToken,
        memo,
        searchAttributes: own,
      };
      submit(services, request, message, call);
    });
  },
);

export const patchSchedule = method(
  object<Omit<PatchScheduleRequest, 'identity'>>({ ...changing, patch: defaulted(schedules.patch, {}) }),
  (services, caller, request, call) => {
    checkTarget(services, caller, request);
    const { requestId, patch } = request;
    rules.within(services.limits, 'RequestId', requestId);
    checkPatch(patch);
    const id = requestId === '' ? services.random.uuid() : requestId;
    submit(services, request, { type: 'patchSchedule', requestId: id, patch }, call);
  },
);

export const deleteSchedule = method(
  object<Omit<DeleteScheduleRequest, 'identity'>>({ ...target, requestId: optional(string) }),
  (services, caller, request, call) => {
    checkTarget(services, caller, request);
    const { requestId = '' } = request;
    rules.within(services.limits, 'RequestId', requestId);
    submit(services, request, { type: 'deleteSchedule', requestId }, call);
  },
);

/** With the names that attributes have now: what is described is changed and sent back. */
function answerNamed(services: Services, namespace: string, found: DescribeScheduleResponse, call: Call): void {
  const { schedule, searchAttributes: own } = found;
  const { startWorkflow } = schedule.action ?? {};
  withNames(services, namespace, [own, startWorkflow?.searchAttributes], (naming) => {
    const answer: DescribeScheduleResponse = { ...found, searchAttributes: naming(own) };
    if (startWorkflow !== undefined) {
      const searchAttributes = naming(startWorkflow.searchAttributes);
      const action = { ...schedule.action, startWorkflow: { ...startWorkflow, searchAttributes } };
      answer.schedule = { ...schedule, action };
    }
    call.reply(answer);
  });
}

export const describeSchedule = method(object<ScheduleTarget>(target), (services, caller, request, call) => {
  checkTarget(services, caller, request);
  const { namespace, scheduleId } = request;
  services.engine.submit(
    { namespace, workflowId: scheduleAddress(scheduleId) },
    { type: 'describeSchedule' },
    (error, reply) => {
      if (error !== undefined) call.refuse(error);
      else if (reply?.type === 'scheduleDescribed') answerNamed(services, namespace, reply.response, call);
    },
  );
});

export const listScheduleMatchingTimes = method(
  object<Omit<ListScheduleMatchingTimesRequest, 'startTime' | 'endTime'> & { startTime?: number; endTime?: number }>({
    ...target,
    startTime: optional(integer),
    endTime: optional(integer),
  }),
  (services, caller, request, call) => {
    checkTarget(services, caller, request);
    const { startTime, endTime } = request;
    if (startTime === undefined || endTime === undefined) {
      const message = 'missing or invalid query: StartTime, EndTime';
      const detail = { kind: 'QueryFailed', failure: { message } } as const;
      throw new Refused({ code: StatusCode.INVALID_ARGUMENT, message, detail });
    }
    submit(services, request, { type: 'scheduleTimes', startTime, endTime }, call, (reply) => ({
      startTime: reply.type === 'scheduleTimes' ? reply.startTime : [],
    }));
  },
);

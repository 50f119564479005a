// Activities without a workflow: the native door's, but that types and queues are messages with a name.

import type { ActivityExecutionListInfo, ActivityExecutionOutcome } from '../../../wire/activity.ts';
import type { Link } from '../../../wire/common.ts';
import { invalid } from '../../validate/check.ts';
import { checkLinks } from '../../validate/links.ts';
import { bytes, isNamed, type Message, nameIn, native, nothing, part, text } from '../rpc.ts';
import { optionsAnswer } from './activities.ts';
import { count, countAnswer, page } from './visibility.ts';

/** Links name what a start belongs to: they are checked, and kept nowhere. */
export function checkStart(request: Message): Message {
  const { completionCallbacks, links } = request;
  // Decoded by its descriptor.
  const linked = (links as Link[] | undefined) ?? [];
  checkLinks(linked);
  const { attachRequestId = false, attachCompletionCallbacks, attachLinks } = part(request, 'onConflictOptions');
  if (attachRequestId === false && attachCompletionCallbacks === true) {
    throw invalid('on_conflict_options: attach_completion_callbacks requires attach_request_id to be set');
  }
  if (attachRequestId === false && attachLinks === true) {
    throw invalid('on_conflict_options: attach_links requires attach_request_id to be set');
  }
  if (attachRequestId === true && linked.length === 0) {
    throw invalid('on_conflict_options: attach_request_id requires at least one completion callback or link');
  }
  if (Array.isArray(completionCallbacks) && completionCallbacks.length > 0) {
    throw invalid('completion callbacks are not enabled for this namespace');
  }
  return { ...request, activityType: nameIn(request, 'activityType'), taskQueue: nameIn(request, 'taskQueue') };
}

export const StartActivityExecution = native('startActivityExecution', checkStart, (reply, request, call) => {
  const { namespace, activityId } = request;
  return isNamed(call) ? { ...reply, link: { activity: { namespace, activityId, runId: reply.runId } } } : reply;
});
export const RequestCancelActivityExecution = native('requestCancelActivityExecution', undefined, nothing);
export const TerminateActivityExecution = native('terminateActivityExecution', undefined, nothing);
export const DeleteActivityExecution = native('deleteActivityExecution', undefined, nothing);

/** The reference server does not say why it gave up. */
const outcomeAnswer = (outcome: ActivityExecutionOutcome | undefined): object | undefined =>
  outcome && { result: outcome.result, failure: outcome.failure };

export const DescribeActivityExecution = native(
  'describeActivityExecution',
  (request) => ({ ...request, longPollToken: bytes(request, 'longPollToken') }),
  (described) => {
    if (described.info === undefined) return {};
    const { info } = described;
    return {
      ...described,
      info: {
        ...info,
        activityType: { name: info.activityType },
        searchAttributes: info.searchAttributes ?? {},
      },
      outcome: outcomeAnswer(described.outcome),
    };
  },
);

export const PollActivityExecution = native('pollActivityExecution', undefined, ({ runId, outcome }) => ({
  runId,
  outcome: outcomeAnswer(outcome),
}));

/** The number of this kind of execution on the reference server, whose lists show it. */
const DIVISION = {
  TemporalNamespaceDivision: {
    metadata: { encoding: Buffer.from('json/plain'), type: Buffer.from('Keyword') },
    data: Buffer.from('"3332429922"'),
  },
};

/** Those that run, then by when they closed: as the reference server has a page. */
function lastClosedFirst(a: ActivityExecutionListInfo, b: ActivityExecutionListInfo): number {
  const [closedA, closedB] = [a.closeTime ?? Number.POSITIVE_INFINITY, b.closeTime ?? Number.POSITIVE_INFINITY];
  if (closedA !== closedB) return closedA > closedB ? -1 : 1;
  return b.scheduleTime - a.scheduleTime;
}

export const ListActivityExecutions = native('listActivityExecutions', page, ({ executions, nextPageToken }) => ({
  executions: [...executions].sort(lastClosedFirst).map((info) => ({
    ...info,
    activityType: { name: info.activityType },
    // One that is begun at once has no time of its own.
    executionTime: info.executionTime === info.scheduleTime ? undefined : info.executionTime,
    stateTransitionCount: info.closeTime === undefined ? undefined : info.stateTransitionCount,
    searchAttributes: { indexedFields: { ...info.searchAttributes?.indexedFields, ...DIVISION } },
  })),
  nextPageToken,
}));

export const CountActivityExecutions = native('countActivityExecutions', count, countAnswer);

/** Bytes. */
const MAX_REQUEST_ID_BYTES = 1_000;

/** Of calls that need none here, for they can be repeated. */
export function checkRequestId(request: Message): Message {
  const length = Buffer.byteLength(text(request, 'requestId'));
  if (length > MAX_REQUEST_ID_BYTES) {
    throw invalid(`request ID exceeds length limit. Length=${length} Limit=${MAX_REQUEST_ID_BYTES}`);
  }
  return request;
}

export const PauseActivityExecution = native('pauseActivityExecution', undefined, nothing);
export const UnpauseActivityExecution = native('unpauseActivityExecution', undefined, nothing);
export const ResetActivityExecution = native('resetActivityExecution', checkRequestId, nothing);

export const UpdateActivityExecutionOptions = native(
  'updateActivityExecutionOptions',
  (request) => {
    checkRequestId(request);
    const { activityOptions, updateMask } = request;
    const options = part(request, 'activityOptions');
    const changed = activityOptions === undefined ? undefined : { ...options, taskQueue: nameIn(options, 'taskQueue') };
    const mask = updateMask === undefined ? undefined : part(request, 'updateMask').paths;
    return { ...request, activityOptions: changed, updateMask: mask };
  },
  ({ activityOptions }) => ({ activityOptions: optionsAnswer(activityOptions) }),
);

// Lists and counts of activities without a workflow: searched like executions, in index rows of their own.

import {
  type ActivityExecutionListInfo,
  ActivityExecutionStatus,
  type ListActivityExecutionsRequest,
  type ListActivityExecutionsResponse,
} from '../../wire/activity.ts';
import { activityIdOf } from '../../wire/activity-address.ts';
import { WorkflowExecutionStatus } from '../../wire/enums.ts';
import type { WorkflowExecutionInfo } from '../../wire/execution-info.ts';
import { method } from '../door.ts';
import { bytes, defaulted, integer, invalid, object, optional, string } from '../validate/check.ts';
import * as rules from '../validate/rules.ts';
import { checkQuery, DEFAULT_PAGE, MAX_PAGE, named, withFields } from './visibility.ts';

/** As the run of an activity has it: the first five are the same numbers. */
export function activityStatus(status: WorkflowExecutionStatus): ActivityExecutionStatus {
  switch (status) {
    case WorkflowExecutionStatus.TIMED_OUT:
      return ActivityExecutionStatus.TIMED_OUT;
    case WorkflowExecutionStatus.PAUSED:
      return ActivityExecutionStatus.PAUSED;
    // No run of an activity continues as new.
    case WorkflowExecutionStatus.CONTINUED_AS_NEW:
      return ActivityExecutionStatus.UNSPECIFIED;
    default:
      return status;
  }
}

export const listInfo = (info: WorkflowExecutionInfo): ActivityExecutionListInfo => ({
  activityId: activityIdOf(info.workflowId),
  runId: info.runId,
  activityType: info.workflowType,
  taskQueue: info.taskQueue,
  status: activityStatus(info.status),
  scheduleTime: info.startTime,
  executionTime: info.executionTime,
  closeTime: info.closeTime,
  executionDuration: info.executionDuration,
  searchAttributes: info.searchAttributes,
  stateTransitionCount: info.stateTransitionCount,
});

export const listActivityExecutions = method(
  object<ListActivityExecutionsRequest>({
    namespace: defaulted(string, ''),
    query: optional(string),
    pageSize: optional(integer),
    nextPageToken: optional(bytes),
  }),
  (services, caller, { namespace, query, pageSize: size = 0, nextPageToken }, call) => {
    rules.namespace(services, caller, namespace);
    if (size < 0) throw invalid('PageSize cannot be negative.');
    const pageSize = size === 0 ? DEFAULT_PAGE : Math.min(size, MAX_PAGE);
    const list = { namespace, query: checkQuery(query ?? ''), of: 'activities' as const };
    withFields(services, list, call, (attributes) =>
      services.engine.list({ ...list, attributes, pageSize, nextPageToken }, (error, page) => {
        if (error !== undefined) call.refuse(error);
        else if (page !== undefined) {
          named(services, namespace, page.executions, (infos) => {
            const executions = infos.map(listInfo);
            call.reply({ executions, nextPageToken: page.nextPageToken } satisfies ListActivityExecutionsResponse);
          });
        }
      }),
    );
  },
);

export const countActivityExecutions = method(
  object<{ namespace: string; query?: string | undefined }>({
    namespace: defaulted(string, ''),
    query: optional(string),
  }),
  (services, caller, { namespace, query }, call) => {
    rules.namespace(services, caller, namespace);
    const counted = { namespace, query: checkQuery(query ?? ''), of: 'activities' as const };
    withFields(services, counted, call, (attributes) =>
      services.engine.count({ ...counted, attributes }, (error, count) => {
        if (error !== undefined) call.refuse(error);
        else if (count !== undefined) call.reply(count);
      }),
    );
  },
);

// The engine's calls as they came over a link, read back as data (operations.ts).

import type { PollUpdateMessage, QueryMessage, UpdateMessage } from '../../src/core/workflow/message.ts';
import { jobAsk } from '../../src/frontend/validate/batch.ts';
import {
  boolean,
  type Check,
  defaulted,
  integer,
  list,
  object,
  optional,
  record,
  string,
} from '../../src/frontend/validate/check.ts';
import { queryResult } from '../../src/frontend/validate/commands.ts';
import * as common from '../../src/frontend/validate/common.ts';
import { deploymentAsk } from '../../src/frontend/validate/deployments.ts';
import { namespaceAsk } from '../../src/frontend/validate/namespaces.ts';
import { endpointAsk } from '../../src/frontend/validate/nexus.ts';
import { workerAsk } from '../../src/frontend/validate/workers.ts';
import type { DeploymentAsk } from '../../src/ports/deployments.ts';
import type { ActorAddress, AttributesChange, HistoryQuery, UpdateWithStartMessage } from '../../src/ports/engine.ts';
import type { JobAsk } from '../../src/ports/jobs.ts';
import type { NamespaceAsk } from '../../src/ports/namespaces.ts';
import type { EndpointAsk } from '../../src/ports/nexus-endpoints.ts';
import type { WorkerAsk } from '../../src/ports/workers.ts';
import type { QueryResult } from '../../src/wire/workflow-task.ts';
import {
  type ForwardedMessage,
  forwardedMessage,
  queryMessage,
  updateMessage,
  updateWithStartMessage,
} from './message-checks.ts';

import {
  answerQuery,
  awaitResult,
  changeSearchAttributes,
  deployments,
  describe,
  history,
  jobs,
  type KeyedMethod,
  namespaces,
  nexusEndpoints,
  type Operation,
  query,
  searchAttributes,
  submit,
  type TaskHistoryQuery,
  taskHistory,
  update,
  updateWithStart,
  workers,
} from './operations.ts';

const address = object<ActorAddress>({ namespace: string, workflowId: string });
const historyQuery = object<HistoryQuery>({
  runId: optional(string),
  fromEventId: integer,
  maximumBytes: integer,
  waitNewEvent: boolean,
  closeEventOnly: boolean,
  withUnwritten: optional(boolean),
  stateOnly: optional(boolean),
  changedSince: optional(integer),
});
const taskQuery = object<TaskHistoryQuery>({
  runId: string,
  scheduledEventId: integer,
  fromEventId: integer,
  maximumBytes: integer,
});
const submitBody = object<{ message: ForwardedMessage }>({ message: forwardedMessage });
const queryBody = object<{ message: QueryMessage }>({ message: queryMessage });
const updateBody = object<{ message: UpdateMessage | PollUpdateMessage }>({ message: updateMessage });
const updateWithStartBody = object<{ message: UpdateWithStartMessage }>({ message: updateWithStartMessage });
const answerQueryBody = object<{ queryId: string; result: QueryResult }>({ queryId: string, result: queryResult });
const runBody = object<{ runId?: string | undefined }>({ runId: optional(string) });
const historyBody = object<{ query: HistoryQuery }>({ query: historyQuery });
const taskBody = object<{ task: TaskHistoryQuery }>({ task: taskQuery });
const resultBody = object<{ runId?: string | undefined; followRuns: boolean }>({
  runId: optional(string),
  followRuns: defaulted(boolean, true),
});

const settingsBody = object<{ namespace: string }>({ namespace: string });
const names = list(string);
const changeBody = object<{ change: AttributesChange }>({
  change: object<AttributesChange>({
    add: common.attributeTypes,
    remove: (value) => (value === 'everything' ? value : names(value)),
    rename: optional(record(string)),
  }),
});

const namespacesBody = object<{ asked: NamespaceAsk }>({ asked: namespaceAsk });
const endpointsBody = object<{ asked: EndpointAsk }>({ asked: endpointAsk });
const deploymentsBody = object<{ asked: DeploymentAsk }>({ asked: deploymentAsk });
const workersBody = object<{ namespace: string; asked: WorkerAsk }>({ namespace: string, asked: workerAsk });
const jobsBody = object<{ namespace: string; asked: JobAsk }>({ namespace: string, asked: jobAsk });

/** Each method's request as an operation again. Throws (check.ts) for what has another shape. */
export const READERS: { readonly [M in KeyedMethod]: Check<Operation<unknown>> } = {
  submit: (value) => submit(address(value), submitBody(value).message),
  query: (value) => query(address(value), queryBody(value).message),
  update: (value) => update(address(value), updateBody(value).message),
  updateWithStart: (value) => updateWithStart(address(value), updateWithStartBody(value).message),
  answerQuery: (value) => {
    const { queryId, result } = answerQueryBody(value);
    return answerQuery(address(value), queryId, result);
  },
  describe: (value) => describe(address(value), runBody(value).runId),
  history: (value) => history(address(value), historyBody(value).query),
  taskHistory: (value) => taskHistory(address(value), taskBody(value).task),
  awaitResult: (value) => {
    const { runId, followRuns } = resultBody(value);
    return awaitResult(address(value), runId, followRuns ? 'followRuns' : 'thisRun');
  },
  searchAttributes: (value) => searchAttributes(settingsBody(value).namespace),
  changeSearchAttributes: (value) => changeSearchAttributes(settingsBody(value).namespace, changeBody(value).change),
  jobs: (value) => {
    const { namespace, asked } = jobsBody(value);
    return jobs(namespace, asked);
  },
  namespaces: (value) => namespaces(namespacesBody(value).asked),
  nexusEndpoints: (value) => nexusEndpoints(endpointsBody(value).asked),
  deployments: (value) => deployments(deploymentsBody(value).asked),
  workers: (value) => {
    const { namespace, asked } = workersBody(value);
    return workers(namespace, asked);
  },
};

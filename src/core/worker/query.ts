// The filter of a list of workers: the language of the list of executions, over what workers say of themselves.

import type { WorkflowExecutionInfo } from '../../wire/execution-info.ts';
import { type WorkerHeartbeat, WorkerStatus } from '../../wire/worker.ts';
import { type Field, matchesSubject, parseQuery, type Schema, Subject, type Value } from '../visibility/index.ts';

/** What a filter is not about. */
const NO_EXECUTION: WorkflowExecutionInfo = {
  ...{ workflowId: '', runId: '', workflowType: '', taskQueue: '', firstRunId: '' },
  ...{ status: 0, startTime: 0, executionTime: 0, historyLength: 0, historySizeBytes: 0 },
};

class WorkerSubject extends Subject {
  readonly heartbeat: WorkerHeartbeat;
  constructor(heartbeat: WorkerHeartbeat) {
    super(NO_EXECUTION);
    this.heartbeat = heartbeat;
  }
}

const STATUS_TEXT: Readonly<Record<number, string>> = {
  [WorkerStatus.RUNNING]: 'Running',
  [WorkerStatus.SHUTTING_DOWN]: 'ShuttingDown',
  [WorkerStatus.SHUTDOWN]: 'Shutdown',
};

const field = (
  name: string,
  type: 'keyword' | 'datetime',
  read: (heartbeat: WorkerHeartbeat) => Value | undefined,
): [string, Field] => [
  name,
  {
    ...{ name, type, attribute: undefined },
    read: (subject) => (subject instanceof WorkerSubject ? read(subject.heartbeat) : undefined),
  },
];

const FIELDS: ReadonlyMap<string, Field> = new Map([
  field('WorkerInstanceKey', 'keyword', (one) => one.workerInstanceKey),
  field('WorkerIdentity', 'keyword', (one) => one.workerIdentity),
  field('HostName', 'keyword', (one) => one.hostInfo?.hostName),
  field('TaskQueue', 'keyword', (one) => one.taskQueue),
  field('DeploymentName', 'keyword', (one) => one.deploymentVersion?.deploymentName),
  field('BuildId', 'keyword', (one) => one.deploymentVersion?.buildId),
  field('SdkName', 'keyword', (one) => one.sdkName),
  field('SdkVersion', 'keyword', (one) => one.sdkVersion),
  field('StartTime', 'datetime', (one) => one.startTime),
  field('HeartbeatTime', 'datetime', (one) => one.heartbeatTime),
  field('LastHeartbeatTime', 'datetime', (one) => one.heartbeatTime),
  // By the API's name, and by those that the reference server has for it.
  ...['Status', 'WorkerStatus', 'status'].map((name) =>
    field(name, 'keyword', ({ status = 0 }) => STATUS_TEXT[status]),
  ),
]);

const schema: Schema = (name) => FIELDS.get(name);

/** Whether a worker is meant. Throws QueryError for what cannot be understood. */
export function workerFilter(text: string): (heartbeat: WorkerHeartbeat) => boolean {
  if (text.trim() === '') return () => true;
  const query = parseQuery(text, schema);
  return (heartbeat) => matchesSubject(query, new WorkerSubject(heartbeat));
}

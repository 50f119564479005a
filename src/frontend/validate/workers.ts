// Shapes of what workers say of themselves, from doors and from other nodes.

import type { WorkerAnswer, WorkerAsk } from '../../ports/workers.ts';
import type { WorkerHeartbeat, WorkerHostInfo, WorkerPollerInfo, WorkerSlotsInfo } from '../../wire/worker.ts';
import {
  boolean,
  type Check,
  defaulted,
  enumeration,
  finite,
  integer,
  list,
  object,
  optional,
  string,
} from './check.ts';
import * as common from './common.ts';

const hostInfo = object<WorkerHostInfo>({
  hostName: optional(string),
  workerGroupingKey: optional(string),
  processId: optional(string),
  currentHostCpuUsage: optional(finite),
  currentHostMemUsage: optional(finite),
});

const slots = object<WorkerSlotsInfo>({
  currentAvailableSlots: optional(integer),
  currentUsedSlots: optional(integer),
  slotSupplierKind: optional(string),
  totalProcessedTasks: optional(integer),
  totalFailedTasks: optional(integer),
  lastIntervalProcessedTasks: optional(integer),
  lastIntervalFailureTasks: optional(integer),
});

const pollers = object<WorkerPollerInfo>({
  currentPollers: optional(integer),
  lastSuccessfulPollTime: optional(finite),
  isAutoscaling: optional(boolean),
});

export const heartbeat: Check<WorkerHeartbeat> = object<WorkerHeartbeat>({
  workerInstanceKey: defaulted(string, ''),
  workerIdentity: optional(string),
  hostInfo: optional(hostInfo),
  taskQueue: optional(string),
  deploymentVersion: optional(common.deploymentVersion),
  sdkName: optional(string),
  sdkVersion: optional(string),
  status: optional(enumeration()),
  startTime: optional(finite),
  heartbeatTime: optional(finite),
  elapsedSinceLastHeartbeat: optional(finite),
  workflowTaskSlotsInfo: optional(slots),
  activityTaskSlotsInfo: optional(slots),
  nexusTaskSlotsInfo: optional(slots),
  localActivitySlotsInfo: optional(slots),
  workflowPollerInfo: optional(pollers),
  workflowStickyPollerInfo: optional(pollers),
  activityPollerInfo: optional(pollers),
  nexusPollerInfo: optional(pollers),
  totalStickyCacheHit: optional(integer),
  totalStickyCacheMiss: optional(integer),
  currentStickyCacheSize: optional(integer),
  plugins: optional(
    list(
      object<{ name?: string | undefined; version?: string | undefined }>({
        name: optional(string),
        version: optional(string),
      }),
    ),
  ),
});

const kind = object<{ type: string }>({ type: string });
const heard = object<{ heartbeats: WorkerHeartbeat[] }>({ heartbeats: list(heartbeat) });
const listed = object<{ query: string; after: string; pageSize: number }>({
  query: string,
  after: string,
  pageSize: integer,
});
const counted = object<{ query: string }>({ query: string });
const described = object<{ workerInstanceKey: string }>({ workerInstanceKey: string });

export const workerAsk: Check<WorkerAsk> = (value) => {
  const { type } = kind(value);
  switch (type) {
    case 'heartbeat':
      return { type, ...heard(value) };
    case 'list':
      return { type, ...listed(value) };
    case 'count':
      return { type, ...counted(value) };
    case 'describe':
      return { type, ...described(value) };
    default:
      throw new Error(`the question about workers ${type.slice(0, 64)} is none of this version`);
  }
};

export const workerAnswer = object<WorkerAnswer>({
  workers: list(heartbeat),
  more: optional(boolean),
  count: optional(integer),
});

// Of workers as they are registered, and of task queues.

import { seconds, taskQueue } from '../values.ts';
import { open } from './made.ts';
import { identity, namespace, simple, type Templates } from './template.ts';

export const WORKERS_REQUESTS: Templates = {
  ShutdownWorker: simple({
    namespace,
    identity,
    stickyTaskQueue: 'sticky',
    reason: 'why',
    taskQueue: 'queue',
    workerInstanceKey: 'k',
  }),
  DescribeTaskQueue: async (pair) => {
    const { queue } = await open(pair);
    return {
      request: { namespace, taskQueue: taskQueue(queue), taskQueueType: 1, reportStats: true, reportConfig: true },
    };
  },
  ListTaskQueuePartitions: (pair) => ({ request: { namespace, taskQueue: taskQueue(pair.fresh('queue')) } }),
  RecordWorkerHeartbeat: (pair) => {
    const workerInstanceKey = pair.fresh('worker');
    const heartbeat = {
      workerInstanceKey,
      workerIdentity: identity,
      taskQueue: 'queue',
      status: 1,
      startTime: seconds(1_700_000_000),
    };
    return {
      request: { namespace, identity, workerHeartbeat: [heartbeat] },
      after: [['DescribeWorker', { namespace, workerInstanceKey }]],
    };
  },
  ListWorkers: (pair) => ({
    request: { namespace, pageSize: 10, query: `WorkerInstanceKey = '${pair.fresh('none')}'` },
  }),
  CountWorkers: (pair) => ({ request: { namespace, query: `WorkerInstanceKey = '${pair.fresh('none')}'` } }),
  UpdateTaskQueueConfig: (pair) => ({
    request: {
      ...{ namespace, identity, taskQueue: pair.fresh('queue'), taskQueueType: 2 },
      updateQueueRateLimit: { rateLimit: { requestsPerSecond: 10 }, reason: 'why' },
    },
  }),
  FetchWorkerConfig: simple({ namespace, identity, selector: { workerInstanceKey: 'x' } }),
  UpdateWorkerConfig: simple({ namespace, identity, selector: { workerInstanceKey: 'x' }, workerConfig: {} }),
  DescribeWorker: (pair) => ({ request: { namespace, workerInstanceKey: pair.fresh('worker') } }),
};

// The part of a worker that handles Nexus operations: its own standing with the servers, since its tasks wait in another queue. Used by worker-engine.ts.

import { randomUUID } from 'node:crypto';
import { noopMetricMeter } from '../common/metrics.ts';
import { NexusTasks } from './nexus-tasks.ts';
import { Session } from './session.ts';
import { laneOptions } from './slots/lane-options.ts';
import type { NexusSlotInfo, WorkflowSlotInfo } from './slots/tuner.ts';
import type { WorkerEngineParts } from './worker-engine.ts';

export class NexusWorker {
  readonly session: Session;
  readonly tasks: NexusTasks;

  constructor({
    options,
    identity,
    buildId,
    connection,
    converter,
    client,
    metrics,
    logger,
    fatal,
  }: WorkerEngineParts) {
    const { namespace, taskQueue, pollers } = options;
    const parts = { options, identity, buildId, logger };
    this.session = new Session(
      {
        ...{ connection, workerId: randomUUID(), namespace, taskQueue, identity, buildId, logger },
        nexus: true,
        stickyQueue: undefined,
        stickyScheduleToStartTimeout: 0,
        workflowLane: laneOptions<WorkflowSlotInfo>(parts, 'workflow', undefined, pollers.workflow),
        activityLane: laneOptions<NexusSlotInfo>(parts, 'nexus', options.slots.nexus, pollers.nexus),
        maxActivitiesPerSecond: undefined,
        maxTaskQueueActivitiesPerSecond: undefined,
      },
      {
        workflowTask: () => undefined,
        activityTask: (task, from) => this.tasks.accept(task, from),
        cancelActivity: () => undefined,
        durable: () => undefined,
        over: () => undefined,
        heldTokens: () => this.tasks.heldTokens(),
        fatal,
      },
    );
    const { nexusServices: services } = options;
    this.tasks = new NexusTasks({
      session: this.session,
      services,
      converter,
      client,
      interceptors: options.nexusInterceptors,
      meter: metrics?.meter ?? noopMetricMeter,
      namespace,
      taskQueue,
      identity,
      logger,
    });
  }
}

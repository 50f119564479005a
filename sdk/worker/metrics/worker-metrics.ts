// What a worker counts of its own work, under the names of Temporal's SDK metrics, so that dashboards made for these show it.

import type { Command } from '../../../src/wire/command.ts';
import { CommandType } from '../../../src/wire/enums.ts';
import type { MetricMeter } from '../../common/metrics.ts';
import type { RuntimeMetrics } from './index.ts';

/** How a workflow's last command ends it. */
const ENDS: ReadonlyMap<number, string> = new Map([
  [CommandType.COMPLETE_WORKFLOW_EXECUTION, 'workflow_completed'],
  [CommandType.FAIL_WORKFLOW_EXECUTION, 'workflow_failed'],
  [CommandType.CANCEL_WORKFLOW_EXECUTION, 'workflow_canceled'],
  [CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION, 'workflow_continue_as_new'],
]);

export interface WorkerGauges {
  readonly numCachedWorkflows: number;
  readonly numInFlightWorkflowActivations: number;
  readonly numInFlightNonLocalActivities: number;
  readonly numInFlightLocalActivities: number;
}

export class WorkerMetrics {
  readonly meter: MetricMeter;
  readonly #own: MetricMeter | undefined;
  readonly #prefix: string;
  readonly #perSecond: number;
  readonly #unit: string;

  constructor(runtime: Omit<RuntimeMetrics, 'close'>, namespace: string, taskQueue: string) {
    this.meter = runtime.meter;
    // Where nobody sees them they are not counted.
    this.#own = runtime.isExported ? runtime.meter.withTags({ namespace, task_queue: taskQueue }) : undefined;
    this.#prefix = runtime.prefix;
    this.#perSecond = runtime.inSeconds ? 1_000 : 1;
    this.#unit = runtime.inSeconds ? 's' : 'ms';
  }

  activityEnded(activityType: string, isLocal: boolean, isFailure: boolean, ms: number): void {
    const tags = { activity_type: activityType };
    const name = isLocal ? 'local_activity' : 'activity';
    this.#latency(`${name}_execution_latency`, ms, tags);
    if (isFailure) this.#count(`${name}_execution_failed`, tags);
  }

  /** ms: from the task's arrival to its answer. */
  workflowTaskCompleted(workflowType: string, commands: readonly Command[], ms: number): void {
    const tags = { workflow_type: workflowType };
    this.#latency('workflow_task_execution_latency', ms, tags);
    const end = ENDS.get(commands.at(-1)?.commandType ?? 0);
    if (end !== undefined) this.#count(end, tags);
  }

  workflowTaskFailed(workflowType: string): void {
    this.#count('workflow_task_execution_failed', { workflow_type: workflowType });
  }

  /** For each collection. */
  gauges(status: WorkerGauges): void {
    const own = this.#own;
    if (own === undefined) return;
    own.createGauge(`${this.#prefix}sticky_cache_size`).set(status.numCachedWorkflows);
    const used = own.createGauge(`${this.#prefix}worker_task_slots_used`);
    used.set(status.numInFlightWorkflowActivations, { worker_type: 'WorkflowWorker' });
    used.set(status.numInFlightNonLocalActivities, { worker_type: 'ActivityWorker' });
    used.set(status.numInFlightLocalActivities, { worker_type: 'LocalActivityWorker' });
  }

  #count(name: string, tags: Record<string, string>): void {
    this.#own?.createCounter(`${this.#prefix}${name}`).add(1, tags);
  }

  #latency(name: string, ms: number, tags: Record<string, string>): void {
    const metric = this.#own?.createHistogram(`${this.#prefix}${name}`, 'float', this.#unit);
    metric?.record(ms / this.#perSecond, tags);
  }
}

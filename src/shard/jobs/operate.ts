// One operation of a batch job on one execution: what has to be known first is looked up, then the message goes as a client's would. Refused is what
// a door would refuse: a build that has completed no task of the workflow, a version whose workers do not serve its task queue. Called by runner.ts.

import type { JobSpec } from '../../core/batch/job.ts';
import { type FoundPoint, messageFor, type Needed, needed, searchedFor } from '../../core/batch/operations.ts';
import { versionKey } from '../../core/deployment/versioned-queue.ts';
import type { DeploymentAnswer } from '../../ports/deployments.ts';
import type { Done, Engine } from '../../ports/engine.ts';
import type { BatchTarget } from '../../wire/batch.ts';
import type { DescribeWorkflowExecutionResponse } from '../../wire/execution-info.ts';
import { type Status, StatusCode } from '../../wire/status.ts';
import { asking } from '../asking.ts';

export type JobEngine = Pick<Engine, 'submit' | 'describe' | 'deployments'>;

/** A step's operations: what is the same for all of them is looked up once. */
export class Operations {
  readonly #engine: JobEngine;
  readonly #namespace: string;
  readonly #spec: JobSpec;
  /** Of each version that the operation pins to: the task queues its workers serve. */
  #queues: readonly ReadonlySet<string>[] = [];

  constructor(engine: JobEngine, namespace: string, spec: JobSpec) {
    this.#engine = engine;
    this.#namespace = namespace;
    this.#spec = spec;
  }

  /** Before the first. Throws SettingRefusal when it cannot be known now. */
  async prepare(): Promise<void> {
    const { workersOf } = needed(this.#spec.operation);
    if (workersOf.length === 0) return;
    const { records = [] } = await asking<DeploymentAnswer>((done) => this.#engine.deployments({ type: 'list' }, done));
    const own = records.filter(({ namespace }) => namespace === this.#namespace);
    const versions = own.flatMap(({ name, versions }) => versions.map((version) => ({ ...version, name })));
    this.#queues = workersOf.map((key) => {
      const meant = versions.find(({ name, buildId }) => versionKey({ deploymentName: name, buildId }) === key);
      return new Set(meant?.queues.map(({ name }) => name));
    });
  }

  run(target: BatchTarget, done: Done<unknown>): void {
    const { build, workersOf } = needed(this.#spec.operation);
    if (build === undefined && workersOf.length === 0) {
      this.#submit(target, undefined, done);
      return;
    }
    const { workflowId, runId } = target;
    this.#engine.describe({ namespace: this.#namespace, workflowId }, runId || undefined, (error, described) => {
      if (described === undefined) {
        done(error, undefined);
        return;
      }
      const { taskQueue } = described.executionConfig;
      const found = build && pointOf(described, build);
      if (!this.#queues.every((queues) => queues.has(taskQueue)))
        done(refused(`the version to pin workflow ${workflowId} to has no workers on ${taskQueue}`), undefined);
      else if (build !== undefined && found === undefined)
        done(refused(`build ${build.buildId} has completed no task of workflow ${workflowId}`), undefined);
      else this.#submit(target, found, done);
    });
  }

  #submit(target: BatchTarget, found: FoundPoint | undefined, done: Done<unknown>): void {
    const to = { namespace: this.#namespace, workflowId: target.workflowId };
    this.#engine.submit(to, messageFor(this.#spec, target, found), (error, reply) => {
      if (error !== undefined && this.#isOver(error)) done(undefined, undefined);
      else done(error && this.#ofReset(target, error), reply);
    });
  }

  /** A job that looks for a task to reset to has found no run to begin, and does not say that it has, as on the reference server; of what is not there other jobs want no more. */
  #ofReset({ workflowId }: BatchTarget, error: Status): Status {
    const { operation } = this.#spec;
    if (error.code !== StatusCode.NOT_FOUND || operation.type !== 'reset') return error;
    const { at } = operation.point;
    if (at === 'event' || at === 'build') return error;
    return refused(`no workflow ${workflowId} is there to be reset`);
  }

  /** Of an activity without a workflow that has ended nothing is left to do, as of a workflow that has: only that it is said by another status. */
  #isOver({ code }: Status): boolean {
    return searchedFor(this.#spec.operation) === 'activities' && code === StatusCode.FAILED_PRECONDITION;
  }
}

/** The end of the first workflow task that the build has completed, perhaps of an earlier run of the chain. */
function pointOf(
  { autoResetPoints, workflowExecutionInfo }: DescribeWorkflowExecutionResponse,
  { buildId: build, currentRunOnly }: NonNullable<Needed['build']>,
): FoundPoint | undefined {
  const point = autoResetPoints.find(({ buildId }) => buildId === build);
  if (point === undefined || (currentRunOnly && point.runId !== workflowExecutionInfo.runId)) return undefined;
  return { runId: point.runId ?? workflowExecutionInfo.runId, eventId: point.firstWorkflowTaskCompletedId ?? 0 };
}

const refused = (message: string): Status => ({ code: StatusCode.FAILED_PRECONDITION, message });

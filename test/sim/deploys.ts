// Deploys in the simulation: two versions of the workers, and a client that makes one or the other current, lets one ramp, goes back, looks, and at
// last waits until the version that is not current is drained. Only every so many seeds have some, so that the others go on meaning the same history.

import type { DeploymentVersionRequest } from '../../src/wire/deployment.ts';
import { VersionDrainageStatus } from '../../src/wire/deployment.ts';
import { StatusCode } from '../../src/wire/status.ts';
import type { Caller } from './caller.ts';
import type { Process } from './kernel.ts';
import { NAMESPACE } from './names.ts';
import type { WorkflowPlan } from './plan.ts';
import { SeededRandom } from './random.ts';

export const DEPLOYMENT = 'shop';
export const VERSIONS = ['v1', 'v2'] as const;
export type Version = (typeof VERSIONS)[number];
export type Behavior = 'PINNED' | 'AUTO_UPGRADE';

export type DeployStep =
  | { do: 'current'; buildId: Version }
  | { do: 'ramp'; buildId: Version; percentage: number }
  | { do: 'look'; buildId: Version }
  | { do: 'pause'; ms: number }
  /** No workflow that is pinned to it is left. */
  | { do: 'drained'; buildId: Version };

export interface DeployPlan {
  /** What a workflow gets that says nothing: none here does. */
  readonly behavior: Behavior;
  readonly steps: readonly DeployStep[];
}

export interface DeployJournal {
  readonly plan: DeployPlan;
  done: number;
}

const PERIOD = 9;
const PHASE = 5;

/** Of a random stream of its own. */
export function makeDeploys(seed: number, windowMs: number): DeployPlan | undefined {
  if (seed % PERIOD !== PHASE) return undefined;
  const random = new SeededRandom(`deploys ${seed}`);
  const behavior = random.pick(['PINNED', 'AUTO_UPGRADE'] as const);
  const steps: DeployStep[] = [{ do: 'pause', ms: random.next() ** 2 * 1_500 }];
  let current: Version = 'v1';
  steps.push({ do: 'current', buildId: current });
  const changes = random.int(1, 4);
  for (let n = 0; n < changes; n += 1) {
    const other: Version = current === 'v1' ? 'v2' : 'v1';
    steps.push({ do: 'pause', ms: random.next() * (windowMs / changes) });
    const ramps = random.int(0, 2);
    for (let i = 0; i < ramps; i += 1) {
      steps.push({ do: 'ramp', buildId: other, percentage: random.pick([0, 10, 50, 100]) });
      steps.push({ do: 'pause', ms: random.next() ** 2 * 2_000 });
    }
    steps.push({ do: 'current', buildId: other });
    const looks = random.int(0, 3);
    for (let i = 0; i < looks; i += 1)
      steps.push({ do: 'pause', ms: random.next() ** 2 * 4_000 }, { do: 'look', buildId: current });
    current = other;
  }
  const left: Version = current === 'v1' ? 'v2' : 'v1';
  steps.push({ do: 'drained', buildId: left });
  // A task that was under way may have pinned another one to it.
  if (random.chance(0.5)) steps.push({ do: 'pause', ms: 3_000 }, { do: 'look', buildId: left });
  return { behavior, steps };
}

/** Some workflows are started with an override, so that both kinds run beside each other. */
export function overridden(seed: number, { workflowId }: WorkflowPlan): boolean {
  return new SeededRandom(`overrides ${seed} ${workflowId}`).chance(0.3);
}

/** Between two looks at a version that drains, ms. */
const LOOK_MS = 700;
/** A version that is current does not ramp as well; one that nobody has polled as yet is not there to be looked at. */
const REFUSALS = [StatusCode.FAILED_PRECONDITION, StatusCode.NOT_FOUND];

export async function runDeploys(process: Process, caller: Caller, journal: DeployJournal): Promise<void> {
  for (;;) {
    const step = journal.plan.steps[journal.done];
    if (step === undefined) return;
    await runStep(process, caller, step);
    journal.done += 1;
  }
}

async function runStep(process: Process, caller: Caller, step: DeployStep): Promise<void> {
  const base = { namespace: NAMESPACE, deploymentName: DEPLOYMENT, identity: process.name };
  // Its workers may come later.
  const forced = { ignoreMissingTaskQueues: true, allowNoPollers: true };
  switch (step.do) {
    case 'pause':
      await caller.wait(step.ms);
      return;
    case 'current': {
      const request = { ...base, ...forced, buildId: step.buildId };
      // Not there before its first worker has polled.
      while ((await caller.unless([StatusCode.NOT_FOUND], 'setWorkerDeploymentCurrentVersion', request)) === undefined)
        await caller.wait(LOOK_MS);
      return;
    }
    case 'ramp': {
      const { buildId, percentage } = step;
      await caller.unless(REFUSALS, 'setWorkerDeploymentRampingVersion', { ...base, ...forced, buildId, percentage });
      return;
    }
    case 'look':
      await caller.try('describeWorkerDeploymentVersion', versionOf(step.buildId));
      return;
    case 'drained':
      for (;;) {
        const answer = await caller.sure('describeWorkerDeploymentVersion', versionOf(step.buildId));
        const status = answer.workerDeploymentVersionInfo.drainageInfo?.status;
        if (status === VersionDrainageStatus.DRAINED) return;
        await caller.wait(LOOK_MS);
      }
    default:
      step satisfies never;
  }
}

const versionOf = (buildId: Version): DeploymentVersionRequest => ({
  namespace: NAMESPACE,
  deploymentVersion: { deploymentName: DEPLOYMENT, buildId },
});

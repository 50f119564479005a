// Which worker deployment version a run's tasks are for. Pinned runs stay on one; the others go where the routes say when their task is offered. What
// events determine (behaviour, version, override) is in the run's facts; where a waiting task was offered is in its row. Keeps: a pinned run's
// tasks are offered to its version and no other.

import type { VersioningOverride, WorkerDeploymentVersion } from '../../wire/common.ts';
import { ContinueAsNewInitiator, ContinueAsNewVersioningBehavior, VersioningBehavior } from '../../wire/enums.ts';
import type {
  WorkflowExecutionOptionsUpdatedEventAttributes,
  WorkflowExecutionStartedEventAttributes,
  WorkflowTaskCompletedEventAttributes,
} from '../../wire/event-attributes.ts';
import type { Routes } from '../deployment/routes.ts';
import { NO_ROUTES } from '../deployment/routes.ts';
import { type VersionKey, versionKey } from '../deployment/versioned-queue.ts';
import type { TurnContext } from './outcome.ts';
import type { RunFacts, RunRow, StartRow, VersioningFacts } from './rows.ts';
import type { RunDraft } from './run-draft.ts';

// ---------------------------------------------------------------- what events say

/** Versions a run remembers to have used, the last ones. */
const MAX_USED = 20;

export function startedVersioning(a: WorkflowExecutionStartedEventAttributes): VersioningFacts | undefined {
  const { versioningOverride: override, inheritedPinnedVersion: version, inheritedAutoUpgradeInfo } = a;
  const initial = inheritedAutoUpgradeInfo?.continueAsNewInitialVersioningBehavior;
  if (override === undefined && version === undefined && !initial) return undefined;
  return {
    behavior: version === undefined ? VersioningBehavior.UNSPECIFIED : VersioningBehavior.PINNED,
    ...(version !== undefined && { version }),
    ...(override !== undefined && { override }),
    ...(initial && { initial }),
  };
}

export function completedVersioning(
  before: VersioningFacts | undefined,
  { versioningBehavior = VersioningBehavior.UNSPECIFIED, deploymentVersion }: WorkflowTaskCompletedEventAttributes,
): VersioningFacts | undefined {
  if (before === undefined && deploymentVersion === undefined) return undefined;
  const { override, used = [] } = before ?? {};
  const key = deploymentVersion && versionKey(deploymentVersion);
  const isNew = key !== undefined && !used.some((one) => versionKey(one) === key);
  return {
    behavior: deploymentVersion === undefined ? VersioningBehavior.UNSPECIFIED : versioningBehavior,
    ...(deploymentVersion !== undefined && { version: deploymentVersion }),
    // One that was for a single task is over with it.
    ...(override !== undefined && override.oneTime === undefined && { override }),
    ...((used.length > 0 || isNew) && {
      used: isNew && deploymentVersion !== undefined ? [...used.slice(1 - MAX_USED), deploymentVersion] : used,
    }),
  };
}

export function updatedVersioning(
  before: VersioningFacts | undefined,
  { versioningOverride, unsetVersioningOverride }: WorkflowExecutionOptionsUpdatedEventAttributes,
): VersioningFacts | undefined {
  if (versioningOverride === undefined && unsetVersioningOverride !== true) return before;
  const { override: _before, ...rest } = before ?? { behavior: VersioningBehavior.UNSPECIFIED };
  return versioningOverride === undefined ? rest : { ...rest, override: versioningOverride };
}

// ---------------------------------------------------------------- where tasks go

/** `name.buildId`, as older clients write it. */
function parsed(text: string | undefined): WorkerDeploymentVersion | undefined {
  const at = text?.indexOf('.') ?? -1;
  return text === undefined || at <= 0 ? undefined : { deploymentName: text.slice(0, at), buildId: text.slice(at + 1) };
}

export const overridePin = ({
  pinned,
  oneTime,
  pinnedVersion,
}: VersioningOverride): WorkerDeploymentVersion | undefined =>
  pinned?.version ?? oneTime?.targetDeploymentVersion ?? parsed(pinnedVersion);

/** The version a run is pinned to, by its override or by what its workflow says of itself. */
export function pinOf(versioning: VersioningFacts | undefined): WorkerDeploymentVersion | undefined {
  if (versioning?.override !== undefined) return overridePin(versioning.override);
  return versioning?.behavior === VersioningBehavior.PINNED ? versioning.version : undefined;
}

interface Placed {
  namespace: string;
  workflowId: string;
}

export const routesOf = (context: Pick<TurnContext, 'routes'>): Routes => context.routes ?? NO_ROUTES;

function workflowRoute(routes: Routes, at: Placed, start: StartRow, { versioning, previousStartedEventId }: RunFacts) {
  const pin = pinOf(versioning);
  if (pin !== undefined) return versionKey(pin);
  const { name } = start.attributes.taskQueue;
  const wantsRamp =
    versioning?.initial === ContinueAsNewVersioningBehavior.USE_RAMPING_VERSION && previousStartedEventId === 0;
  const ramping = wantsRamp ? routes.ramping(at.namespace, name, 'workflow') : undefined;
  return ramping ?? routes.target(at.namespace, name, 'workflow', at.workflowId);
}

/** The version that the run's next workflow task is for; undefined: workers that name none. */
export const routeOfRun = (run: RunDraft): VersionKey | undefined =>
  workflowRoute(routesOf(run.turn.context), run.turn.state, run.start, run.facts);

/** The same for a direct query, and whether its sticky worker is of that version. */
export function routeOfQuery(
  context: TurnContext,
  at: Placed,
  run: { start: StartRow; row: RunRow },
): { version: VersionKey | undefined; fitsSticky: boolean } {
  const version = workflowRoute(routesOf(context), at, run.start, run.row.facts);
  return { version, fitsSticky: version === lastKey(run.row.facts) };
}

const lastKey = ({ versioning }: RunFacts): VersionKey | undefined =>
  versioning?.version === undefined ? undefined : versionKey(versioning.version);

/** The worker that keeps the run warm completed its last task: it is of that task's version. */
export const fitsSticky = (run: RunDraft, version: VersionKey | undefined): boolean => version === lastKey(run.facts);

/**
 * The version an activity is for. Of a pinned run: its own where that version's workers serve the activity's queue; a queue that they do not serve
 * follows routes of its own.
 */
export function routeOfActivity(run: RunDraft, taskQueue: string): VersionKey | undefined {
  const routes = routesOf(run.turn.context);
  const { namespace, workflowId } = run.turn.state;
  const pin = pinOf(run.facts.versioning);
  if (pin !== undefined) {
    const key = versionKey(pin);
    const isOwn = taskQueue === run.start.attributes.taskQueue.name;
    if (isOwn || routes.serves(namespace, taskQueue, 'activity', key)) return key;
  }
  return routes.target(namespace, taskQueue, 'activity', workflowId);
}

// ---------------------------------------------------------------- what others inherit

type Inherited = Pick<
  WorkflowExecutionStartedEventAttributes,
  'inheritedPinnedVersion' | 'versioningOverride' | 'inheritedAutoUpgradeInfo'
>;

/** That version's workers serve the queue on which the other run is to begin. */
function reaches(run: RunDraft, taskQueue: string, version: WorkerDeploymentVersion): boolean {
  if (taskQueue === run.start.attributes.taskQueue.name) return true;
  const { namespace } = run.turn.state;
  return routesOf(run.turn.context).serves(namespace, taskQueue, 'workflow', versionKey(version));
}

function inheritedOverride(run: RunDraft, taskQueue: string): VersioningOverride | undefined {
  const override = run.facts.versioning?.override;
  if (override === undefined || override.oneTime !== undefined) return undefined;
  const pin = overridePin(override);
  return pin === undefined || reaches(run, taskQueue, pin) ? override : undefined;
}

const basePin = ({ versioning }: RunFacts): WorkerDeploymentVersion | undefined =>
  versioning?.behavior === VersioningBehavior.PINNED ? versioning.version : undefined;

/** Of a child: its pinned parent's version. */
export function childVersioning(run: RunDraft, taskQueue: string, asked: VersioningOverride | undefined): Inherited {
  const pin = basePin(run.facts);
  const override = asked ?? inheritedOverride(run, taskQueue);
  return {
    ...(pin !== undefined && reaches(run, taskQueue, pin) && { inheritedPinnedVersion: pin }),
    ...(override !== undefined && { versioningOverride: override }),
  };
}

/**
 * Of the run that follows: continued as new it stays where a pinned run was, unless it says otherwise; retried it does if it had inherited that; by
 * cron never.
 */
export function successorVersioning(
  run: RunDraft,
  taskQueue: string,
  initiator: ContinueAsNewInitiator,
  initial?: ContinueAsNewVersioningBehavior,
): Inherited {
  const { versioning } = run.facts;
  if (versioning === undefined) return {};
  const override = inheritedOverride(run, taskQueue);
  const kept: Inherited = override === undefined ? {} : { versioningOverride: override };
  if (initial) {
    const { version: sourceDeploymentVersion } = versioning;
    const info = { sourceDeploymentVersion, continueAsNewInitialVersioningBehavior: initial };
    return { ...kept, inheritedAutoUpgradeInfo: info };
  }
  const pin = basePin(run.facts);
  const stays =
    initiator === ContinueAsNewInitiator.WORKFLOW ||
    (initiator === ContinueAsNewInitiator.RETRY && run.start.attributes.inheritedPinnedVersion !== undefined);
  if (pin === undefined || !stays || !reaches(run, taskQueue, pin)) return kept;
  return { ...kept, inheritedPinnedVersion: pin };
}

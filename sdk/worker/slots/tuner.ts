// What users say about slots: suppliers per kind of task, as one tuner. Names and shapes are those of `@temporalio/worker`; checked once, when the
// worker is created (options.ts), and made into slots by the worker's engine.

import { ValueError } from '../../common/errors.ts';
import { type Duration, msToNumber } from '../../common/time.ts';
import type { WorkerDeploymentVersion } from '../../common/worker-deployments.ts';
import { ResourceBasedController, type ResourceBasedTunerOptions } from './resource-controller.ts';

export interface WorkflowSlotInfo {
  type: 'workflow';
  workflowType: string;
  /** The task came to this worker because it keeps the execution warm. */
  isSticky: boolean;
}

export interface ActivitySlotInfo {
  type: 'activity';
  activityType: string;
}

export interface LocalActivitySlotInfo {
  type: 'local-activity';
  activityType: string;
}

export interface NexusSlotInfo {
  type: 'nexus';
  service: string;
  operation: string;
}

export type SlotInfo = WorkflowSlotInfo | ActivitySlotInfo | LocalActivitySlotInfo | NexusSlotInfo;

/** What a supplier hands out; it may put data of its own into it. */
// biome-ignore lint/suspicious/noEmptyInterface: users extend it.
export interface SlotPermit {}

/** For whom a slot is reserved. */
export interface SlotReserveContext {
  slotType: SlotInfo['type'];
  taskQueue: string;
  workerIdentity: string;
  /** @deprecated See `workerDeploymentVersion`. */
  workerBuildId: string;
  workerDeploymentVersion?: WorkerDeploymentVersion;
  /** False always: one credit is for sticky tasks and others. Which kind a task was, `markSlotUsed` learns. */
  isSticky: boolean;
}

export interface SlotMarkUsedContext<SI extends SlotInfo> {
  slotInfo: SI;
  permit: SlotPermit;
}

export interface SlotReleaseContext<SI extends SlotInfo> {
  /** Absent: the slot was not used. */
  slotInfo?: SI;
  permit: SlotPermit;
}

/** Never more than `numSlots`. */
export interface FixedSizeSlotSupplier {
  type: 'fixed-size';
  /** At least 1; of workflow tasks at least 2 where executions are kept warm. */
  numSlots: number;
}

/** A supplier of your own. What it throws is logged, and never fails a task. */
export interface CustomSlotSupplier<SI extends SlotInfo> {
  type: 'custom';
  /**
   * Resolves with a permit as soon as there is one. Called ahead of need: as often at once as the poller behavior says how much credit may be open.
   *
   * @param abortSignal The permit is not needed any more: reject with an AbortError. A permit that comes all the same is released.
   */
  reserveSlot(ctx: SlotReserveContext, abortSignal: AbortSignal): Promise<SlotPermit>;
  /** A permit at once, or null. Called when a task has ended, so that its answer can bring the next one, and for tasks that a server owed this worker. Must not block. */
  tryReserveSlot(ctx: SlotReserveContext): SlotPermit | null;
  /** A task begins to use the slot. Must not block. */
  markSlotUsed(ctx: SlotMarkUsedContext<SI>): void;
  /** The permit is not needed any more: its task has ended, or none came. Must not block. */
  releaseSlot(ctx: SlotReleaseContext<SI>): void;
}

export interface ResourceBasedSlotOptions {
  /** Handed out whatever the machine is doing. Default: 2 of workflow tasks, else 1. */
  minimumSlots?: number;
  /** Default: 1000 of workflow tasks, else 2000. */
  maximumSlots?: number;
  /** Beyond the minimum at least so long between two. Default: 10 ms of workflow tasks, else 50 ms. */
  rampThrottle?: Duration;
}

interface WithOptions {
  /** For a controller of this tuner's own. */
  tunerOptions: ResourceBasedTunerOptions;
  controller?: never;
}

interface WithController {
  /** May be shared by several tuners and workers of the process. */
  controller: ResourceBasedController;
  tunerOptions?: never;
}

/** Slots of one kind by what the machine has left. */
export type ResourceBasedSlotsForType = ResourceBasedSlotOptions &
  (WithOptions | WithController) & { type: 'resource-based' };

export type SlotSupplier<SI extends SlotInfo> =
  | ResourceBasedSlotsForType
  | FixedSizeSlotSupplier
  | CustomSlotSupplier<SI>;

interface ResourceBasedKinds {
  workflowTaskSlotOptions?: ResourceBasedSlotOptions;
  activityTaskSlotOptions?: ResourceBasedSlotOptions;
  localActivityTaskSlotOptions?: ResourceBasedSlotOptions;
  nexusTaskSlotOptions?: ResourceBasedSlotOptions;
}

/** All kinds by what the machine has left. */
export interface ResourceBasedTuner extends ResourceBasedKinds, WithOptions {}
export interface ResourceBasedTunerWithController extends ResourceBasedKinds, WithController {}

/** A supplier per kind. Those that are resource-based must share one controller, or the same options. */
export interface TunerHolder {
  workflowTaskSlotSupplier: SlotSupplier<WorkflowSlotInfo>;
  activityTaskSlotSupplier: SlotSupplier<ActivitySlotInfo>;
  localActivityTaskSlotSupplier: SlotSupplier<LocalActivitySlotInfo>;
  nexusTaskSlotSupplier: SlotSupplier<NexusSlotInfo>;
}

/** Decides how many tasks of each kind a worker has at a time. */
export type WorkerTuner = ResourceBasedTuner | ResourceBasedTunerWithController | TunerHolder;

/** A resource-based supplier with its defaults. */
export interface CompiledResourceBased {
  readonly type: 'resource-based';
  readonly controller: ResourceBasedController;
  readonly minimumSlots: number;
  readonly maximumSlots: number;
  readonly rampThrottleMs: number;
}

export type CompiledSupplier<SI extends SlotInfo> =
  | FixedSizeSlotSupplier
  | CustomSlotSupplier<SI>
  | CompiledResourceBased;

export interface CompiledTuner {
  readonly workflow: CompiledSupplier<WorkflowSlotInfo>;
  readonly activity: CompiledSupplier<ActivitySlotInfo>;
  readonly localActivity: CompiledSupplier<LocalActivitySlotInfo>;
  readonly nexus: CompiledSupplier<NexusSlotInfo>;
}

type Kind = keyof CompiledTuner;

/** @throws ValueError or TypeError naming what cannot be meant. */
export function compileTuner(tuner: WorkerTuner, leastWorkflowSlots: number): CompiledTuner {
  const given = isHolder(tuner) ? tuner : sameForAll(tuner);
  const controllerOf = oneController();
  const compile = <SI extends SlotInfo>(kind: Kind, supplier: SlotSupplier<SI>): CompiledSupplier<SI> => {
    const least = kind === 'workflow' ? leastWorkflowSlots : 1;
    switch (supplier.type) {
      case 'fixed-size':
        return { ...supplier, numSlots: atLeast(`${kind} slots: numSlots`, supplier.numSlots, least) };
      case 'custom':
        return supplier;
      case 'resource-based': {
        const isWorkflow = kind === 'workflow';
        const minimumSlots = atLeast(`${kind} slots: minimumSlots`, supplier.minimumSlots ?? least, least);
        const maximumSlots = supplier.maximumSlots ?? (isWorkflow ? 1000 : 2000);
        return {
          type: 'resource-based',
          controller: controllerOf(supplier),
          minimumSlots,
          maximumSlots: atLeast(`${kind} slots: maximumSlots`, maximumSlots, minimumSlots),
          rampThrottleMs: msToNumber(supplier.rampThrottle ?? (isWorkflow ? 10 : 50)),
        };
      }
    }
  };
  return {
    workflow: compile('workflow', given.workflowTaskSlotSupplier),
    activity: compile('activity', given.activityTaskSlotSupplier),
    localActivity: compile('localActivity', given.localActivityTaskSlotSupplier),
    nexus: compile('nexus', given.nexusTaskSlotSupplier),
  };
}

const isHolder = (tuner: WorkerTuner): tuner is TunerHolder => 'workflowTaskSlotSupplier' in tuner;

function sameForAll(tuner: ResourceBasedTuner | ResourceBasedTunerWithController): TunerHolder {
  if (!('tunerOptions' in tuner) && !('controller' in tuner)) {
    throw new TypeError(
      'WorkerOptions.tuner needs tunerOptions, a controller, or a slot supplier for each kind of task',
    );
  }
  const shared: WithOptions | WithController =
    tuner.controller === undefined ? { tunerOptions: tuner.tunerOptions } : { controller: tuner.controller };
  const supplier = (options: ResourceBasedSlotOptions | undefined): ResourceBasedSlotsForType => ({
    type: 'resource-based',
    ...options,
    ...shared,
  });
  return {
    workflowTaskSlotSupplier: supplier(tuner.workflowTaskSlotOptions),
    activityTaskSlotSupplier: supplier(tuner.activityTaskSlotOptions),
    localActivityTaskSlotSupplier: supplier(tuner.localActivityTaskSlotOptions),
    nexusTaskSlotSupplier: supplier(tuner.nexusTaskSlotOptions),
  };
}

/** Of one tuner there is one controller, whichever of its suppliers asks. */
function oneController(): (config: WithOptions | WithController) => ResourceBasedController {
  let found: { config: WithOptions | WithController; controller: ResourceBasedController } | undefined;
  return (config) => {
    if ((config.controller === undefined) === (config.tunerOptions === undefined)) {
      throw new TypeError('A resource-based tuner has either a controller or tunerOptions');
    }
    if (config.controller !== undefined && !(config.controller instanceof ResourceBasedController)) {
      throw new TypeError('The controller of a resource-based tuner is made by ResourceBasedController.create');
    }
    found ??= { config, controller: config.controller ?? ResourceBasedController.create(config.tunerOptions) };
    const same =
      config.controller === found.config.controller &&
      config.tunerOptions?.targetCpuUsage === found.config.tunerOptions?.targetCpuUsage &&
      config.tunerOptions?.targetMemoryUsage === found.config.tunerOptions?.targetMemoryUsage;
    if (!same)
      throw new TypeError('The resource-based suppliers of one tuner share one controller, or the same options');
    return found.controller;
  };
}

function atLeast(name: string, value: number, minimum: number): number {
  if (!Number.isInteger(value) || value < minimum) {
    throw new ValueError(`WorkerOptions.tuner: ${name} must be an integer of at least ${minimum}, got ${value}`);
  }
  return value;
}

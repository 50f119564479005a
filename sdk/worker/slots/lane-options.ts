// What a worker's parts say of themselves to the suppliers of their slots. Used by worker-engine.ts and nexus-worker.ts.

import type { Logger } from '../../common/logger.ts';
import type { CompiledWorkerOptions } from '../options.ts';
import type { LaneOptions } from './lane.ts';
import type { CompiledPollerBehavior } from './poller-behavior.ts';
import type { CompiledSupplier, SlotInfo, SlotReserveContext } from './tuner.ts';

export interface LaneParts {
  options: Pick<CompiledWorkerOptions, 'taskQueue' | 'deployment'>;
  identity: string;
  buildId: string;
  logger: Logger;
}

/** @param supplier Undefined: the worker does not take tasks of this kind. */
export function laneOptions<SI extends SlotInfo>(
  parts: LaneParts,
  slotType: SI['type'],
  supplier: CompiledSupplier<SI> | undefined,
  pollers: CompiledPollerBehavior,
): LaneOptions<SI> {
  const { logger } = parts;
  return {
    supplier: supplier ?? { type: 'fixed-size', numSlots: 0 },
    pollers,
    context: slotContext(parts, slotType),
    logger,
  };
}

/** For whom a supplier reserves. */
export function slotContext(
  { options, identity, buildId }: Omit<LaneParts, 'logger'>,
  slotType: SlotInfo['type'],
): SlotReserveContext {
  const version = options.deployment?.version;
  return {
    ...{ slotType, taskQueue: options.taskQueue, workerIdentity: identity, workerBuildId: buildId, isSticky: false },
    ...(version !== undefined && { workerDeploymentVersion: { ...version } }),
  };
}

// What the steps of clients and of workers share.

import type { Plain } from '../side.ts';
import type { Options } from './step.ts';
import type { World } from './world.ts';

export type Act = (world: World, on: number, options: Options) => Promise<void>;

export const workflowId = (world: World, on: number): string => world.id('w', on);
export const workflowQueue = (world: World, on: number): string => world.id('q', on);
export const executionOf = (world: World, on: number): Plain => ({ workflowId: workflowId(world, on) });

export const TASK_SCHEDULED = 'PENDING_WORKFLOW_TASK_STATE_SCHEDULED';
export const PAUSED = 'WORKFLOW_EXECUTION_STATUS_PAUSED';

interface Described {
  readonly workflowExecutionInfo?: { readonly status?: string };
  readonly pendingWorkflowTask?: { readonly state?: string };
  readonly pendingActivities?: readonly Plain[];
}

/** As it was after the last step. */
export const described = (world: World, on: number): Described => (world.last(`describe ${on}`) ?? {}) as Described;

// What a core and the process that started it say to each other about the coordinator: the port's calls, one by one. Both are the same build of the
// same program, so nothing here is checked again.

import type { Coordinator } from '../../../src/ports/coordinator.ts';

/** The calls of the port that are answered from what is stored. */
export type CoordinatorMethod = Exclude<keyof Coordinator, 'state' | 'isListener' | 'arrivals' | 'close'>;

/** `id` is unique for the process that asks. */
export type CoordinatorCall = {
  [M in CoordinatorMethod]: {
    readonly type: 'coordinatorCall';
    readonly id: number;
    readonly method: M;
    readonly args: Parameters<Coordinator[M]>;
  };
}[CoordinatorMethod];

export interface CoordinatorAnswer {
  readonly type: 'coordinatorAnswer';
  readonly id: number;
  /** Of `holdSession`: who has it instead; undefined when it is held. */
  readonly value: unknown;
}

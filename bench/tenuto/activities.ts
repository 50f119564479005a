// The one step of the bench's workflows: does nothing, and shows that it ran.

import type { WorkResult } from '../lib/model.ts';

export async function advance({ value, n }: WorkResult): Promise<WorkResult> {
  return { value, n: n + 1 };
}

export interface Activities {
  advance(at: WorkResult): Promise<WorkResult>;
}

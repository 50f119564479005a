// The step of the bench's workflows: does nothing, and shows that it ran. And one that makes something large.

import type { WorkResult } from '../lib/model.ts';

export async function advance({ value, n }: WorkResult): Promise<WorkResult> {
  return { value, n: n + 1 };
}

export async function grow(bytes: number): Promise<string> {
  return 'x'.repeat(bytes);
}

export interface Activities {
  advance(at: WorkResult): Promise<WorkResult>;
  grow(bytes: number): Promise<string>;
}

// `--priority-key`, `--fairness-key` and `--fairness-weight` of what starts workflows and activities.

import type { Command } from 'commander';
import type { Priority } from '../../sdk/common/index.ts';
import { UsageError } from './exit-codes.ts';

export interface PriorityFlags {
  priorityKey?: string;
  fairnessKey?: string;
  fairnessWeight?: string;
}

export const withPriority = (command: Command): Command =>
  command
    .option('--priority-key <n>', '1 (first) to 5 (default 3): which tasks of its queue come before others')
    .option(
      '--fairness-key <key>',
      'e.g. a tenant: keys share the workers of a queue by their weights; 64 bytes at most',
    )
    .option('--fairness-weight <weight>', 'of its fairness key: 0.001 to 1000 (default 1)');

/** Undefined: nothing was said. */
export function priorityOf({ priorityKey, fairnessKey, fairnessWeight }: PriorityFlags): Priority | undefined {
  if (priorityKey === undefined && fairnessKey === undefined && fairnessWeight === undefined) return undefined;
  return {
    ...(priorityKey !== undefined && { priorityKey: keyOf(priorityKey) }),
    ...(fairnessKey !== undefined && { fairnessKey }),
    ...(fairnessWeight !== undefined && { fairnessWeight: weightOf(fairnessWeight) }),
  };
}

/** What is asked of a priority that there is already: zeros and an empty key take a part back. Undefined: nothing was said. */
export function priorityChange(flags: PriorityFlags): { priority: Priority; updateMask: string[] } | undefined {
  const given = Object.entries(flags).filter(([name, value]) => isPart(name) && value !== undefined);
  if (given.length === 0) return undefined;
  const left = Object.fromEntries(given.filter(([, value]) => value !== '' && value !== '0'));
  return { priority: priorityOf(left) ?? {}, updateMask: given.map(([name]) => `priority.${name}`) };
}

const isPart = (name: string): boolean => name === 'priorityKey' || name === 'fairnessKey' || name === 'fairnessWeight';

function keyOf(text: string): number {
  const key = Number(text);
  if (!Number.isSafeInteger(key) || key < 1)
    throw new UsageError(`--priority-key takes a whole number from 1, not ${text}`);
  return key;
}

function weightOf(text: string): number {
  const weight = text === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(weight) || weight <= 0)
    throw new UsageError(`--fairness-weight takes a number above 0, e.g. 2.5, not ${text}`);
  return weight;
}

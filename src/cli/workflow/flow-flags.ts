// Flags of flow control, for what starts workflows and activities.

import { type Command, Option } from 'commander';
import type { FlowControl } from '../../../sdk/common/index.ts';
import { msToNumber } from '../../../sdk/common/time.ts';
import { UsageError } from '../exit-codes.ts';

export interface FlowFlags {
  flowKey?: string;
  flowScope?: 'namespace' | 'taskQueue';
  flowConcurrency?: string;
  flowThrottle?: string;
  flowDebounce?: string;
  flowSingleton?: NonNullable<FlowControl['singleton']>;
  flowWhenFull?: 'queue' | 'reject';
}

export function withFlow(command: Command): Command {
  return withActivityFlow(command)
    .option('--flow-debounce <quiet[/max]>', 'only the last start within a quiet period runs, e.g. 5s or 5s/1m')
    .addOption(
      new Option('--flow-singleton <policy>', 'one of the key runs; what a second start does').choices([
        'reject',
        'useExisting',
        'terminateExisting',
        'cancelExisting',
      ]),
    );
}

/** What activities can keep to. */
export function withActivityFlow(command: Command): Command {
  return command
    .option('--flow-key <key>', 'flow-control key: what the limits below are counted by')
    .addOption(new Option('--flow-scope <scope>', 'where the key is one').choices(['namespace', 'taskQueue']))
    .option('--flow-concurrency <n>', 'at most so many of the key run at a time')
    .option('--flow-throttle <n/period>', 'at most so many of the key begin within any period, e.g. 100/1m')
    .addOption(new Option('--flow-when-full <what>', 'where there is no room').choices(['queue', 'reject']));
}

export function flowControlOf(flags: FlowFlags): FlowControl | undefined {
  const { flowKey: key, flowScope, flowConcurrency, flowThrottle, flowDebounce, flowSingleton, flowWhenFull } = flags;
  if (key === undefined) {
    const [given] = Object.entries(flags).find(([name, value]) => name.startsWith('flow') && value !== undefined) ?? [];
    if (given !== undefined) throw new UsageError('flow control is counted by a key: name it with --flow-key');
    return undefined;
  }
  const flow: FlowControl = { key };
  if (flowScope !== undefined) flow.scope = flowScope;
  if (flowConcurrency !== undefined) flow.concurrency = { limit: count(flowConcurrency, '--flow-concurrency') };
  if (flowThrottle !== undefined) {
    const { limit, periodMs } = throttleOf(flowThrottle, '--flow-throttle');
    flow.throttle = { limit, period: periodMs };
  }
  if (flowDebounce !== undefined) {
    const [quiet = 0, maxWait] = flowDebounce.split('/').map((text) => duration(text, '--flow-debounce'));
    flow.debounce = maxWait === undefined ? { quiet } : { quiet, maxWait };
  }
  if (flowSingleton !== undefined) flow.singleton = flowSingleton;
  if (flowWhenFull !== undefined) flow.whenFull = flowWhenFull;
  return flow;
}

/** `100/1m`. */
export function throttleOf(text: string, flag: string): { limit: number; periodMs: number } {
  const [limit = '', period = ''] = text.split('/');
  try {
    return { limit: count(limit, flag), periodMs: msToNumber(period) };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${flag} takes a number and a period, e.g. 100/1m, not ${text}`);
  }
}

export function count(text: string, flag: string): number {
  const value = text === '' ? Number.NaN : Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new UsageError(`${flag} takes a whole number from 0, not ${text}`);
  return value;
}

function duration(text: string, flag: string): number {
  try {
    return msToNumber(text);
  } catch {
    throw new UsageError(`${flag} takes durations, e.g. 5s or 5s/1m, not ${text}`);
  }
}

// `--watch`: the same again and again, on a terminal in the same place, until Ctrl-C. A node that is away for a while is waited for.

import { setTimeout as sleep } from 'node:timers/promises';
import { msToNumber } from '../../../sdk/common/index.ts';
import type { Session } from '../connect.ts';
import { describeForPeople, exitCodeOf } from '../errors.ts';
import { ExitCode } from '../exit-codes.ts';

export interface WatchFlags {
  /** True without a duration. */
  watch?: string | true;
}

const WATCH_EVERY_MS = 2_000;
const CLEAR = '\u001b[H\u001b[2J';

export async function watching({ output }: Session, { watch }: WatchFlags, show: () => Promise<void>): Promise<void> {
  if (watch === undefined) return await show();
  const everyMs = watch === true ? WATCH_EVERY_MS : Math.max(1, msToNumber(watch));
  const clear = output.format === 'table' && process.stdout.isTTY === true;
  for (;;) {
    if (clear) process.stdout.write(CLEAR);
    await tolerating(show);
    await sleep(everyMs);
  }
}

/** Runs it; what goes away by waiting is said on stderr. @returns whether it worked */
export async function tolerating(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (exitCodeOf(error) !== ExitCode.UNAVAILABLE) throw error;
    process.stderr.write(`tenuto: ${describeForPeople(error)[0] ?? ''} (trying again)\n`);
    return false;
  }
}

// Kills the node and the worker at seeded random moments for as long as the run lasts, and starts them again.

import { setTimeout as sleep } from 'node:timers/promises';
import { randomStream } from '../random.ts';
import type { Child } from './child.ts';

export interface Kill {
  victim: string;
  pid: number | undefined;
  /** From the kill until it served again. */
  downMs: number;
}

/** Between the moment everything serves and the next kill. */
const CALM_MS = { least: 500, most: 3_000 };
/** How long a victim stays dead before it is started. */
const DEAD_MS = { least: 0, most: 600 };
/** A share of kills takes all victims at once, as a power cut would. */
const POWER_CUT_SHARE = 0.2;

/** Runs until `signal` is aborted; what it killed is up again when it resolves. */
export async function runChaos(
  victims: readonly Child[],
  seed: number,
  events: { killed(victim: string, pid: number | undefined): void; restarted(kill: Kill): void },
  signal: AbortSignal,
): Promise<void> {
  const random = randomStream(seed);
  const between = (range: { least: number; most: number }) => range.least + random() * (range.most - range.least);
  while (!signal.aborted) {
    await sleep(between(CALM_MS), undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const one = victims[Math.floor(random() * victims.length)];
    const chosen = random() < POWER_CUT_SHARE || one === undefined ? victims : [one];
    await Promise.all(
      chosen.map(async (victim) => {
        const deadFor = between(DEAD_MS);
        // One that somebody else has just killed is being revived by its supervisor.
        if (!victim.isUp) return;
        const { pid } = victim;
        const killedAt = performance.now();
        events.killed(victim.name, pid);
        await victim.kill();
        await sleep(deadFor);
        await victim.restart();
        events.restarted({ victim: victim.name, pid, downMs: Math.round(performance.now() - killedAt) });
      }),
    );
  }
}

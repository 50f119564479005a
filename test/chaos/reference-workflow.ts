// The workflow whose every event position is tried: activities with a retry and a heartbeat, one that may run at most once, a local
// activity, a timer, signals, and continue-as-new in the middle.

import {
  ActivityFailure,
  condition,
  continueAsNew,
  defineSignal,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
} from 'tenuto/workflow';

export interface ReferenceActivities {
  retried(): Promise<number>;
  beaten(): Promise<number>;
  once(): Promise<'done'>;
  local(where: string): Promise<string>;
  greet(whom: string): Promise<string>;
}

export interface ReferenceInput {
  /** How long an activity may take before it counts as lost, ms. */
  patienceMs: number;
  /** What the first run hands to the second. */
  carried?: { retried: number; beaten: number; once: 'done' | 'lost'; signals: string[] };
}

export interface ReferenceResult {
  retried: number;
  beaten: number;
  local: string;
  /** `lost`: it was started, and nobody knows how it ended. */
  once: 'done' | 'lost';
  signals: string[];
  greeted: string;
}

const note = defineSignal<[string]>('note');

export async function reference({ patienceMs, carried }: ReferenceInput): Promise<ReferenceResult> {
  const retry = { initialInterval: 20, backoffCoefficient: 1 };
  const { retried, beaten, greet } = proxyActivities<ReferenceActivities>({ startToCloseTimeout: patienceMs, retry });
  const { once } = proxyActivities<ReferenceActivities>({
    startToCloseTimeout: patienceMs,
    retry: { maximumAttempts: 1 },
  });
  const { local } = proxyLocalActivities<ReferenceActivities>({ startToCloseTimeout: patienceMs, retry });
  const signals = carried?.signals ?? [];
  setHandler(note, (text) => {
    signals.push(text);
  });

  if (carried === undefined) {
    const first = await retried();
    const [second, third] = await Promise.all([beaten(), once().catch(lost)]);
    await condition(() => signals.length >= 2);
    await continueAsNew<typeof reference>({
      patienceMs,
      carried: { retried: first, beaten: second, once: third, signals: signals.splice(0) },
    });
    throw new Error('not reached');
  }
  const answered = await local('here');
  await sleep(30);
  await condition(() => signals.length >= 3);
  return { ...carried, local: answered, signals, greeted: await greet(signals.join('+')) };
}

function lost(error: unknown): 'lost' {
  if (error instanceof ActivityFailure) return 'lost';
  throw error;
}

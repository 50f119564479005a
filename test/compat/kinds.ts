// Workflows of the official SDK, of the kinds that its samples show: a saga, an early return, a mutex, polling, a schedule's work, what is reset, paused
// and retried. Bundled with those of workflows.ts.

import * as wf from '@temporalio/workflow';

interface Activities {
  greet(name: string): Promise<string>;
  book(what: string): Promise<string>;
  undo(what: string): Promise<void>;
  poll(id: string): Promise<string>;
  obey(id: string): Promise<string>;
  beat(): Promise<string>;
}

const { greet, book, undo } = wf.proxyActivities<Activities>({
  startToCloseTimeout: '10 seconds',
  retry: { maximumAttempts: 1 },
});
const { poll } = wf.proxyActivities<Activities>({
  startToCloseTimeout: '5 seconds',
  retry: { initialInterval: '20 milliseconds', backoffCoefficient: 1 },
});
const { obey } = wf.proxyActivities<Activities>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '1 hour' },
});
const { beat } = wf.proxyActivities<Activities>({ startToCloseTimeout: '30 seconds', heartbeatTimeout: '10 seconds' });

/** Undoes what was done, the last first, when one step fails. */
export async function saga(steps: string[]): Promise<string[]> {
  const undone: string[] = [];
  const compensations: (() => Promise<void>)[] = [];
  try {
    for (const step of steps) {
      compensations.unshift(async () => {
        await undo(step);
        undone.push(step);
      });
      await book(step);
    }
    return [];
  } catch {
    for (const compensate of compensations) await compensate();
    return undone;
  }
}

export const confirmed = wf.defineUpdate<string>('confirmed');

/** Tells its caller that it is on its way, and goes on. */
export async function earlyReturn(): Promise<string> {
  let first: string | undefined;
  wf.setHandler(confirmed, async () => {
    await wf.condition(() => first !== undefined);
    return first ?? '';
  });
  first = await greet('early');
  await wf.sleep('30 milliseconds');
  return `${first} And done.`;
}

export const acquire = wf.defineSignal<[string]>('acquire');
export const acquired = wf.defineSignal('acquired');
export const release = wf.defineSignal<[string]>('release');

/** Whoever signals it gets the lock in its turn. Ends when nobody waits. */
export async function mutex(): Promise<string[]> {
  const waiting: string[] = [];
  const served: string[] = [];
  let holder: string | undefined;
  wf.setHandler(acquire, (id) => {
    waiting.push(id);
  });
  wf.setHandler(release, (id) => {
    if (holder === id) holder = undefined;
  });
  while (await wf.condition(() => waiting.length > 0, '2 seconds')) {
    holder = waiting.shift();
    if (holder === undefined) continue;
    served.push(holder);
    await wf.getExternalWorkflowHandle(holder).signal(acquired);
    await wf.condition(() => holder === undefined);
    if (served.length === 3) break;
  }
  return served;
}

/** Works while it holds the lock. */
export async function locked(mutexId: string): Promise<string> {
  let mine = false;
  wf.setHandler(acquired, () => {
    mine = true;
  });
  const lock = wf.getExternalWorkflowHandle(mutexId);
  await lock.signal(acquire, wf.workflowInfo().workflowId);
  await wf.condition(() => mine);
  const said = await greet('locked');
  await lock.signal(release, wf.workflowInfo().workflowId);
  return said;
}

/** An activity that fails until what it waits for is there. */
export async function polling(id: string): Promise<string> {
  return await poll(id);
}

export async function obedient(id: string): Promise<string> {
  return await obey(id);
}

export async function beating(): Promise<string> {
  return await beat();
}

export const tick = wf.defineSignal('tick');
export const ticks = wf.defineQuery<number>('ticks');

export const countUp = wf.defineUpdate<void, [number]>('countUp');

/** What is reset to its first task hears its signals and updates again. */
export async function ticking(): Promise<string> {
  let count = 0;
  wf.setHandler(countUp, (by) => {
    count += by;
  });
  wf.setHandler(tick, () => {
    count += 1;
  });
  wf.setHandler(ticks, () => count);
  const said = await greet('ticking');
  await wf.condition(() => count >= 2);
  return `${said} ${count}`;
}

export async function timed(): Promise<number> {
  return wf.workflowInfo().attempt;
}

/** Fails twice, then succeeds, and is started again by its own policy. */
export async function retriedWhole(): Promise<number> {
  const { attempt } = wf.workflowInfo();
  if (attempt < 3) throw wf.ApplicationFailure.create({ message: `attempt ${attempt}` });
  return attempt;
}

/** Several activities at once, and the local kind. */
export async function fan(width: number): Promise<string[]> {
  const { greet: here } = wf.proxyLocalActivities<Activities>({ startToCloseTimeout: '5 seconds' });
  const names = Array.from({ length: width }, (_, i) => String(i));
  return await Promise.all(names.map((name, i) => (i % 2 === 0 ? greet(name) : here(name))));
}

/** Three greetings, half of `days` apart. */
export async function monthly(days: number): Promise<string[]> {
  const said: string[] = [];
  for (const day of [0, days / 2, days]) {
    if (day > 0) await wf.sleep(`${days / 2} days`);
    said.push(await greet(`day ${day}`));
  }
  return said;
}

/** Waits an hour between its attempts. */
export async function patient(id: string): Promise<string> {
  const { poll: hourly } = wf.proxyActivities<Activities>({
    startToCloseTimeout: '5 seconds',
    retry: { initialInterval: '1 hour', backoffCoefficient: 1 },
  });
  return await hourly(id);
}

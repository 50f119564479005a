// Messages to a workflow: queries, updates with validators and activities, signals; and handlers that must not get into each other's way.

import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  currentUpdateInfo,
  defineQuery,
  defineSignal,
  defineUpdate,
  log,
  proxyActivities,
  setHandler,
  sleep,
  Trigger,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from './activities.ts';

const { greet } = proxyActivities<Activities>({ startToCloseTimeout: '10 seconds' });

export type Language = 'ENGLISH' | 'FRENCH' | 'SPANISH';
export const getLanguages = defineQuery<Language[], [{ includeUnsupported: boolean }]>('getLanguages');
export const getLanguage = defineQuery<Language>('getLanguage');
export const setLanguage = defineUpdate<Language, [Language]>('setLanguage');
export const setLanguageByActivity = defineUpdate<Language, [Language]>('setLanguageByActivity');
export const approve = defineSignal<[{ name: string }]>('approveGreeting');

export async function greeting(): Promise<string> {
  const greetings: Partial<Record<Language, string>> = { ENGLISH: 'Hello, world', SPANISH: 'Hola, mundo' };
  let approvedBy: string | undefined;
  let language: Language = 'ENGLISH';
  const lock = new Lock();
  const trigger = new Trigger<string>();
  setHandler(getLanguages, ({ includeUnsupported }) => {
    const known = Object.keys(greetings) as Language[];
    return includeUnsupported ? [...known, 'FRENCH'] : known;
  });
  setHandler(getLanguage, () => language);
  setHandler(
    setLanguage,
    (wanted) => {
      const before = language;
      language = wanted;
      return before;
    },
    {
      validator: (wanted) => {
        if (!(wanted in greetings)) throw new Error(`${wanted} is not supported`);
      },
    },
  );
  setHandler(setLanguageByActivity, (wanted) =>
    lock.run(async () => {
      if (!(wanted in greetings)) {
        const said = await greet(`${currentUpdateInfo()?.name} ${wanted}`);
        if (said === '') throw ApplicationFailure.create({ message: `nobody greets in ${wanted}` });
        greetings[wanted] = said;
      }
      const before = language;
      language = wanted;
      return before;
    }),
  );
  setHandler(approve, ({ name }) => {
    approvedBy = name;
    trigger.resolve(name);
  });
  log.info(`approved by ${await trigger}`, { workflow: workflowInfo().workflowType });
  await condition(() => approvedBy !== undefined && allHandlersFinished());
  return `${greetings[language]}`;
}

/** One at a time, in the order of asking. */
class Lock {
  #held: Promise<unknown> = Promise.resolve();

  async run<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#held.then(work);
    this.#held = mine.catch(() => {});
    return await mine;
  }
}

export const startCluster = defineSignal('startCluster');
export const assignNodes = defineUpdate<string[], [{ job: string; nodes: number }]>('assignNodes');
export const unassignNodes = defineUpdate<number, [string]>('unassignNodes');
export const stopCluster = defineSignal('stopCluster');

/** Hands out nodes: two handlers that wait never give the same one away. */
export async function clusterManager(): Promise<{ assigned: number }> {
  const free = Array.from({ length: 10 }, (_, n) => `node-${n}`);
  const jobs = new Map<string, string[]>();
  const lock = new Lock();
  let [started, stopped] = [false, false];
  setHandler(startCluster, () => {
    started = true;
  });
  setHandler(stopCluster, () => {
    stopped = true;
  });
  setHandler(assignNodes, async ({ job, nodes }) => {
    await condition(() => started);
    return await lock.run(async () => {
      const known = jobs.get(job);
      // Asked again, by a client that did not hear the answer.
      if (known !== undefined) return known;
      if (free.length < nodes) throw ApplicationFailure.nonRetryable(`only ${free.length} nodes are free`);
      const mine = free.slice(0, nodes);
      await sleep('1 millisecond');
      free.splice(0, nodes);
      jobs.set(job, mine);
      return mine;
    });
  });
  setHandler(unassignNodes, async (job) =>
    lock.run(async () => {
      await greet(job);
      const mine = jobs.get(job) ?? [];
      jobs.delete(job);
      free.push(...mine);
      return mine.length;
    }),
  );
  await condition(() => stopped);
  await condition(allHandlersFinished);
  return { assigned: [...jobs.values()].flat().length };
}

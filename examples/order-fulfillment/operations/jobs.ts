// Activities without a workflow: each has one outcome, the same however often it is asked for, and is counted once.

import { defaultPayloadConverter } from 'tenuto/client';
import type { ActivityExecutionOutcome } from '../../../src/wire/activity.ts';
import { TASK_QUEUE } from '../model.ts';
import { type Caller, IDENTITY, NAMESPACE, payloadsOf } from './caller.ts';
import type { Lane } from './lane.ts';

const TEXTS = ['good-0', 'good-1', 'bad-0'];

interface Job {
  readonly activityId: string;
  readonly text: string;
  readonly outcome: string;
}

export function jobs(caller: Caller): Lane<readonly Job[]> {
  const namespace = NAMESPACE;
  const outcomeOf = (activityId: string): Promise<string> =>
    caller.sure(`outcome of ${activityId}`, async () => {
      const { outcome } = await caller.connection.request('pollActivityExecution', { namespace, activityId });
      if (outcome === undefined) throw new Error('not yet');
      return said(outcome);
    });
  return {
    name: 'activities without a workflow',
    holds: 'one outcome each, counted once',
    counts: (all) => all.length,

    perform: (n) =>
      Promise.all(
        TEXTS.map(async (text) => {
          const activityId = caller.id(`job-${n}-${text}`);
          await caller.insist('startActivityExecution', {
            ...{ namespace, activityId, activityType: 'job', taskQueue: TASK_QUEUE, identity: IDENTITY },
            ...{ requestId: `${activityId}/start`, input: payloadsOf(text), startToCloseTimeout: 2_000 },
            retryPolicy: { initialInterval: 100, maximumInterval: 1_000 },
          });
          return { activityId, text, outcome: await outcomeOf(activityId) };
        }),
      ),

    async wrong(all) {
      for (const { activityId, text, outcome } of all) {
        const again = await outcomeOf(activityId);
        if (again !== outcome) return `${activityId} ended as ${outcome}, and later as ${again}`;
        const wanted = text.startsWith('bad') ? `failed: ${text} is refused` : `${text} is done`;
        if (outcome !== wanted) return `${activityId} ended as ${outcome}, not ${wanted}`;
      }
      return undefined;
    },

    async together(all) {
      const query = `ActivityId STARTS_WITH '${caller.id('job-')}'`;
      const { count } = await caller.sure('countActivityExecutions', () =>
        caller.connection.request('countActivityExecutions', { namespace, query }),
      );
      const started = all.flat().length;
      return count === started ? undefined : `${count} are there, ${started} were started`;
    },
  };
}

function said({ result, failure }: ActivityExecutionOutcome): string {
  const [payload] = result?.payloads ?? [];
  if (payload === undefined) return `failed: ${failure?.message}`;
  return String(defaultPayloadConverter.fromPayload(payload));
}

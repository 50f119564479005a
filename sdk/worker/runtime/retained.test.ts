// A warm execution keeps what its code can still reach, and not what it once asked for: a run of a month may have asked for a million things.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { EventType } from '../../../src/wire/enums.ts';
import { realmOf, TestRun } from './test-run.test-support.ts';

const ROUNDS = 200;
/** Of the argument of each round; bytes in a realm's string. */
const ARGUMENT_BYTES = 50_000;

const WORKFLOWS = `
import { condition, defineSignal, getExternalWorkflowHandle, proxyActivities, setHandler, startChild } from 'tenuto/workflow';
const { act } = proxyActivities({ startToCloseTimeout: '10s' });
const signal = defineSignal('go');
const large = (i) => String(i).padStart(${ARGUMENT_BYTES}, 'x');
export async function activities() { for (let i = 0; ; i++) await act(large(i)); }
export async function conditions() {
  let told = 0;
  setHandler(signal, () => { told += 1; });
  for (let i = 0; ; i++) { const argument = large(i).split(''); await condition(() => told > i && argument.length > 0); }
}
export async function children() { for (let i = 0; ; i++) await startChild('other', { workflowId: String(i), args: [large(i)] }); }
export async function signals() { for (let i = 0; ; i++) await getExternalWorkflowHandle('other').signal('go', large(i)); }
`;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function usedBytes(): number {
  // What is outside of the heap goes with the second.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const rounds: Record<string, (run: TestRun, round: number) => void> = {
  activities: (run, round) => run.completeActivity(String(round), null),
  conditions: (run) => run.signal('go'),
  children: (run, round) => {
    const workflowExecution = { workflowId: String(round - 1), runId: 'r' };
    const initiatedEventId = run.events.length;
    run.add(EventType.CHILD_WORKFLOW_EXECUTION_STARTED, {
      ...{ initiatedEventId, workflowExecution, workflowType: { name: 'other' } },
    });
  },
  signals: (run) => {
    const initiatedEventId = run.events.length;
    const workflowExecution = { workflowId: 'other', runId: 'r' };
    run.add(EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED, { initiatedEventId, workflowExecution });
  },
};

test.each(Object.keys(rounds))('of %s that are over the arguments are gone', async (type) => {
  const run = new TestRun(await realmOf(WORKFLOWS), type);
  run.task();
  let before = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    rounds[type]?.(run, round);
    run.task();
    // What the test itself would keep.
    for (const { attributes } of run.events) if ('input' in attributes) attributes.input = undefined;
    if (round === ROUNDS / 4) before = usedBytes();
  }
  const perRound = (usedBytes() - before) / (ROUNDS * 0.75);
  expect(perRound).toBeLessThan(ARGUMENT_BYTES / 4);
});

// What a workflow sees of the workflow task it is worked on in: the same when it is worked on and when it is replayed.
import { expect, test } from 'vitest';
import { EventType, SuggestContinueAsNewReason } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { HostDriver } from './host-driver.test-support.ts';
import { realmOf, TestRun, values } from './test-run.test-support.ts';

const realm = await realmOf(`import { sleep, workflowInfo } from 'tenuto/workflow';
export async function versions() {
  const seen = [];
  const note = () => {
    const i = workflowInfo();
    const own = i.currentDeploymentVersion === undefined || i.currentDeploymentVersion instanceof Object;
    seen.push([i.currentBuildId, i.currentDeploymentVersion, i.suggestedContinueAsNewReasons, i.targetWorkerDeploymentVersionChanged, own]);
  };
  note();
  await sleep(1000);
  note();
  return seen;
}
export async function original() { return workflowInfo().originalExecutionRunId; }
`);

const SHOP_1 = { deploymentName: 'shop', buildId: '1' };
const SHOP_2 = { deploymentName: 'shop', buildId: '2' };

/** Two tasks, the first of which a worker of another version completed. */
function historyBy(completedBy: object): { run: TestRun; events: HistoryEvent[] } {
  const run = new TestRun(realm, 'versions');
  run.task();
  run.fire('1');
  run.begin();
  const events = run.events.map((event): HistoryEvent => {
    if (event.eventType === EventType.WORKFLOW_TASK_COMPLETED)
      return { ...event, attributes: { ...event.attributes, ...completedBy } };
    if (event.eventType === EventType.WORKFLOW_TASK_STARTED && event.eventId > 4) {
      const suggestContinueAsNewReasons = [SuggestContinueAsNewReason.TOO_MANY_UPDATES];
      const news = { suggestContinueAsNewReasons, targetWorkerDeploymentVersionChanged: true };
      return { ...event, attributes: { ...event.attributes, ...news } };
    }
    return event;
  });
  return { run, events };
}

const seenBy = (driver: HostDriver, run: TestRun, events: readonly HistoryEvent[]): unknown => {
  driver.task(run, events);
  const [command] = driver.take('completed').request.commands;
  return command !== undefined && 'result' in command.attributes && values(command.attributes.result)[0];
};

test('the version of a task is that of the worker that completed it, then of this worker', () => {
  const { run, events } = historyBy({ deploymentVersion: SHOP_1 });
  expect(seenBy(new HostDriver(realm, { buildId: '2', version: SHOP_2 }), run, events)).toEqual([
    ['1', SHOP_1, null, false, true],
    ['2', SHOP_2, ['TOO_MANY_UPDATES'], true, true],
  ]);
});

test('of workers that are not chosen by version only the build is known', () => {
  const { run, events } = historyBy({ workerVersion: { buildId: 'abc' } });
  expect(seenBy(new HostDriver(realm, { buildId: 'def' }), run, events)).toEqual([
    ['abc', null, null, false, true],
    ['def', null, ['TOO_MANY_UPDATES'], true, true],
  ]);
});

test('the original run id is that of the first event', () => {
  const run = new TestRun(realm, 'original');
  run.task();
  expect(run.result).toBe(run.runId);
});

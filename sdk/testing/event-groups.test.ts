// Event groups against a real server: which events carry which markers. The expected ones were recorded with `@temporalio/*` 1.24.0 and the
// server of the `temporal` CLI 1.9.1, which ran this same code.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EventGroupMarker } from '../../src/wire/common.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { Context } from '../activity/index.ts';
import { defaultPayloadConverter } from '../common/index.ts';
import { Worker } from '../worker/index.ts';
import { TestWorkflowEnvironment } from './index.ts';

const CODE = `
  import * as wf from 'tenuto/workflow';
  const { act } = wf.proxyActivities({ startToCloseTimeout: '10s' });
  const { local } = wf.proxyLocalActivities({ startToCloseTimeout: '10s' });
  export async function child() { await wf.sleep('1 day'); }
  export async function grouped(again) {
    if (again) return 'done';
    const group = wf.createEventGroup('Group');
    const other = wf.createEventGroup('Other', { id: 'other' });
    let [signalled, updated] = [false, false];
    wf.setHandler(wf.defineSignal('signal'), async () => { await wf.sleep(10); await act('in the signal'); signalled = true; });
    wf.setHandler(wf.defineUpdate('update'), async () => { await wf.sleep(11); await other.withScope(() => act('in the update')); updated = true; });
    await act.executeWithOptions({ eventGroups: [group] }, ['a']);
    await local.executeWithOptions({ eventGroups: [group, other] }, ['b']);
    await wf.sleep(5, { eventGroups: [group] });
    await group.withScope(() => other.withScope(async () => {
      await act('in both scopes');
      wf.patched('patch');
      wf.upsertMemo({ a: 1 });
      const scope = new wf.CancellationScope();
      const running = scope.run(() => Promise.allSettled([
        wf.sleep('1 day'),
        wf.executeChild('child', { args: [], eventGroups: [wf.createEventGroup('children')] }),
        wf.scheduleActivity('slow', [], { startToCloseTimeout: '10s', cancellationType: 'TRY_CANCEL' }),
      ]));
      await wf.sleep(20);
      scope.cancel();
      await running;
      await wf.getExternalWorkflowHandle('nobody').signal('x').catch(() => {});
      await wf.getExternalWorkflowHandle('nobody').cancel().catch(() => {});
    }));
    await wf.condition(() => signalled && updated);
    await wf.makeContinueAsNewFunc({ eventGroups: [group] })(true);
  }
  export async function mistaken() { await wf.sleep(1, { eventGroups: [{ withScope: (fn) => fn() }] }); }`;

let folder: string;
let environment: TestWorkflowEnvironment;
let worker: Worker;
let running: Promise<void>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tenuto-groups-'));
  writeFileSync(join(folder, 'workflows.ts'), CODE);
  environment = await TestWorkflowEnvironment.createLocal();
  worker = await Worker.create({
    ...{ connection: environment.nativeConnection, taskQueue: 'groups' },
    workflowsPath: join(folder, 'workflows.ts'),
    // Each task replays: what is asked for again must be the same.
    maxCachedWorkflows: 0,
    activities: {
      act: async () => 1,
      local: async () => 2,
      slow: () => Context.current().cancelled,
    },
  });
  running = worker.run();
});
afterAll(async () => {
  worker?.shutdown();
  await running;
  await environment?.teardown();
  rmSync(folder, { recursive: true });
});

const NAMES = new Map<number, string>(Object.entries(EventType).map(([name, type]) => [type, name]));

it('markers are on the events of everything asked for in a group, as the reference has them', async () => {
  const { workflow } = environment.client;
  const handle = await workflow.start('grouped', { taskQueue: 'groups', workflowId: 'grouped', args: [false] });
  await handle.signal('signal');
  await handle.executeUpdate('update', { updateId: 'u-1' });
  await expect(handle.result()).resolves.toBe('done');
  const { events } = await workflow.getHandle('grouped', handle.firstExecutionRunId).fetchHistory();

  const idOf = (label: string): string =>
    createHash('sha1').update(`${handle.firstExecutionRunId}${label}`).digest('hex');
  const signalled = events.find(({ eventType }) => eventType === EventType.WORKFLOW_EXECUTION_SIGNALED)?.eventId;
  const nameOf = ({ label, inboundEvent, inboundUpdate }: EventGroupMarker): string => {
    if (inboundEvent !== undefined) return inboundEvent.inboundEventId === signalled ? 'signal' : 'another event';
    if (inboundUpdate !== undefined) return `update ${inboundUpdate.inboundUpdateId}`;
    const name: string = defaultPayloadConverter.fromPayload(label?.label ?? {});
    expect(label?.id).toBe(name === 'Other' ? 'other' : idOf(name));
    return name;
  };
  const marked = (events as HistoryEvent[]).flatMap(({ eventType, eventGroupMarkers }) =>
    eventGroupMarkers === undefined ? [] : [`${NAMES.get(eventType)}: ${eventGroupMarkers.map(nameOf).join(', ')}`],
  );
  expect(marked.sort()).toEqual(
    [
      'ACTIVITY_TASK_SCHEDULED: Group',
      'MARKER_RECORDED: Group, Other',
      'TIMER_STARTED: Group',
      'ACTIVITY_TASK_SCHEDULED: Group, Other',
      'MARKER_RECORDED: Group, Other',
      'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: Group, Other',
      'WORKFLOW_PROPERTIES_MODIFIED: Group, Other',
      'TIMER_STARTED: Group, Other',
      'START_CHILD_WORKFLOW_EXECUTION_INITIATED: Group, Other, children',
      'ACTIVITY_TASK_SCHEDULED: Group, Other',
      'TIMER_STARTED: Group, Other',
      'TIMER_STARTED: signal',
      'TIMER_STARTED: update u-1',
      'ACTIVITY_TASK_SCHEDULED: signal',
      'ACTIVITY_TASK_SCHEDULED: update u-1, Other',
      'TIMER_CANCELED: Group, Other',
      'REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: Group, Other, children',
      'ACTIVITY_TASK_CANCEL_REQUESTED: Group, Other',
      'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: Group, Other',
      'REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: Group, Other',
      'WORKFLOW_EXECUTION_CONTINUED_AS_NEW: Group',
    ].sort(),
  );
});

it('something else than a group fails the workflow task', async () => {
  const { workflow } = environment.client;
  const handle = await workflow.start('mistaken', { taskQueue: 'groups', workflowId: 'mistaken' });
  let failure: string | undefined;
  while (failure === undefined) {
    const { events } = await handle.fetchHistory();
    for (const event of events as HistoryEvent[]) {
      if (event.eventType === EventType.WORKFLOW_TASK_FAILED) failure = event.attributes.failure?.message ?? '';
    }
  }
  expect(failure).toContain('eventGroups takes what createEventGroup() returned');
  await handle.terminate();
});

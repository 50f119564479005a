// What is shown of a run that a chain goes on with: its own builds, and the request it began by.
import { expect, describe as group, it } from 'vitest';
import type { Command } from '../../wire/command.ts';
import { EventType, WorkflowIdReusePolicy } from '../../wire/enums.ts';
import { ownRequestId } from '../../wire/run-id.ts';
import { describe } from './describe.ts';
import { foldEvents } from './fold.ts';
import { command, payloads, World } from './testing.ts';

const decoder = new TextDecoder();
const UUID = '01a229a9-bc8e-767f-8deb-6dbd6d326e02';

function shown(w: World, runId?: string) {
  const described = describe(w.state, runId);
  const builds = described?.workflowExecutionInfo.searchAttributes?.indexedFields?.BuildIds?.data;
  return {
    builds: builds && (JSON.parse(decoder.decode(builds)) as string[]),
    points: described?.autoResetPoints.map(({ buildId }) => buildId),
    requests: Object.keys(described?.workflowExtendedInfo?.requestIdInfos ?? {}),
  };
}

/** A worker of this build has the task. */
const work = (w: World, buildId: string, ...commands: Command[]): void => {
  const { ref } = w.takeWorkflowTask({ workerVersion: { buildId } });
  w.accept({ ...w.completeMessage(ref, commands), workerVersion: { buildId } });
};

group('a run that a chain goes on with', () => {
  it('has the builds that have worked on it, not those of the runs before, whose points it can be reset to', () => {
    const w = new World();
    w.start();
    work(w, 'b1', command.continueAsNew());
    w.pass(2_000);
    expect(shown(w)).toMatchObject({ builds: undefined, points: ['b1'] });
    const [first] = w.history();
    expect(first?.eventType).toBe(EventType.WORKFLOW_EXECUTION_STARTED);
    work(w, 'b1');
    expect(shown(w)).toMatchObject({ builds: ['unversioned', 'unversioned:b1'], points: ['b1'] });
    w.signal('more');
    work(w, 'b2', command.continueAsNew());
    w.pass(2_000);
    w.reload();
    expect(shown(w)).toMatchObject({ builds: undefined, points: ['b1', 'b2'] });
    work(w, 'b2');
    expect(shown(w)).toMatchObject({ builds: ['unversioned', 'unversioned:b2'], points: ['b1', 'b2'] });
    // What its events determine is in its rows (I4).
    const { runId = '' } = w.state.run ?? {};
    expect(foldEvents(runId, w.history()).facts).toEqual(w.state.run?.row.facts);
  });

  it.each([undefined, true] as const)('has what its command leaves out, unless the worker says all: %s', (saysAll) => {
    const w = new World();
    const [payload = { metadata: {}, data: new Uint8Array() }] = payloads('p').payloads;
    const handedOn = {
      memo: { fields: { colour: payload } },
      searchAttributes: { indexedFields: { Customer: payload } },
      retryPolicy: { maximumAttempts: 3 },
    };
    w.now = Date.UTC(2026, 0, 1);
    w.start({ ...handedOn, cronSchedule: '* * * * *' });
    const next = (commands: Command[]) => {
      w.pass(61_000);
      w.accept({ ...w.completeMessage(w.takeWorkflowTask().ref, commands), saysAll });
      const [started] = w.history();
      if (started?.eventType !== EventType.WORKFLOW_EXECUTION_STARTED) throw new Error('no run');
      const { memo, searchAttributes, retryPolicy, cronSchedule } = started.attributes;
      return { memo, searchAttributes, retryPolicy, cronSchedule };
    };
    const nothing = { memo: undefined, searchAttributes: undefined, retryPolicy: undefined, cronSchedule: undefined };
    const same = { ...handedOn, retryPolicy: expect.objectContaining(handedOn.retryPolicy), cronSchedule: '* * * * *' };
    expect(next([command.continueAsNew()])).toEqual(saysAll ? nothing : same);
    const said = { ...handedOn, cronSchedule: '0 0 1 1 *' };
    expect(next([command.continueAsNew(said)])).toMatchObject(said);
  });

  it('began by a request of its own, which a start that meets it is told', () => {
    const w = new World();
    w.start({ requestId: 'mine', runId: UUID });
    expect(shown(w).requests).toEqual(['mine']);
    w.work(command.continueAsNew());
    const { runId = '' } = w.state.run ?? {};
    expect(shown(w).requests).toEqual([ownRequestId(runId)]);
    const other = w.startMessage({ requestId: 'other', runId: 'other' });
    expect(w.refuse(other).detail).toMatchObject({ runId, startRequestId: ownRequestId(runId) });
    w.pass(2_000);
    w.work(command.complete());
    const again = { ...other, reusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE };
    expect(w.refuse(again).detail).toMatchObject({ runId, startRequestId: ownRequestId(runId) });
    expect(ownRequestId(UUID)).toBe('6dbd6d32-6e02-467f-8deb-01a229a9bc8e');
  });
});

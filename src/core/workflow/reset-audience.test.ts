// Who hears of the end of a run that began by a reset: whoever waits for the run that the reset ends, and nobody else.
import { describe, expect, it } from 'vitest';
import { WorkflowIdReusePolicy } from '../../wire/enums.ts';
import type { StartScheduledMessage } from '../schedule/message.ts';
import type { Message } from './message.ts';
import type { Effect } from './outcome.ts';
import { command, World } from './testing.ts';

const BY = { workflowId: 'schedule', incarnation: 'life', action: 7 };
const input = {
  identity: 'x',
  workflowType: 'order',
  taskQueue: 'queue',
  reusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
};
const scheduled: StartScheduledMessage = { type: 'startScheduled', by: BY, ...input };
const asChild = (initiatedEventId: number): Message => {
  const parent = new World({}, 'parent');
  parent.start();
  const { effects } = parent.work(command.child('order-1'));
  const [ask] = messages(effects);
  if (ask?.type !== 'startChild') throw new Error('no child is asked for');
  return { ...ask, origin: { ...ask.origin, initiatedEventId } };
};
const messages = (effects: readonly Effect[]): Message[] =>
  effects.flatMap((effect) => (effect.type === 'send' ? [effect.message] : []));

type By = 'schedule' | 'client';

function begin(w: World, by: By): string {
  if (by === 'schedule') w.accept(scheduled);
  else w.start();
  w.work();
  return w.state.run?.runId ?? '';
}

/** The new run completes: what is told to whom. */
function completed(w: World): Message[] {
  return messages(w.work(command.complete('done')).effects);
}

describe('the end of a run that began by a reset', () => {
  it.each([
    { older: undefined, current: 'schedule', open: true, of: 'current', hears: true },
    { older: undefined, current: 'schedule', open: false, of: 'current', hears: false },
    { older: 'client', current: 'schedule', open: true, of: 'older', hears: true },
    { older: 'schedule', current: 'client', open: true, of: 'older', hears: false },
    { older: 'schedule', current: 'client', open: false, of: 'older', hears: false },
    { older: 'client', current: 'schedule', open: false, of: 'older', hears: false },
  ] as const)('is told to the schedule only if it waits for the run that was ended: %j', (row) => {
    const w = new World();
    const older = row.older && begin(w, row.older);
    if (older !== undefined) {
      w.signal('end');
      w.work(command.complete());
    }
    begin(w, row.current);
    if (!row.open) {
      w.signal('close');
      w.work(command.complete());
    }
    if (older !== undefined) w.adopt(older);
    const runId = row.of === 'older' ? older : undefined;
    w.accept(w.resetMessage({ target: { runId }, runId: 'again' }));
    const told = completed(w).filter(({ type }) => type === 'scheduledClosed');
    expect(told).toEqual(row.hears ? [expect.objectContaining({ by: BY })] : []);
    expect(w.rebuilt().run).toEqual(w.state.run);
  });

  it.each([
    { open: true, of: 'current', event: 11 },
    { open: false, of: 'current', event: undefined },
    { open: true, of: 'older', event: 11 },
    { open: false, of: 'older', event: undefined },
  ] as const)('is told to the parent only if it waits for the run that was ended: %j', (row) => {
    const w = new World();
    w.accept(asChild(3));
    w.work();
    const older = w.state.run?.runId ?? '';
    w.signal('end');
    w.work(command.complete());
    w.accept(asChild(11));
    const first = w.state.run?.runId;
    w.work();
    if (!row.open) {
      w.signal('close');
      w.work(command.complete());
    }
    w.adopt(older);
    w.accept(w.resetMessage({ target: { runId: row.of === 'older' ? older : undefined }, runId: 'again' }));
    // Also when the chain goes on in between.
    w.work(command.continueAsNew());
    w.pass(2_000);
    const told = completed(w).flatMap((message) => (message.type === 'childClosed' ? [message] : []));
    expect(told.map(({ origin }) => origin.initiatedEventId)).toEqual(row.event === undefined ? [] : [row.event]);
    if (row.event !== undefined) expect(told[0]?.firstRunId).toBe(first);
  });
});

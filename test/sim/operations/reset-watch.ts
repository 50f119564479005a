// A run that a reset began, against those it was begun from: the events before the point are theirs, one for one; then come exactly the signals that
// they got after it, in order, or none where the reset leaves them behind. Called by Truth when the entry that has the new run is applied.

import { EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { same } from '../flush-watch.ts';
import { Violation } from '../kernel.ts';
import { textOf } from '../relations.ts';
import type { TrueRun } from '../truth.ts';

/** What a reset of the simulation gives as its reason when it leaves signals behind: it is found in the history. */
export const WITHOUT_SIGNALS = 'without signals';
/** And when it signals the new run itself. */
export const AND_SIGNALS = ', and signals';

type SignalEvent = Extract<HistoryEvent, { eventType: typeof EventType.WORKFLOW_EXECUTION_SIGNALED }>;

export interface Origin {
  /** Events that are those of the run it was begun from. */
  readonly inherited: number;
  /** Signals after them that are repeated, not new. */
  readonly repeated: number;
}

/** How the run came to be by a reset; undefined: it did not. */
export function originOf(
  runId: string,
  events: readonly HistoryEvent[],
  run: (runId: string) => TrueRun | undefined,
): Origin | undefined {
  const point = pointOf(runId, events);
  const failed = events[point];
  if (failed?.eventType !== EventType.WORKFLOW_TASK_FAILED) return undefined;
  const base = run(failed.attributes.baseRunId ?? '');
  const where = `run ${runId}, reset from ${failed.attributes.baseRunId},`;
  if (base === undefined) throw new Violation('I1', `${where} comes of a run that is not durable`);
  // A task that had not begun begins in the new run.
  const inherited = same(events[point - 1], base.events[point - 1]) ? point : point - 1;
  for (let i = 0; i < inherited; i += 1) {
    if (!same(events[i], base.events[i])) throw new Violation('I5', `${where} has event ${i + 1} otherwise`);
  }
  const reason = failed.attributes.failure?.message ?? '';
  const wanted = reason.includes(WITHOUT_SIGNALS) ? [] : signalsAfter(base, inherited, run);
  const found = events.slice(point + 1).filter(isSignal);
  for (const [i, signal] of wanted.entries()) {
    const other = found[i];
    if (other === undefined || nameOf(other) !== nameOf(signal))
      throw new Violation('I5', `${where} has signal ${other && nameOf(other)} where ${nameOf(signal)} came before`);
  }
  const own = found[wanted.length];
  // In the same entry, before a worker sees the run.
  if (reason.includes(AND_SIGNALS) && own?.attributes.signalName !== 'after')
    throw new Violation('I5', `${where} has not got the signal that its reset was to send`);
  return { inherited, repeated: wanted.length };
}

/** Where a history says that a reset began this run. */
export const pointOf = (runId: string, events: readonly HistoryEvent[]): number =>
  events.findIndex(
    (event) => event.eventType === EventType.WORKFLOW_TASK_FAILED && event.attributes.newRunId === runId,
  );

/** What came to the run after so many events, and to those that continued it. */
function signalsAfter(base: TrueRun, eventId: number, run: (runId: string) => TrueRun | undefined): SignalEvent[] {
  const signals = base.events.slice(eventId).filter(isSignal);
  for (let { closed } = base; closed?.eventType === EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW; ) {
    const next = run(closed.attributes.newExecutionRunId ?? '');
    if (next === undefined) break;
    signals.push(...next.events.filter(isSignal));
    closed = next.closed;
  }
  return signals;
}

const isSignal = (event: HistoryEvent): event is SignalEvent =>
  event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED;

const nameOf = ({ attributes: { signalName, input } }: SignalEvent): string => `${signalName} ${textOf(input)}`;

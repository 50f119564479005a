// The core alone reproduces the recorded histories: same events, same order, same attributes.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { eventFromPlain } from './core/from-plain.ts';
import { type Recording, Replay } from './core/replay.ts';
import { firstDifference, Normaliser } from './native/normalise.ts';
import { plainEvent } from './native/plain.ts';
import { IN_SCOPE } from './native/scope.ts';

const RECORDED = new URL('./recorded/', import.meta.url);

interface RecordedFile {
  histories: { workflowId: string; runId: string; events: Record<string, unknown>[] }[];
}

/** Histories that hold only a hash of a payload, so that the payload cannot be sent again. */
const HASHED = new Set(['payload-of-one-megabyte']);

/** The reference server does not say how long the history is when it starts a task eagerly; here it is a task like any other. */
const UNSAID: Readonly<Record<string, readonly string[]>> = { 'eager-workflow-start': ['**.historySizeBytes'] };

/** The runs of each workflow id, oldest first: a run that was terminated to make room was recorded after its successor. */
function chains(histories: RecordedFile['histories']): RecordedFile['histories'][] {
  const byId = new Map<string, RecordedFile['histories']>();
  for (const history of histories) byId.set(history.workflowId, [...(byId.get(history.workflowId) ?? []), history]);
  return [...byId.values()].map((chain) => {
    const terminatedBy = (history: RecordedFile['histories'][number]): boolean =>
      JSON.stringify(history.events).includes('terminated by new runID');
    return [...chain.filter(terminatedBy), ...chain.filter((history) => !terminatedBy(history))];
  });
}

/** More than any recording has. */
const MOST_RUNS = 20;

/** The core takes only UUIDs for run ids; recordings have "run#1". */
const asUuids = (json: string): string =>
  json.replace(/run#(\d+)/g, (_, n: string) => `00000000-0000-4000-8000-${n.padStart(12, '0')}`);

describe('the core reproduces', () => {
  for (const name of IN_SCOPE) {
    if (HASHED.has(name)) continue;
    it(name, () => {
      const text = readFileSync(new URL(`${name}.json`, RECORDED), 'utf8');
      const expected = JSON.parse(text) as RecordedFile;
      const recorded = JSON.parse(asUuids(text)) as RecordedFile;
      const eventsOf = new Map(expected.histories.map(({ runId, events }) => [asUuids(runId), events]));
      // By number: a run that is named here first need not be the first.
      const runs = Array.from({ length: MOST_RUNS }, (_, i) => ({ runId: asUuids(`run#${i + 1}`) }));
      for (const chain of chains(recorded.histories)) {
        const recordings: Recording[] = chain.map(({ workflowId, runId, events }) => ({
          workflowId,
          runId,
          events: events.map(eventFromPlain),
        }));
        const replay = new Replay(recordings);
        replay.run();
        for (const { runId } of chain) {
          const normaliser = new Normaliser(runs);
          const got = (replay.produced.get(runId) ?? []).map((event) => normaliser.value(plainEvent(event)));
          expect(firstDifference(eventsOf.get(runId), got, UNSAID[name] ?? []), `${runId} of ${name}`).toBeUndefined();
        }
      }
    });
  }
});

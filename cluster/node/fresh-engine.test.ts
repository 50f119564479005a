import { describe, expect, it } from 'vitest';
import type { Engine, HistoryQuery, Waiting } from '../../src/ports/engine.ts';
import type { Status } from '../../src/wire/status.ts';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { freshEngine } from './fresh-engine.ts';

const TO = { namespace: 'default', workflowId: 'w3' };
const QUERY: HistoryQuery = { fromEventId: 1, maximumBytes: 1, waitNewEvent: true, closeEventOnly: false };
const TASK = { runId: 'r', scheduledEventId: 2, fromEventId: 1, maximumBytes: 1 };
const LIST = { namespace: 'default', query: '', pageSize: 10, nextPageToken: undefined };

function fresh() {
  const engine = new FakeEngine();
  const asked: { shard: number; say: (fresh: boolean) => void }[] = [];
  const faults: unknown[] = [];
  const reads = freshEngine({
    engine,
    confirm: (shard) => new Promise((say) => asked.push({ shard, say })),
    shardOf: (_, workflowId) => Number(workflowId.slice(1)),
    led: () => new Set([3, 5]),
    onFault: (error) => faults.push(error),
  });
  return { engine, reads, asked, faults };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

// Each answers with what its method returns; here only whether one came counts.
type Reading = (reads: Engine, done: (error: Status | undefined) => void) => Waiting | undefined;
const READS: readonly (readonly [string, Reading])[] = [
  ['describe', (reads, done) => void reads.describe(TO, undefined, done)],
  ['taskHistory', (reads, done) => void reads.taskHistory(TO, TASK, done)],
  ['history', (reads, done) => reads.history(TO, QUERY, done)],
  ['awaitResult', (reads, done) => reads.awaitResult(TO, undefined, true, done)],
  ['query', (reads, done) => reads.query(TO, { type: 'query', queryId: 'q', target: {}, queryType: 't' }, done)],
  ['list', (reads, done) => void reads.list({ ...LIST, shards: new Set([3]) }, done)],
  ['count', (reads, done) => void reads.count({ ...LIST, shards: new Set([3]) }, done)],
];

describe.each(READS)('a read: %s', (method, read) => {
  const begin = (reads: Engine) => {
    const answers: (Status | undefined)[] = [];
    const waiting = read(reads, (error) => answers.push(error));
    return { answers, waiting };
  };

  it('reaches the engine once it is confirmed that this node leads', async () => {
    const { engine, reads, asked } = fresh();
    const { answers } = begin(reads);
    await settle();
    expect(asked.map(({ shard }) => shard)).toEqual([3]);
    expect(engine.asked).toEqual([]);
    asked[0]?.say(true);
    await settle();
    expect(engine.last.method).toBe(method);
    engine.last.done(undefined, {});
    expect(answers).toEqual([undefined]);
  });

  it('is refused as not applied when it is not', async () => {
    const { engine, reads, asked } = fresh();
    const { answers } = begin(reads);
    asked[0]?.say(false);
    await settle();
    expect(engine.asked).toEqual([]);
    expect(answers).toEqual([expect.objectContaining({ detail: { kind: 'Unavailable', applied: 'no' } })]);
  });

  it('is answered once when the engine throws, before or after its answer', async () => {
    for (const when of ['before', 'after'] as const) {
      const { engine, reads, asked, faults } = fresh();
      const answers: (Status | undefined)[] = [];
      const thrower = (): never => {
        throw new Error('a bug');
      };
      if (when === 'before') engine.asked.push = thrower;
      else engine.answers[method] = {};
      read(reads, (error) => {
        answers.push(error);
        if (when === 'after') thrower();
      });
      asked[0]?.say(true);
      await settle();
      expect(faults).toHaveLength(1);
      expect(answers).toEqual([when === 'before' ? expect.objectContaining({ code: 13 }) : undefined]);
    }
  });

  it('that was given up asks nothing and answers nothing', async () => {
    for (const say of [true, false]) {
      const { engine, reads, asked } = fresh();
      const { answers, waiting } = begin(reads);
      if (waiting === undefined) return;
      waiting.abandon();
      asked[0]?.say(say);
      await settle();
      expect(engine.asked).toEqual([]);
      expect(answers).toEqual([]);
    }
  });

  it('that was given up while the engine waits is given up there', async () => {
    const { engine, reads, asked } = fresh();
    const { waiting } = begin(reads);
    if (waiting === undefined) return;
    asked[0]?.say(true);
    await settle();
    waiting.abandon();
    expect(engine.last.abandoned).toBe(true);
  });
});

describe('a search', () => {
  it('of no shards in particular is of those led here, and waits for each', async () => {
    const { engine, reads, asked } = fresh();
    const answers: unknown[] = [];
    reads.list(LIST, (error) => answers.push(error?.message));
    expect(asked.map(({ shard }) => shard)).toEqual([3, 5]);
    asked[0]?.say(true);
    await settle();
    expect(engine.asked).toEqual([]);
    asked[1]?.say(false);
    await settle();
    expect(answers).toEqual([expect.stringMatching(/Shard 5/)]);
  });
});

it('what is decided needs no confirmation: its entry is one', () => {
  const { engine, reads, asked } = fresh();
  reads.submit(TO, { type: 'terminate', target: {}, identity: 'c', requestId: 'r' }, () => undefined);
  reads.answerQuery(TO, 'q', { answer: { payloads: [] } }, () => undefined);
  expect(engine.asked.map(({ method }) => method)).toEqual(['submit', 'answerQuery']);
  expect(asked).toEqual([]);
});

// What nodes say about task queues comes through as it was, and what is no such thing is refused: with an error, never with a crash.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../src/ports/matching.ts';
import { encode } from '../../src/wire/codec.ts';
import * as deliveries from './deliveries.ts';
import * as messages from './messages.ts';

const queue = { namespace: 'default', name: 'orders', kind: 'activity' } as const;
const ref = { runId: 'r', scheduledEventId: 5, attempt: 1, startId: { term: 3, seq: 9 } };
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

const TASKS: Delivery[] = [
  {
    kind: 'workflow',
    namespace: 'default',
    workflowId: 'w',
    started: {
      type: 'workflowTaskStarted',
      task: {
        runId: 'r',
        workflowType: 'order',
        attempt: 1,
        previousStartedEventId: 0,
        startedEventId: 3,
        scheduledTime: 1_700_000_000_000,
        startedTime: 1_700_000_000_001,
        firstEventId: 1,
        queries: { q: { queryType: 'state', queryArgs: { payloads: [{ data: bytes('x') }] } } },
      },
      ref,
      lastEventId: 3,
      transientEvents: [],
    },
    history: [bytes('batch')],
    nextEventId: 4,
    ahead: false,
  },
  {
    kind: 'activity',
    namespace: 'default',
    workflowId: 'w',
    started: {
      type: 'activityTaskStarted',
      task: {
        runId: 'r',
        workflowType: 'order',
        activityId: 'a',
        activityType: 'charge',
        input: { payloads: [{ metadata: { encoding: bytes('test/plain') }, data: bytes('1') }] },
        attempt: 2,
        scheduledTime: 1,
        currentAttemptScheduledTime: 2,
        startedTime: 3,
        scheduleToCloseTimeout: 0,
        startToCloseTimeout: 30_000,
        heartbeatTimeout: 0,
        retryPolicy: { initialInterval: 1_000, backoffCoefficient: 2 },
      },
      ref,
    },
  },
  {
    kind: 'query',
    namespace: 'default',
    workflowId: 'w',
    runId: 'r',
    workflowType: 'order',
    queryId: 'q',
    query: { queryType: 'state' },
    history: [],
    firstEventId: 4,
    nextEventId: undefined,
    previousStartedEventId: 3,
    startedEventId: 3,
  },
];

describe('a message', () => {
  it.each(TASKS.map((task) => [task.kind, task] as const))('that delivers a %s task comes through', (_kind, task) => {
    const target = { boot: 'b', by: 'credit', id: 12, part: 0 } as const;
    expect(deliveries.readDelivery(deliveries.encodeDelivery(target, task))).toEqual({ target, task });
  });

  it('that announces, assigns, pulls, cancels, resumes comes through', () => {
    const news: messages.QueueNews = {
      queue,
      partition: 3,
      waiting: { count: 10_000_000, priority: 1, oldest: 1_700_000_000_000 },
      fetched: 7,
      queries: 2,
      queriesFetched: 1,
      workers: 4,
      available: -3,
      queriesAvailable: 1,
      epoch: 'boot',
      seen: 9,
      queriesSeen: 8,
      rate: 0,
    };
    const quiet = { ...news, waiting: undefined };
    expect(messages.readAnnounce(messages.encodeAnnounce([news, quiet]), 2)).toEqual([news, quiet]);
    const fetch = {
      queue,
      mode: 'query',
      partition: 1,
      from: 'a',
      count: 3,
      number: 4,
      priority: 5,
      oldest: 6,
    } as const;
    expect(messages.readAssign(messages.encodeAssign('e', [fetch]), 1)).toEqual({ epoch: 'e', made: [fetch] });
    const taker = {
      identity: 'i',
      session: 's',
      workerVersion: { buildId: 'v1', useVersioning: false },
      stickyQueue: 'warm',
      stickyScheduleToStartTimeout: 5_000,
    };
    const pull: messages.Pull = {
      queue,
      mode: 'task',
      boot: 'b',
      credits: [
        { id: 1, taker },
        { id: 2, taker },
      ],
    };
    expect(messages.readPull(messages.encodePull(pull), 2)).toEqual(pull);
    const pulled = { released: [1], left: news.waiting };
    expect(messages.readPulled(messages.encodePulled(pulled), 2)).toEqual(pulled);
    const cancel = { session: 's', token: bytes('t'), reason: 'timedOut' } as const;
    expect(messages.readCancel(messages.encodeCancel(cancel))).toEqual(cancel);
    const ask = { id: 3, session: 's', held: ['\xff\x00token'] };
    expect(messages.readResume(messages.encodeResume('b', [ask]), { asks: 1, held: 1 })).toEqual({
      boot: 'b',
      asks: [ask],
    });
    const told = { boot: 'b', id: 3, durable: [bytes('t')], over: [] };
    expect(messages.readTold(messages.encodeTold(told), 1)).toEqual(told);
  });

  it('with more than it may hold is refused', () => {
    const fetch = {
      queue,
      mode: 'task',
      partition: 0,
      from: 'a',
      count: 3,
      number: 4,
      priority: 5,
      oldest: 6,
    } as const;
    expect(() => messages.readAssign(messages.encodeAssign('e', [fetch, fetch]), 1)).toThrow(/2 items, more than 1/);
    const long = { ...fetch, from: 'x'.repeat(5_000) };
    expect(() => messages.readAssign(messages.encodeAssign('e', [long]), 1)).toThrow(/a name is missing/);
  });

  it('of any shape is read or refused', () => {
    const readers: ((body: Uint8Array) => unknown)[] = [
      (body) => messages.readAnnounce(body, 10),
      (body) => messages.readSpreads(body, 10),
      (body) => messages.readAssign(body, 10),
      (body) => messages.readPull(body, 10),
      (body) => messages.readPulled(body, 10),
      messages.readCancel,
      (body) => messages.readResume(body, { asks: 10, held: 10 }),
      (body) => messages.readTold(body, 10),
      deliveries.readDelivery,
    ];
    const anything = fc.anything({ withBigInt: false, withDate: false, withMap: false, withSet: false });
    const item = fc.oneof(fc.nat(5), fc.string(), fc.constant(null), fc.uint8Array(), anything);
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .array(fc.oneof(item, fc.array(fc.oneof(item, fc.array(item, { maxLength: 12 })), { maxLength: 16 })))
        .map(encode),
    );
    fc.assert(
      fc.property(body, (sent) => {
        for (const read of readers) {
          try {
            read(sent);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
            expect(error).not.toBeInstanceOf(TypeError);
            expect(error).not.toBeInstanceOf(RangeError);
          }
        }
        expect(['taken', 'refused', 'unknown']).toContain(deliveries.readAnswer(sent));
      }),
      { numRuns: 1_000 },
    );
  });
});

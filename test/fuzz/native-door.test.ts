// Hostile bytes at the native door: whatever comes, the server neither crashes nor forgets a request. Every request with an id is
// answered exactly once, or the connection is closed with a reason.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeToken } from '../../src/core/workflow/token.ts';
import { methods } from '../../src/frontend/methods/index.ts';
import { encode } from '../../src/wire/codec.ts';
import { FrameKind } from '../../src/wire/frame.ts';
import { TestDoor } from '../support/door.ts';

const NAMES = [...methods.keys()];

const token = (kind: 'workflow' | 'activity' | 'query'): Uint8Array =>
  encodeToken({
    kind,
    namespace: 'default',
    workflowId: 'w',
    runId: '11111111-1111-4111-8111-111111111111',
    scheduledEventId: 2,
    attempt: 1,
    startId: { term: 1, seq: 1 },
    ...(kind === 'query' && { queryId: 'q' }),
  });

/** A request every method would accept, of which the fuzzer spoils fields. */
const whole: Record<string, unknown> = {
  namespace: 'default',
  workflowId: 'w',
  runId: '',
  workflowType: 'T',
  taskQueue: 'q',
  identity: 'me',
  requestId: 'r',
  signalName: 's',
  queryType: 'q',
  workerId: 'worker',
  input: { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('1') }] },
  retryPolicy: { initialInterval: 1_000, backoffCoefficient: 2, nonRetryableErrorTypes: ['E'] },
  memo: { fields: { a: { data: Buffer.from('1') } } },
  commands: [
    { commandType: 3, attributes: { timerId: 't', startToFireTimeout: 5 } },
    {
      commandType: 1,
      attributes: { activityId: 'a', activityType: { name: 'A' }, taskQueue: { name: 'q' }, startToCloseTimeout: 5 },
    },
  ],
  failure: { message: 'm', cause: { message: 'c', applicationFailureInfo: { type: 'T' } } },
  result: { answer: { payloads: [] } },
  token: token('workflow'),
  target: { token: token('activity') },
  heldTokens: [token('activity')],
  credit: 1,
  workflowCredit: 2,
  activityCredit: 2,
  fromEventId: 1,
  pageSize: 10,
};

/** What is asked of several queues at once is answered in a later turn. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Longer than any door holds such a question. */
const LOOK_AGAIN_MS = 60;

const wrong = fc.oneof(
  fc.constantFrom(
    null,
    true,
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    '',
    'x'.repeat(2_000),
    'é'.repeat(501),
  ),
  fc.constantFrom(
    [],
    {},
    [[]],
    { payloads: 7 },
    { payloads: [{ data: 'text' }] },
    new Uint8Array(0),
    new Uint8Array(40),
  ),
  fc.jsonValue({ maxDepth: 4 }),
  fc.uint8Array({ maxLength: 64 }),
);

const body = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .dictionary(fc.constantFrom(...Object.keys(whole)), wrong, { maxKeys: 4 })
      .map((spoiled) => ({ ...whole, ...spoiled })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(token('query'), token('activity'), token('workflow'))
      .map((bytes) => ({ ...whole, token: bytes })),
  },
  { weight: 1, arbitrary: wrong },
);

const method = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: fc.string() });

function answersOf(frames: readonly (readonly unknown[])[]): Map<unknown, number> {
  const answers = new Map<unknown, number>();
  for (const [kind, id] of frames) {
    if (kind === FrameKind.RESPONSE || kind === FrameKind.ERROR) answers.set(id, (answers.get(id) ?? 0) + 1);
  }
  return answers;
}

describe('the native door', () => {
  it('answers every request exactly once, whatever its fields hold', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(method, body), { minLength: 1, maxLength: 20 }), async (requests) => {
        const door = new TestDoor();
        const client = door.connect();
        const ids = requests.map(([name, fields]) => client.request(name, fields));
        // Those that ask again for what another has just asked wait a moment, and one after the other.
        for (let moment = 0; moment < 3; moment += 1) {
          for (const asked of door.engine.asked.splice(0)) asked.done({ code: 5, message: 'not here' });
          door.time.advance(LOOK_AGAIN_MS);
          await turn();
        }
        expect(door.faults).toEqual([]);
        expect(client.closed).toBeUndefined();
        const answers = answersOf(client.take());
        expect([...answers.keys()].sort()).toEqual([...ids].sort());
        expect([...answers.values()].every((count) => count === 1)).toBe(true);
        expect(client.connection.openCalls).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it('survives any bytes before and after the handshake', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), fc.boolean(), (messages, greeted) => {
        const door = new TestDoor();
        const client = greeted ? door.connect() : door.open();
        for (const message of messages) client.bytes(message);
        expect(door.faults).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('answers or closes when an honest message is cut or a byte of it is flipped', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...NAMES),
        fc.nat(),
        fc.oneof(fc.constant('cut' as const), fc.integer({ min: 1, max: 255 })),
        async (name, at, damage) => {
          const door = new TestDoor();
          const client = door.connect();
          const message = Buffer.from(encode([FrameKind.REQUEST, 7, name, 0, whole]));
          const place = at % message.length;
          const hurt = damage === 'cut' ? message.subarray(0, place) : Buffer.from(message);
          if (damage !== 'cut') hurt[place] = (hurt[place] ?? 0) ^ damage;
          client.bytes(hurt);
          for (const asked of door.engine.asked) asked.done({ code: 5, message: 'not here' });
          door.time.settle();
          await turn();
          expect(door.faults).toEqual([]);
          if (client.closed === undefined) {
            for (const count of answersOf(client.take()).values()) expect(count).toBe(1);
            expect(client.connection.openCalls).toBe(0);
          } else expect(client.closed.reason).not.toBe('');
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('does not allocate what a header claims', () => {
    const door = new TestDoor();
    const client = door.connect();
    const claims = Buffer.concat(Array.from({ length: 90 }, () => Buffer.from([0xdd, 0x01, 0x00, 0x00, 0x00])));
    const before = process.memoryUsage().rss;
    client.bytes(Buffer.concat([Buffer.from([0x95, 2, 9, 0xa1, 0x6d, 0]), claims]));
    expect(client.take()).toMatchObject([[FrameKind.ERROR, 9, { code: 3 }]]);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  });
});

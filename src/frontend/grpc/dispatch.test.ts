// When a call that waits is answered, by a clock that is moved by hand: with what there is, before its client's deadline, if its method has that;
// as timed out else, at it. On real sockets a busy machine would be measured (test/compat/hostile.test.ts).
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeSource, VirtualTime } from '../../../test/support/matching-world.ts';
import { Matcher } from '../../matching/matcher.ts';
import { StatusCode } from '../../wire/status.ts';
import { Admission } from '../admission.ts';
import { DEFAULT_DOOR_LIMITS } from '../limits.ts';
import { Dispatcher } from './dispatch.ts';
import type { GrpcDoorContext } from './door.ts';
import { poll } from './methods/poll.ts';
import { Pollers } from './pollers.ts';
import { type Message, type Rpc, type RpcServices, rpc } from './rpc.ts';

/** Deadlines are looked at this often, ms. */
const LOOK_MS = 10;

let time: VirtualTime;
let dispatcher: Dispatcher;

beforeEach(() => {
  time = new VirtualTime();
  const matcher = new Matcher({ clock: time, scheduler: time, onQueryLost: () => {} });
  matcher.attach(new FakeSource(() => {}));
  const pollers = new Pollers({ registry: matcher, clock: time, random: { uuid: () => 'id', next: () => 0 } });
  const access = { mayUse: () => true, administration: 'full' };
  const namespaces = { access: () => access, get: () => ({ name: 'default' }) };
  const limits = DEFAULT_DOOR_LIMITS;
  // What a call and a poll read of them.
  const services = { namespaces, limits, pollers, clock: time } as unknown as RpcServices;
  const context = { namespaces, admission: new Admission(1_000, 1_000_000), metrics: { callEnded: () => {} } };
  const door = { ...context, notReady: () => undefined, onFault: (error: unknown) => expect(error).toBeUndefined() };
  dispatcher = new Dispatcher(door as unknown as GrpcDoorContext, services, time);
});

/** `endedAt`: after how many ms, by as much as deadlines are looked at. */
function ends(called: Rpc, timeoutMs: number | undefined, request: Message): { code: StatusCode; endedAt: number } {
  let end: { code: StatusCode; endedAt: number } | undefined;
  const over = (code: number): void => {
    expect(end, 'answered once').toBeUndefined();
    end = { code: code as StatusCode, endedAt: time.monotonic() };
  };
  dispatcher.dispatch(
    {
      name: 'Called',
      rpc: called,
      timeoutMs,
      requestBytes: 10,
      decodedBytes: 0,
      header: () => undefined,
      decode: () => request,
    },
    { answered: () => over(StatusCode.OK), failed: ({ code }) => over(code) },
  );
  time.advance(100_000);
  if (end === undefined) throw new Error('the call did not end');
  expect(dispatcher.open).toBe(0);
  return end;
}

const NOBODY: Message = { namespace: 'default', taskQueue: { name: 'nobody-here' }, identity: 'w' };

describe('a poll that nothing comes for', () => {
  it.each([
    ['of two seconds', 2_000, 1_500],
    ['of two and a half', 2_500, 2_000],
    ['of 70 s', 70_000, 60_000],
    ['without a deadline', undefined, 60_000],
  ])('%s ends empty before its client gives up', (_what, timeoutMs, dueAt) => {
    const { code, endedAt } = ends(
      poll('activity', () => ({})),
      timeoutMs,
      NOBODY,
    );
    expect(code).toBe(StatusCode.OK);
    expect(endedAt).toBeGreaterThanOrEqual(dueAt);
    expect(endedAt).toBeLessThanOrEqual(dueAt + LOOK_MS);
    if (timeoutMs !== undefined) expect(endedAt).toBeLessThan(timeoutMs);
  });

  it('of less than two seconds is refused at once', () => {
    const { code, endedAt } = ends(
      poll('activity', () => ({})),
      1_999,
      NOBODY,
    );
    expect([code, endedAt]).toEqual([StatusCode.FAILED_PRECONDITION, 0]);
  });

  it('is one of many that end alike', () => {
    const codes: number[] = [];
    for (let i = 0; i < 100; i += 1) {
      dispatcher.dispatch(
        {
          name: 'Poll',
          rpc: poll('activity', () => ({})),
          ...{ timeoutMs: 2_500, requestBytes: 10, decodedBytes: 0 },
          header: () => undefined,
          decode: () => NOBODY,
        },
        { answered: () => void codes.push(StatusCode.OK), failed: ({ code }) => void codes.push(code) },
      );
    }
    time.advance(2_500);
    expect(codes).toEqual(new Array(100).fill(StatusCode.OK));
  });
});

it.each([
  ['its client has', 1_000, 1_000],
  ['there is by default', undefined, 10_500],
])('a call without such an answer is timed out at the deadline that %s', (_, timeoutMs, endsAt) => {
  const silent = rpc((_services, _caller, _request, call) => call.waits({ abandon: () => {} }));
  const { code, endedAt } = ends(silent, timeoutMs, {});
  expect(code).toBe(StatusCode.DEADLINE_EXCEEDED);
  expect(endedAt).toBeGreaterThanOrEqual(endsAt);
  expect(endedAt).toBeLessThanOrEqual(endsAt + LOOK_MS);
});

it('a call that is due sooner than those before it ends at its own deadline', () => {
  const silent = rpc((_services, _caller, _request, call) => call.waits({ abandon: () => {} }));
  const ended: [number, number][] = [];
  for (const timeoutMs of [5_000, 300, 2_000, 305]) {
    dispatcher.dispatch(
      {
        name: 'Called',
        rpc: silent,
        timeoutMs,
        requestBytes: 10,
        decodedBytes: 0,
        header: () => undefined,
        decode: () => ({}),
      },
      { answered: () => {}, failed: () => void ended.push([timeoutMs, time.monotonic()]) },
    );
  }
  time.advance(10_000);
  expect(ended.map(([timeoutMs]) => timeoutMs)).toEqual([300, 305, 2_000, 5_000]);
  for (const [timeoutMs, at] of ended) expect(at - timeoutMs).toBeLessThanOrEqual(LOOK_MS);
});

it('a request that takes too much once it is decoded is not run, and leaves its room', () => {
  const codes: number[] = [];
  const silent = rpc((_services, _caller, _request, call) => call.waits({ abandon: () => {} }));
  const dispatch = (decodedBytes: number) =>
    dispatcher.dispatch(
      {
        name: 'Called',
        rpc: silent,
        ...{ timeoutMs: 1_000, requestBytes: 10, decodedBytes },
        header: () => undefined,
        decode: () => ({}),
      },
      { answered: () => {}, failed: ({ code }) => void codes.push(code) },
    );
  dispatch(600_000);
  dispatch(300_000);
  expect(codes).toEqual([StatusCode.RESOURCE_EXHAUSTED]);
  dispatch(100_000);
  expect(codes).toHaveLength(1);
  time.advance(2_000);
  expect(dispatcher.open).toBe(0);
});

// Operations at a rate: what came of those begun, and nothing of a node that has given them up.
import { expect, it } from 'vitest';
import { VirtualTime } from '../../../test/support/matching-world.ts';
import { StatusCode } from '../../wire/status.ts';
import { paced } from './pace.ts';

const SLICE = ['a', 'b', 'c', 'd'];
const unavailable = { code: StatusCode.UNAVAILABLE, message: 'not led here' };
const HOUR_MS = 3_600_000;

function run(
  operate: Parameters<typeof paced<string>>[1]['operate'],
  abandoned: () => boolean,
  stopped: () => boolean = () => false,
) {
  const time = new VirtualTime();
  const came = paced(SLICE, { clock: time, scheduler: time, perSecond: 10, operate, stopped, abandoned });
  return { time, came };
}

it('tries again what may go better later, and counts each once', async () => {
  const tries = new Map<string, number>();
  const { time, came } = run(
    (target, done) => {
      const tried = (tries.get(target) ?? 0) + 1;
      tries.set(target, tried);
      if (target === 'b' && tried < 3) done(unavailable, undefined);
      else if (target === 'c') done({ code: StatusCode.INVALID_ARGUMENT, message: 'no' }, undefined);
      else done(undefined, {});
    },
    () => false,
  );
  time.advance(10_000);
  expect(await came).toEqual({ complete: 3, failure: 1 });
  expect(tries.get('b')).toBe(3);
});

it('counts nothing once its node has not led for a moment, although it leads again when the last is over', async () => {
  let leads = true;
  const { time, came } = run(
    (target, done) => {
      if (target !== 'b') done(undefined, {});
      else {
        leads = false;
        done(unavailable, undefined);
        leads = true;
      }
    },
    () => !leads,
  );
  time.advance(10_000);
  expect(await came).toBeUndefined();
});

it.each([StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED])(
  'waits for an execution that cannot be reached (%i) as long as its shard is away',
  async (code) => {
    let isAway = true;
    const { time, came } = run(
      (target, done) => done(target === 'c' && isAway ? { code, message: 'away' } : undefined, {}),
      () => false,
    );
    time.advance(HOUR_MS);
    isAway = false;
    time.advance(10_000);
    expect(await came).toEqual({ complete: 4, failure: 0 });
  },
);

it.each([StatusCode.RESOURCE_EXHAUSTED, StatusCode.ABORTED])(
  'counts an execution that is always too busy (%i) as failed after ten attempts',
  async (code) => {
    let tries = 0;
    const { time, came } = run(
      (target, done) => {
        if (target === 'c') tries += 1;
        done(target === 'c' ? { code, message: 'busy' } : undefined, {});
      },
      () => false,
    );
    time.advance(HOUR_MS);
    expect(await came).toEqual({ complete: 3, failure: 1 });
    expect(tries).toBe(10);
  },
);

it('tries nothing again once it was stopped: what was not reached counts as failed', async () => {
  let isStopped = false;
  let tries = 0;
  const { time, came } = run(
    (_target, done) => {
      tries += 1;
      done(unavailable, undefined);
    },
    () => false,
    () => isStopped,
  );
  time.advance(5_050);
  const before = tries;
  isStopped = true;
  time.advance(HOUR_MS);
  expect(await came).toEqual({ complete: 0, failure: SLICE.length });
  expect(tries).toBe(before);
});

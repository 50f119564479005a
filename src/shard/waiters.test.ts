// Who waits is woken once, by what it waits for, and by the end of its shard.
import { describe, expect, it } from 'vitest';
import { base } from './keys.ts';
import { Waiters } from './waiters.ts';

const ACTOR = base(3, 'default', 'order');
const OTHER = base(4, 'default', 'order');
const waiting = () => {
  const woken: string[] = [];
  const waiters = new Waiters({ waiters: 10, waitersPerRun: 2 });
  const wait = (on: 'close' | 'event' | 'state', actor = ACTOR) =>
    waiters.wait(on, actor, 'run', () => woken.push(`${on} of ${actor === ACTOR ? 'actor' : 'other'}`));
  return { waiters, woken, wait };
};

describe('long polls', () => {
  it('are woken by what they wait for, and only once', () => {
    const { waiters, woken, wait } = waiting();
    wait('close');
    wait('event');
    waiters.wake('state', ACTOR, 'run');
    waiters.wake('event', OTHER, 'run');
    expect(woken).toEqual([]);
    waiters.wake('event', ACTOR, 'run');
    waiters.wake('event', ACTOR, 'run');
    expect(woken).toEqual(['event of actor']);
    expect(waiters.size).toBe(1);
  });

  it('are woken with their shard, whatever they wait for', () => {
    const { waiters, woken, wait } = waiting();
    for (const on of ['close', 'event', 'state'] as const) wait(on);
    wait('close', OTHER);
    waiters.wakeShard(3);
    expect(woken).toEqual(['close of actor', 'event of actor', 'state of actor']);
    expect(waiters.size).toBe(1);
    waiters.wakeAll();
    expect(woken).toHaveLength(4);
    expect(waiters.size).toBe(0);
  });

  it('are not woken once they have left', () => {
    const { waiters, woken, wait } = waiting();
    const left = wait('close');
    if ('abandon' in left) left.abandon();
    waiters.wake('close', ACTOR, 'run');
    expect(woken).toEqual([]);
    expect(waiters.size).toBe(0);
  });

  it('are refused beyond a number for one run (I9)', () => {
    const { wait } = waiting();
    wait('close');
    wait('close');
    expect(wait('close')).toHaveProperty('message');
    expect(wait('event')).toHaveProperty('abandon');
  });
});

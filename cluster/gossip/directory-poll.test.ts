import { describe, expect, it } from 'vitest';
import type { Cancelable, Scheduler } from '../../src/ports/clock.ts';
import { DirectoryPoll } from './directory-poll.ts';
import type { AnnouncedNode, PeerDirectory } from './peer-directory.ts';

const node = (name: string): AnnouncedNode => ({
  name,
  directoryId: `dir-${name}`,
  gossipAddress: `${name}:7946`,
  clientAddress: '',
});

/** Time that moves when told to. */
class VirtualScheduler implements Scheduler {
  #now = 0;
  #timers: { dueAt: number; fn: () => void }[] = [];

  after(delayMs: number, fn: () => void): Cancelable {
    const timer = { dueAt: this.#now + delayMs, fn };
    this.#timers.push(timer);
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }

  soon(fn: () => void): void {
    this.after(0, fn);
  }

  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await new Promise(setImmediate);
      const [next] = this.#timers.toSorted((a, b) => a.dueAt - b.dueAt);
      if (next === undefined || next.dueAt > until) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = next.dueAt;
      next.fn();
    }
    this.#now = until;
  }
}

function polling(directory: PeerDirectory) {
  const scheduler = new VirtualScheduler();
  const world = { alone: true, peers: [] as (readonly string[])[], failures: [] as string[] };
  const poll = new DirectoryPoll({
    directory,
    scheduler,
    self: () => node('self'),
    alone: () => world.alone,
    onPeers: (addresses) => world.peers.push(addresses),
    onFailure: (message) => world.failures.push(message),
  });
  return { scheduler, poll, world };
}

describe('polling the peer directory', () => {
  it('announces this node and brings the others, often while alone, seldom after', async () => {
    let announced = 0;
    const { scheduler, poll, world } = polling({
      announce: async () => void (announced += 1),
      peers: async () => [node('a'), node('self')],
    });
    void poll.start();
    await scheduler.pass(10_000);
    expect(world.peers[0]).toEqual(['a:7946']);
    expect(announced).toBe(6);
    world.alone = false;
    await scheduler.pass(62_000);
    expect(announced).toBe(9);
    poll.stop();
    await scheduler.pass(100_000);
    expect(announced).toBe(9);
  });

  it('gives a directory that hangs up, says so, and asks again', async () => {
    let asked = 0;
    const { scheduler, poll, world } = polling({
      announce: () => new Promise(() => {}),
      peers: () => {
        asked += 1;
        return new Promise(() => {});
      },
    });
    const first = poll.start();
    await scheduler.pass(5_000);
    await first;
    expect(world.failures).toEqual(['the peer directory does not answer: no answer in 5000 ms']);
    await scheduler.pass(2_000);
    expect(asked).toBe(2);
    poll.stop();
  });

  it('uses what it can: a directory that takes nothing may still know peers', async () => {
    const { scheduler, poll, world } = polling({
      announce: () => {
        throw new Error('read only');
      },
      peers: async () => [node('a')],
    });
    void poll.start();
    await scheduler.pass(100);
    expect(world.peers).toEqual([['a:7946']]);
    expect(world.failures).toEqual(['the peer directory does not answer: read only']);
    poll.stop();
  });

  it('takes no more peers than are of use', async () => {
    const { scheduler, poll, world } = polling({
      announce: async () => {},
      peers: async () => Array.from({ length: 500 }, (_, index) => node(`n${index}`)),
    });
    void poll.start();
    await scheduler.pass(100);
    expect(world.peers[0]?.length).toBe(64);
    poll.stop();
  });
});

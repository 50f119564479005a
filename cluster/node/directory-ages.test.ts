// A directory that was put back is refused by who has heard of it since.

import { describe, expect, it } from 'vitest';
import type { RemoteNode } from '../link/identity.ts';
import { decodeBody, encodeBody } from '../routing/answers.ts';
import { DirectoryAges } from './directory-ages.ts';
import { TestNet } from './node.test-support.ts';
import type { NodeState } from './state.ts';

const COUNT_MS = 1_000;

/** The directory of a node: survives its processes, and can be copied. */
interface Directory {
  id: string;
  state: Pick<NodeState, 'age' | 'ages' | 'damaged'>;
  isFull?: boolean;
}

interface Running {
  readonly ages: DirectoryAges;
  readonly failures: unknown[];
  /** As it introduces itself on a link. */
  remote(): RemoteNode;
  stop(): void;
}

function cluster() {
  const net = new TestNet();
  const running = new Map<string, Running>();
  let boots = 0;
  const start = async (name: string, directory: Directory): Promise<Running> => {
    boots += 1;
    const bootId = `boot ${boots}`;
    const failures: unknown[] = [];
    const rpc = net.node(name);
    const others = (): string[] => [...running.keys()].filter((other) => other !== name);
    const ages = new DirectoryAges({
      ...{ name, self: directory.id, state: directory.state, countMs: COUNT_MS, scheduler: net.time, rpc: () => rpc },
      connected: others,
      remoteOf: (node) => running.get(node)?.remote(),
      save: async (change) => {
        if (directory.isFull) throw new Error('no space left');
        directory.state = { ...directory.state, ...change };
      },
      failed: (error) => failures.push(error),
    });
    const remote = (): RemoteNode => ({
      ...{ clusterId: 'c', nodeName: name, directoryId: directory.id, bootId, version: '1', age: ages.ageAtStart },
      ...{ protocol: { min: 1, max: 1 }, agreedProtocol: 1, address: `${name}:1` },
    });
    const stop = (): void => {
      ages.stop();
      running.delete(name);
    };
    const node = { ages, failures, remote, stop };
    await ages.begin();
    running.set(name, node);
    return node;
  };
  return { net, start, pass: (ms: number) => net.time.advance(ms) };
}

const empty = (id: string): Directory => ({ id, state: {} });

describe('a data directory', () => {
  it('is taken after every restart, whoever heard what of it before', async () => {
    const { start, pass } = cluster();
    const a = await start('a', empty('d-a'));
    const directory = empty('d-b');
    for (let run = 0; run < 5; run += 1) {
      const b = await start('b', directory);
      expect(a.ages.whyOutdated(b.remote())).toBeUndefined();
      await pass(run * 700);
      // Connected anew.
      expect(a.ages.whyOutdated(b.remote())).toBeUndefined();
      b.stop();
    }
  });

  it.each(['by who has been there all the time', 'by who was started again', 'when it has counted alone'])(
    'that was set back is refused %s, and is not started from again',
    async (by) => {
      const { start, pass } = cluster();
      const own = empty('d-a');
      let a = await start('a', own);
      const directory = empty('d-b');
      const b = await start('b', directory);
      expect(a.ages.whyOutdated(b.remote())).toBeUndefined();
      await pass(5_000);
      const copy = { ...directory, state: { ...directory.state } };
      await pass(5_000);
      b.stop();
      if (by === 'by who was started again') {
        a.stop();
        a = await start('a', own);
      }
      const old = await start('b', copy);
      if (by === 'when it has counted alone') await pass(60_000);
      const why = a.ages.whyOutdated(old.remote()) ?? '';
      expect(why).toMatch(/^data directory d-b of node b is older than it was: .* as node a has heard. Empty it/);
      // It is told over the link.
      a.ages.greet('b');
      await pass(10);
      expect(old.failures).toEqual([new Error(why)]);
      expect(copy.state.damaged).toBe(why);
      // However long it goes on counting, and whatever its next process says.
      await pass(60_000);
      old.stop();
      const again = await start('b', copy);
      expect(again.ages.ageAtStart).toBeGreaterThan(60);
      expect(a.ages.whyOutdated(again.remote())).toBe(why);
      // An empty one has another id.
      again.stop();
      expect(a.ages.whyOutdated((await start('b', empty('d-b2'))).remote())).toBeUndefined();
    },
  );

  it('is not given up because of what is said of another', async () => {
    const { net, start, pass } = cluster();
    await start('a', empty('d-a'));
    const b = await start('b', empty('d-b'));
    for (const said of [{ directoryId: 'd-x', why: 'x' }, { directoryId: 'd-b' }, { directoryId: 7, why: 'x' }])
      net.node('a').call('b', 'cluster.outdated', encodeBody(said), 1_000, () => undefined);
    await pass(100);
    expect(b.failures).toEqual([]);
  });

  it('is taken as it is where a release wrote it that does not count', async () => {
    const { start, pass } = cluster();
    const a = await start('a', empty('d-a'));
    const directory = empty('d-b');
    const b = await start('b', directory);
    a.ages.whyOutdated(b.remote());
    await pass(10_000);
    b.stop();
    expect(a.ages.whyOutdated({ ...b.remote(), bootId: 'older release', age: undefined })).toBeUndefined();
    expect(a.ages.whyOutdated((await start('b', empty('d-b'))).remote())).toBeUndefined();
  });

  it('has counted durably before it says so', async () => {
    const { net, start, pass } = cluster();
    await start('a', empty('d-a'));
    const directory = empty('d-b');
    await start('b', directory);
    const told: number[] = [];
    net.node('a').serve('cluster.age', (call, bytes) => {
      told.push((decodeBody(bytes) as { age: number }).age);
      call.answer(new Uint8Array(0));
    });
    for (let i = 0; i < 20; i += 1) {
      await pass(300);
      expect(directory.state.age).toBeGreaterThanOrEqual(told.at(-1) ?? 1);
    }
    await pass(10);
    expect([directory.state.age, told]).toEqual([7, [2, 3, 4, 5, 6, 7]]);
  });

  it('says nothing that its disk refused, and goes on once that has room', async () => {
    const { start, pass } = cluster();
    const directory = empty('d-b');
    const b = await start('b', directory);
    directory.isFull = true;
    await pass(5_000);
    expect([directory.state.age, b.failures]).toEqual([1, []]);
    directory.isFull = false;
    await pass(2_000);
    expect(directory.state.age).toBe(3);
  });

  it('is one of so many that are remembered', async () => {
    const { start, pass } = cluster();
    const own = empty('d-a');
    const a = await start('a', own);
    const b = await start('b', empty('d-b'));
    for (let i = 0; i < 5_000; i += 1) a.ages.whyOutdated({ ...b.remote(), directoryId: `d-${i}` });
    await pass(COUNT_MS);
    expect(own.state.ages).toHaveLength(4_096);
  });
});

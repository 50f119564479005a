// Namespaces that are registered while a node runs: known to the first who asks, and to whom their tokens, or the lack of them, allow.
import { describe, expect, it } from 'vitest';
import { TestDoor } from '../../test/support/door.ts';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { VirtualTime } from '../../test/support/matching-world.ts';
import { NamespaceState } from '../wire/enums.ts';
import type { NamespaceRecord } from '../wire/namespace.ts';
import { StatusCode } from '../wire/status.ts';
import { NamespaceDirectory } from './namespace-directory.ts';
import { Namespaces } from './namespaces.ts';

const record = (name: string, over: Partial<NamespaceRecord> = {}): NamespaceRecord => ({
  ...{ name, id: `id-of-${name}`, state: NamespaceState.REGISTERED, retention: 7_200_000 },
  ...{ description: '', ownerEmail: '', data: {} },
  ...over,
});

const HOUR = 3_600_000;

describe('access to a registered namespace', () => {
  const guarded = { name: 'guarded', retention: HOUR, tokens: ['secret'] };
  const operators = { tokens: ['boss'], withoutTokens: 'nobody' } as const;

  it('is everyone’s where no namespace asks for a token', () => {
    const namespaces = new Namespaces([{ name: 'default', retention: HOUR, tokens: [] }]);
    namespaces.learn([record('new')]);
    expect(namespaces.access(undefined)?.mayUse('new')).toBe(true);
  });

  it('is its operators’ alone where others ask for tokens', () => {
    const namespaces = new Namespaces([guarded, { name: 'open', retention: HOUR, tokens: [] }], operators);
    namespaces.learn([record('new')]);
    expect(namespaces.access('secret')?.mayUse('new')).toBe(false);
    expect(namespaces.access(undefined)?.mayUse('new')).toBe(false);
    expect(namespaces.access('boss')?.mayUse('new')).toBe(true);
    expect(namespaces.access(undefined)?.mayUse('open')).toBe(true);
    expect(namespaces.access('boss')?.mayUse('guarded')).toBe(false);
  });

  it('asks for the tokens that the configuration has for it; what was registered counts for the rest', () => {
    const namespaces = new Namespaces([guarded], operators);
    namespaces.learn([record('guarded', { description: 'd' })]);
    expect(namespaces.access('secret')?.mayUse('guarded')).toBe(true);
    expect(namespaces.known.get('guarded')).toMatchObject({ description: 'd', retention: 7_200_000 });
  });

  it('ends with its deletion; a configured one stays', () => {
    const namespaces = new Namespaces([guarded], operators);
    namespaces.learn([record('new'), record('gone', { state: NamespaceState.DELETED })]);
    expect([...namespaces.known.keys()]).toEqual(['guarded', 'new']);
    namespaces.learn([]);
    expect([...namespaces.known.keys()]).toEqual(['guarded']);
  });
});

describe('a door', () => {
  it('looks again for a namespace it does not know, and then serves the request', () => {
    const door = new TestDoor();
    const client = door.connect();
    expect(client.refusal('describeNamespace', { namespace: 'new' })?.detail).toEqual({
      ...{ kind: 'NamespaceNotFound', namespace: 'new' },
    });
    door.engine.answers.namespaces = { revision: 1, records: [record('new')] };
    door.time.advance(50);
    expect(client.refusal('describeNamespace', { namespace: 'new' })).toBeUndefined();
  });

  it.each([
    ['registerNamespace', { namespace: 'a', workflowExecutionRetentionPeriod: HOUR }],
    ['updateNamespace', { namespace: 'default' }],
    ['deprecateNamespace', { namespace: 'default' }],
    ['deleteNamespace', { namespace: 'default' }],
  ])('lets only operators say %s', (method, body) => {
    const door = new TestDoor({ administration: { tokens: ['boss'], withoutTokens: 'nobody' } });
    expect(door.connect().refusal(method, body)?.code).toBe(StatusCode.PERMISSION_DENIED);
  });
});

describe('a node’s directory of namespaces', () => {
  const setUp = () => {
    const time = new VirtualTime();
    const engine = new FakeEngine();
    const heard: string[][] = [];
    const namespaces = { learn: (records: readonly NamespaceRecord[]) => heard.push(records.map(({ name }) => name)) };
    const directory = new NamespaceDirectory({ engine, clock: time, scheduler: time, namespaces });
    return { time, engine, heard, directory };
  };

  it('asks once a second', () => {
    const { time, engine, heard, directory } = setUp();
    expect(directory.isKnown).toBe(false);
    void directory.start();
    expect(directory.isKnown).toBe(true);
    engine.answers.namespaces = { revision: 7, records: [record('a')] };
    time.advance(999);
    expect(heard).toEqual([[]]);
    time.advance(1);
    expect(heard).toEqual([[], ['a']]);
    directory.stop();
    time.advance(5_000);
    expect(heard).toHaveLength(2);
  });

  it('asks again for who came while it was being answered, and not more often than it may', () => {
    const { time, engine, heard, directory } = setUp();
    const told: number[] = [];
    for (let i = 0; i < 3; i += 1) directory.lookAgain(() => told.push(i));
    expect(told).toEqual([0]);
    engine.answers.namespaces = { revision: 1, records: [record('a')] };
    time.advance(50);
    expect(told).toEqual([0, 1, 2]);
    expect(heard).toEqual([[], ['a']]);
  });
});

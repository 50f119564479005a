import { describe, expect, it } from 'vitest';
import type { MemberRecord, Sync, SyncReply } from './messages.ts';
import type { Instant } from './outputs.ts';
import { metaOf, recordFor, TestNode } from './parts.test-support.ts';
import { Sequence } from './sequence.ts';
import { Syncer, syncPauseMs } from './sync.ts';

const now = (monotonicMs: number, wallMs = 1_000_000 + monotonicMs): Instant => ({ monotonicMs, wallMs });

function syncing(name: string, ...known: string[]) {
  const node = new TestNode({}, name).knows(...known);
  return { node, syncer: new Syncer(node.parts, node.claims, new Sequence(node.parts.random), 0, () => {}) };
}

type Side = ReturnType<typeof syncing>;

/** One whole comparison; `a` asks `b`. */
function compare(a: Side, b: Side, at = now(0)): SyncReply {
  const { message, sent } = a.syncer.request(at);
  const reply = b.syncer.answer(at, message);
  if (reply.type !== 'syncReply') throw new Error(`refused: ${reply.reason}`);
  const close = a.syncer.reply(at, sent, reply);
  if (close !== undefined) b.syncer.close(at.monotonicMs, close);
  return reply;
}

const names = ({ node }: Side): string[] => [...node.parts.table.values()].map(({ meta }) => meta.name).sort();

describe('comparing tables', () => {
  it('makes a newcomer known, and the others known to it', () => {
    const [a, b] = [syncing('a'), syncing('b', 'c', 'd')];
    compare(a, b);
    expect(names(a)).toEqual(['a', 'b', 'c', 'd']);
    expect(names(b)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('brings both what only one knows', () => {
    const [a, b] = [syncing('a', 'b', 'x'), syncing('b', 'a', 'y')];
    compare(a, b);
    expect(names(a)).toEqual(names(b));
  });

  it('that agree costs no records but our own', () => {
    const [a, b] = [syncing('a', 'b', 'c', 'd'), syncing('b', 'a', 'c', 'd')];
    const reply = compare(a, b);
    expect(reply.records.map(({ meta }) => meta.name)).toEqual(['b']);
    expect(reply.wants).toEqual([]);
  });

  it('takes what the other calls dead for suspect, since it may have been a split', () => {
    const [a, b] = [syncing('a', 'b', 'x', 'y'), syncing('b', 'a', 'x', 'y')];
    b.node.claims.dead(0, { type: 'dead', name: 'x', incarnation: 1, from: 'b' });
    compare(a, b);
    expect(a.node.stateOf('x')).toBe('suspect');
    expect(b.node.stateOf('x')).toBe('dead');
  });

  it('believes a goodbye, and how the one that left drains', () => {
    const [a, b] = [syncing('a', 'b', 'x'), syncing('b', 'a', 'x')];
    b.node.claims.left(0, { type: 'left', name: 'x', incarnation: 1, draining: 'everything' });
    compare(a, b);
    expect(a.node.parts.table.get('x')).toMatchObject({ state: 'left', meta: { draining: 'everything' } });
  });

  it('passes a refutation on that one side missed', () => {
    const [a, b] = [syncing('a', 'b', 'x'), syncing('b', 'a', 'x')];
    a.node.claims.suspect(0, { type: 'suspect', name: 'x', incarnation: 1, from: 'y' });
    b.node.claims.alive(0, { type: 'alive', ...recordFor('x', { incarnation: 2 }) }, 'gossip');
    compare(a, b);
    expect(a.node.stateOf('x')).toBe('alive');
  });

  it('lets the one called dead refute, at once and to the other', () => {
    const [a, b] = [syncing('a', 'b'), syncing('b', 'a')];
    b.node.claims.dead(0, { type: 'dead', name: 'a', incarnation: 1, from: 'b' });
    compare(a, b);
    expect(b.node.stateOf('a')).toBe('alive');
    expect(b.node.parts.table.get('a')?.incarnation).toBe(2);
  });

  it('lets a restarted node outdo its previous life, without doubting its health', () => {
    const a = syncing('a');
    const b = syncing('b');
    const before: MemberRecord = recordFor('a', { meta: metaOf('a', { instance: 1, zone: 'old' }), incarnation: 7 });
    b.node.claims.alive(0, { type: 'alive', ...before }, 'gossip');
    compare(a, b);
    expect(b.node.parts.table.get('a')).toMatchObject({ incarnation: 8, state: 'alive', meta: metaOf('a') });
    expect(a.node.parts.awareness.score).toBe(0);
  });

  it('brings the load with a record, and is not made for loads alone', () => {
    const [a, b] = [syncing('a', 'b', 'x'), syncing('b', 'a', 'x')];
    b.node.claims.load(0, { type: 'load', name: 'x', instance: metaOf('x').instance, load: 33, loadVersion: 1 });
    expect(compare(a, b).records.map(({ meta }) => meta.name)).toEqual(['b']);
    const newcomer = syncing('c');
    compare(newcomer, b);
    expect(newcomer.node.parts.table.get('x')?.load).toBe(33);
  });

  it('tells a newcomer of the dead, as old as they are, and not as news', () => {
    const [a, b] = [syncing('a'), syncing('b', 'x')];
    b.node.claims.dead(1_000, { type: 'dead', name: 'x', incarnation: 1, from: 'b' });
    compare(a, b, now(5_000));
    expect(a.node.parts.table.get('x')).toMatchObject({ state: 'dead', sinceMs: 1_000 });
    expect(a.node.changes()).toEqual(['joined b']);
  });

  it('tells a newcomer of who has left, with its last word on how it drains', () => {
    const [a, b] = [syncing('a'), syncing('b', 'x')];
    b.node.claims.left(1_000, { type: 'left', name: 'x', incarnation: 1, draining: 'everything' });
    compare(a, b, now(5_000));
    expect(a.node.parts.table.get('x')).toMatchObject({
      ...{ state: 'left', sinceMs: 1_000, meta: { draining: 'everything' } },
    });
    expect(a.node.changes()).toEqual(['joined b']);
  });

  it('does not bring back those dead for so long that they are forgotten', () => {
    const a = syncing('a');
    const { sent } = a.syncer.request(now(0));
    const records = [recordFor('x', { state: 'dead', ageMs: 25 * 3_600_000 })];
    a.syncer.reply(now(0), sent, { type: 'syncReply', id: sent.id, wallMs: 1_000_000, from: 'b', records, wants: [] });
    expect(names(a)).toEqual(['a']);
  });

  it('refuses a newcomer that objections hold against', () => {
    const b = syncing('b', 'a');
    const a = syncing('a');
    const { message } = a.syncer.request(now(0));
    const twin: Sync = { ...message, self: recordFor('a', { meta: metaOf('a', { directoryId: 'other' }) }) };
    expect(b.syncer.answer(now(0), twin)).toMatchObject({ type: 'refused', reason: 'duplicateName', by: 'b' });
  });

  it('ignores an answer to another question', () => {
    const a = syncing('a');
    const { sent } = a.syncer.request(now(0));
    const reply: SyncReply = {
      type: 'syncReply',
      id: sent.id + 1,
      wallMs: 0,
      from: 'b',
      records: [recordFor('x')],
      wants: [],
    };
    expect(a.syncer.reply(now(0), sent, reply)).toBeUndefined();
    expect(names(a)).toEqual(['a']);
  });

  it('passes on what a first comparison brought to nobody, what later ones bring to all', () => {
    const [a, b] = [syncing('a'), syncing('b', 'c')];
    compare(a, b);
    expect(a.node.parts.broadcasts.size).toBe(0);
    b.node.knows('d');
    compare(a, b);
    expect(a.node.news().map((news) => (news.type === 'alive' ? news.meta.name : ''))).toEqual(['d']);
  });
});

describe('clocks', () => {
  it.each([
    { skewMs: 0, tripMs: 10, reported: undefined },
    { skewMs: 900, tripMs: 10, reported: undefined },
    { skewMs: 5_000, tripMs: 10, reported: 'ahead of' },
    { skewMs: -5_000, tripMs: 10, reported: 'behind' },
    { skewMs: 1_500, tripMs: 2_000, reported: undefined },
  ])('$skewMs ms apart over a trip of $tripMs: $reported', ({ skewMs, tripMs, reported }) => {
    const [a, b] = [syncing('a', 'b'), syncing('b', 'a')];
    const { message, sent } = a.syncer.request(now(0));
    const reply = b.syncer.answer(now(tripMs / 2, 1_000_000 + tripMs / 2 + skewMs), message);
    if (reply.type === 'syncReply') a.syncer.reply(now(tripMs), sent, reply);
    const notices = a.node.others().map((output) => (output.type === 'notice' ? output.notice.message : ''));
    expect(notices.length).toBe(reported === undefined ? 0 : 1);
    if (reported !== undefined) expect(notices[0]).toContain(reported);
  });
});

describe('the pause between comparisons', () => {
  it.each([
    [1, 30],
    [32, 30],
    [33, 60],
    [64, 60],
    [128, 90],
    [1_000, 180],
  ])('among %i members is %i s', (members, seconds) => {
    expect(syncPauseMs(30_000, members)).toBe(seconds * 1_000);
  });
});

import { describe, expect, it } from 'vitest';
import { silentLog } from '../../src/ports/log.ts';
import { snapshotOf } from '../gossip/core/member.ts';
import { memberOf, metaOf } from '../gossip/core/parts.test-support.ts';
import type { MemberSnapshot } from '../gossip/index.ts';
import type { Links } from '../link/links.ts';
import { Roster } from './roster.ts';

const one = (
  name: string,
  state: MemberSnapshot['state'],
  draining: MemberSnapshot['draining'],
  directoryId = `dir-${name}`,
): MemberSnapshot => snapshotOf(memberOf(name, { state, meta: metaOf(name, { draining, directoryId }) }), 0);

/** On node `a`, which has links to the nodes of these directories. */
function rosterOf(members: readonly MemberSnapshot[], linked: readonly string[] = []): Roster {
  // What is asked of links here.
  const links = {
    peers: () => linked.map((directoryId) => ({ state: 'connected', remote: { directoryId } })),
    connect: () => undefined,
    forget: () => undefined,
  };
  return new Roster({ self: 'a', links: links as unknown as Links, log: silentLog, members: () => members });
}

/** Who is there for placement, and who left for good, for node `a` whose plan has everybody. */
function seen(...members: MemberSnapshot[]) {
  const roster = rosterOf([one('a', 'alive', 'no'), ...members]);
  const { present, left } = roster.seen(new Set(members.map(({ directoryId }) => directoryId)));
  return { present: present.map(({ name }) => name), left: [...left] };
}

describe('what placement sees', () => {
  it.each(['dead', 'left'] as const)(
    'one that is %s and said last that it gives up everything has gone for good',
    (state) => {
      expect(seen(one('b', state, 'everything'))).toEqual({ present: ['a'], left: ['dir-b'] });
      expect(seen(one('b', state, 'leadership'))).toEqual({ present: ['a'], left: [] });
    },
  );

  it('one that still drains is there', () => {
    expect(seen(one('b', 'suspect', 'everything'))).toEqual({ present: ['a', 'b'], left: [] });
  });

  it('a directory that came back under another name has not gone for good, nor when that one is away', () => {
    const before = one('b', 'left', 'everything', 'dir');
    expect(seen(before, one('c', 'alive', 'no', 'dir'))).toEqual({ present: ['a', 'c'], left: [] });
    expect(seen(one('c', 'dead', 'no', 'dir'), before)).toEqual({ present: ['a'], left: [] });
  });

  it('a newcomer counts once there is a link to it, who is in the plan at once', () => {
    const linked = (directories: string[], planned: string[]): string[] => {
      const roster = rosterOf([one('a', 'alive', 'no'), one('b', 'alive', 'no')], directories);
      return roster.seen(new Set(planned)).present.map(({ name }) => name);
    };
    expect(linked([], [])).toEqual(['a']);
    expect(linked(['dir-c'], [])).toEqual(['a']);
    expect(linked(['dir-b'], [])).toEqual(['a', 'b']);
    expect(linked([], ['dir-b'])).toEqual(['a', 'b']);
  });

  it.each([
    [[], true],
    [['shards', 'other'], true],
    [['other'], false],
  ])('one with the roles %j may hold shards: %s', (roles, may) => {
    const member = snapshotOf(memberOf('b', { state: 'alive', meta: metaOf('b', { roles, directoryId: 'dir-b' }) }), 0);
    expect(seen(member).present.includes('b')).toBe(may);
  });

  it('how one drains goes with it', () => {
    const roster = rosterOf([one('a', 'alive', 'no'), one('b', 'alive', 'leadership')]);
    expect(roster.seen(new Set(['dir-b'])).present.map(({ drain }) => drain)).toEqual(['no', 'leadership']);
  });
});

describe('who has a directory', () => {
  it.each([
    ['before', ['new', 'old']],
    ['after', ['old', 'new']],
  ])('is the name that lives, told %s the one it had', (_, order) => {
    const records = { new: one('b2', 'alive', 'no', 'dir-b'), old: one('b', 'dead', 'no', 'dir-b') };
    const roster = rosterOf(order.map((which) => records[which as keyof typeof records]));
    roster.refresh();
    expect(roster.nameOf('dir-b')).toBe('b2');
    expect(roster.isUp('dir-b')).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { silentLog } from '../../src/ports/log.ts';
import { snapshotOf } from '../gossip/core/member.ts';
import { memberOf, metaOf } from '../gossip/core/parts.test-support.ts';
import type { MemberSnapshot } from '../gossip/index.ts';
import { Roster } from './roster.ts';

const one = (
  name: string,
  state: MemberSnapshot['state'],
  draining: MemberSnapshot['draining'],
  directoryId = `dir-${name}`,
): MemberSnapshot => snapshotOf(memberOf(name, { state, meta: metaOf(name, { draining, directoryId }) }), 0);

/** Who is there for placement, and who left for good, on node `a` whose plan has everybody. */
function seen(...members: MemberSnapshot[]) {
  const roster = new Roster({
    self: 'a',
    // No link is made or asked about.
    links: {} as never,
    log: silentLog,
    members: () => [one('a', 'alive', 'no'), ...members],
  });
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
});

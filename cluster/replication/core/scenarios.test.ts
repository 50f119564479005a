// Golden transcripts: who says what, what is durable first, and what comes of it. A change of the protocol shows here line by line.

import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { lsn } from '../../../src/ports/ids.ts';
import { bytes, id, Script, TIMES } from './script.test-support.ts';

function led(names: readonly string[], bounds = {}): Script {
  const script = new Script(names, bounds);
  script.elect(names[0] as string);
  script.pass(TIMES.heartbeatMs);
  script.deliver();
  script.transcript();
  return script;
}

describe('a shard of one replica', () => {
  it('leads and commits by its own fsync, and says nothing to anybody', () => {
    const script = new Script(['a']);
    script.pass(0);
    script.do('a', (a) => a.propose(bytes('x')));
    expect(script.transcript()).toMatchInlineSnapshot(`
      "a wants a term above 1
      a persists vote a@2
      a has heard of term 2
      a persists 2@2 barrier
      a is elected in term 2
      a is configured {a} at 1
      a leads from 2@2
      a persists 3@2 x"
    `);
    expect(script.committed('a')).toEqual(['x']);
    expect(script.network).toEqual([]);
  });

  it('confirms a read without a round', () => {
    const script = new Script(['a']);
    script.pass(0);
    script.do('a', (a) => a.read(1, script.nowMs));
    expect(script.notices.at(-1)).toMatchObject({ type: 'readConfirmed', read: 1 });
    expect(script.network).toEqual([]);
  });
});

describe('a leader that is alone', () => {
  it('has nothing to do as time passes, and beats from the moment somebody else is there', () => {
    const script = new Script(['a']);
    script.pass(0);
    script.pass(5 * TIMES.heartbeatMs);
    expect(script.replica('a').isDue(script.nowMs)).toBe(false);
    script.add('b');
    script.do('a', (a) => a.change({ type: 'addLearner', id: id('b') }, script.nowMs));
    expect(script.replica('a').isDue(script.nowMs)).toBe(true);
    script.pass(0, ['a']);
    expect(script.network.map(({ message }) => message.type)).toContain('heartbeat');
  });

  it('confirms what is read before its barrier is durable once it is, without a round', () => {
    const script = new Script(['a']);
    script.member('a').disk = 'held';
    script.pass(0);
    script.sync('a');
    script.do('a', (a) => a.read(1, script.nowMs));
    expect(script.replica('a').isServing).toBe(false);
    expect(script.replica('a').wantsTick).toBe(false);
    script.sync('a');
    expect(script.notices.at(-1)).toMatchObject({ type: 'readConfirmed', read: 1, lsn: 2 });
    expect(script.network).toEqual([]);
  });
});

describe('an election', () => {
  it('asks, gets a term, promises to itself, wins, and commits a barrier of its own term', () => {
    const script = new Script(['a', 'b', 'c']);
    script.elect('a');
    expect(script.transcript()).toMatchInlineSnapshot(`
      "a → b preVote@2, log ends 1@1
      a → c preVote@2, log ends 1@1
      b → a preVoteReply@2 granted
      a wants a term above 1
      a persists vote a@2
      a has heard of term 2
      c → a preVoteReply@2 granted
      a → b vote@2, log ends 1@1
      b persists vote a@2
      a → c vote@2, log ends 1@1
      c persists vote a@2
      b → a voteReply@2 granted
      a persists 2@2 barrier
      a is elected in term 2
      c → a voteReply@2 granted
      a → b append@2 after 1@1: 2@2 barrier; commit 0
      b persists 2@2 barrier
      b follows a in term 2
      a → c append@2 after 1@1: 2@2 barrier; commit 0
      c persists 2@2 barrier
      c follows a in term 2
      b → a appendReply@2 match 2
      a is configured {a+b+c} at 1
      a leads from 2@2
      c → a appendReply@2 match 2"
    `);
  });

  it('uses no term that was given before: one that is repeated is lifted', () => {
    const script = led(['a', 'b', 'c']);
    script.terms = () => 1;
    script.elect('b');
    expect(script.replica('b').term).toBeGreaterThan(2);
    expect(script.replica('b').isServing).toBe(true);
  });

  it('goes on without a coordinator: the candidate takes the next term', () => {
    const script = new Script(['a', 'b', 'c']);
    script.terms = () => undefined;
    script.elect('a');
    expect(script.replica('a').role).toBe('candidate');
    script.pass(TIMES.termWaitMs);
    script.deliver();
    expect(script.replica('a').isServing).toBe(true);
  });

  it('is not lost to a log that is behind', () => {
    const script = led(['a', 'b', 'c']);
    script.cut.add('a>c');
    script.do('a', (a) => a.propose(bytes('x')));
    script.deliver();
    script.cut.add('a>b');
    script.transcript();
    script.elect('c');
    expect(script.transcript()).toMatchInlineSnapshot(`
      "c → a preVote@3, log ends 2@2
      c → b preVote@3, log ends 2@2
      b → c preVoteReply@2 refused"
    `);
    script.elect('b');
    expect(script.replica('b').isServing).toBe(true);
    expect(script.committed('b')).toEqual(['x']);
  });

  it('cannot be called by an isolated replica that comes back', () => {
    const script = led(['a', 'b', 'c']);
    for (const way of ['a>c', 'c>a', 'b>c', 'c>b']) script.cut.add(way);
    for (let i = 0; i < 20; i += 1) {
      script.pass(TIMES.heartbeatMs);
      script.deliver();
    }
    const { term } = script.replica('a');
    script.cut.clear();
    for (let i = 0; i < 3; i += 1) {
      script.pass(TIMES.heartbeatMs);
      script.deliver();
    }
    expect([script.replica('a').role, script.replica('a').term, script.replica('c').leader]).toEqual([
      'leader',
      term,
      'a',
    ]);
  });

  it('is open to the leader heard last at any time: the promise keeps others away from it', () => {
    const script = led(['a', 'b', 'c']);
    script.restart('a');
    script.pass(TIMES.electionMs / 2);
    script.transcript();
    const ask = (from: string) => {
      const { term, log } = script.replica('b');
      const message = { type: 'preVote', term: (term + 1) as typeof term, end: log.last } as const;
      script.do('b', (b) => b.step(id(from), message, { nowMs: script.nowMs, random: 0 }));
      script.deliver();
      return script.transcript();
    };
    expect(ask('a')).toContain('b → a preVoteReply@3 granted');
    expect(ask('c')).toContain('b → c preVoteReply@2 refused');
  });

  it('sends no promise before it is durable, and promises once in a term, also after a restart', () => {
    const script = new Script(['a', 'b', 'c']);
    script.member('b').disk = 'held';
    script.cut.add('a>c');
    script.elect('a');
    script.pass(0, ['a']);
    expect(script.replica('a').role).toBe('candidate');
    script.sync('b');
    script.deliver();
    // b asked whether it would vote, then voted: the second is durable only now.
    script.sync('b');
    script.deliver();
    expect(script.replica('a').role).toBe('leader');
    script.restart('b');
    const { term, log } = script.replica('a');
    script.do('b', (b) =>
      b.step(id('c'), { type: 'vote', term, end: log.last, reason: 'transfer' }, { nowMs: script.nowMs, random: 0 }),
    );
    expect(script.network.at(-1)?.message).toMatchObject({ type: 'voteReply', answer: 'refused' });
  });
});

describe('a candidate', () => {
  /** A timeout passes at this replica alone. */
  const timeOut = (script: Script, name: string): void => {
    script.pass(TIMES.electionMs, [name]);
    script.deliver();
  };

  it('whose disk is slow waits for its own promise, and takes no other term meanwhile', () => {
    const script = new Script(['a', 'b', 'c']);
    script.member('a').disk = 'held';
    script.elect('a');
    const { term } = script.replica('a');
    for (let n = 0; n < 20; n += 1) timeOut(script, 'a');
    expect(script.replica('a').term).toBe(term);
    script.sync('a');
    script.deliver();
    expect(script.replica('a')).toMatchObject({ role: 'leader', term });
  });

  it('leaves slow voters more time with each term they did not answer in, up to four timeouts', () => {
    const script = new Script(['a', 'b', 'c']);
    for (const name of ['b', 'c']) script.member(name).disk = 'held';
    script.elect('a');
    const first = script.replica('a').term;
    const stoodFor = Array.from({ length: 16 }, () => {
      timeOut(script, 'a');
      return script.replica('a').term - first;
    });
    expect(stoodFor).toEqual([1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6]);
    for (const name of ['b', 'c']) script.sync(name);
    script.deliver();
    expect(script.replica('a').role).toBe('leader');
  });
});

describe('a leader', () => {
  it('commits when a majority has it on disk, whether or not itself is among them', () => {
    const script = led(['a', 'b', 'c']);
    script.member('a').disk = 'held';
    script.do('a', (a) => a.propose(bytes('x')));
    expect(script.replica('a').commit).toBe(2);
    script.deliver();
    expect(script.replica('a').commit).toBe(3);
    expect(script.replica('a').durable).toBe(2);
  });

  it('replaces what others hold and nobody committed', () => {
    const script = led(['a', 'b', 'c']);
    for (const way of ['a>b', 'a>c', 'b>a', 'c>a']) script.cut.add(way);
    script.do('a', (a) => a.propose(bytes('lost')));
    script.deliver();
    script.elect('b');
    script.do('b', (b) => b.propose(bytes('kept')));
    script.deliver();
    script.cut.clear();
    script.transcript();
    script.pass(TIMES.heartbeatMs, ['b']);
    script.deliver();
    script.pass(TIMES.heartbeatMs, ['b']);
    script.deliver();
    expect(script.transcript()).toMatchInlineSnapshot(`
      "b → a heartbeat@3 commit 0
      a follows nobody in term 3
      a follows b in term 3
      b → c heartbeat@3 commit 4
      a → b heartbeatReply@3
      c → b heartbeatReply@3
      b → a append@3 after 2@2: 3@3 barrier, 4@3 kept; commit 4
      a persists truncate after 2, 3@3 barrier, 4@3 kept
      a → b appendReply@3 match 4
      b → a heartbeat@3 commit 4
      b → c heartbeat@3 commit 4
      a → b heartbeatReply@3
      c → b heartbeatReply@3"
    `);
    expect(script.committed('a')).toEqual(['kept']);
  });

  it('that a majority has not answered for an election timeout leads no more', () => {
    const script = led(['a', 'b', 'c']);
    for (const way of ['b>a', 'c>a']) script.cut.add(way);
    script.pass(TIMES.electionMs + 1, ['a']);
    expect(script.replica('a').role).toBe('follower');
    expect(script.do('a', (a) => a.propose(bytes('x')))).toEqual({ refused: 'notLeader' });
  });

  it('confirms a read by a round that began after it came', () => {
    const script = led(['a', 'b', 'c']);
    // The lease of the last round is over.
    script.pass(TIMES.electionMs - 20, ['a']);
    script.network = [];
    script.do('a', (a) => {
      a.read(1, script.nowMs);
      a.read(2, script.nowMs);
    });
    script.transcript();
    script.pass(1, ['a']);
    script.deliver(3);
    expect(script.transcript()).toMatchInlineSnapshot(`
      "a → b heartbeat@2 commit 2
      a → c heartbeat@2 commit 2
      b → a heartbeatReply@2
      a confirms read 1 at 2
      a confirms read 2 at 2"
    `);
  });

  it('refuses the reads it could not confirm when it is deposed', () => {
    const script = led(['a', 'b', 'c']);
    script.nowMs += TIMES.electionMs;
    script.do('a', (a) => a.read(1, script.nowMs));
    script.pass(1, ['a']);
    expect(script.notices.at(-1)).toMatchObject({ type: 'readRefused', read: 1 });
  });

  it('serves reads under the promise of a majority, until that ends by the slower clock', () => {
    const script = led(['a', 'b', 'c']);
    const lease = TIMES.electionMs * (1 - 2 * TIMES.clockDrift);
    script.do('a', (a) => a.read(1, script.nowMs + lease - 1));
    expect(script.notices.at(-1)).toMatchObject({ type: 'readConfirmed', read: 1 });
    script.do('a', (a) => a.read(2, script.nowMs + lease));
    expect(script.notices.at(-1)).not.toMatchObject({ read: 2 });
  });

  it('hands over to a voter that has everything, which stands at once', () => {
    const script = led(['a', 'b', 'c']);
    script.do('a', (a) => {
      a.propose(bytes('x'));
      a.transfer(id('b'), script.nowMs);
    });
    expect(script.do('a', (a) => a.propose(bytes('y')))).toEqual({ refused: 'handingOver' });
    script.deliver();
    expect(script.transcript()).toMatchInlineSnapshot(`
      "a persists 3@2 x
      a → b append@2 after 2@2: 3@2 x; commit 2
      b persists 3@2 x
      a → c append@2 after 2@2: 3@2 x; commit 2
      c persists 3@2 x
      b → a appendReply@2 match 3
      c → a appendReply@2 match 3
      a → b timeoutNow@2
      b persists vote b@3
      b has heard of term 3
      b → a vote@3, log ends 3@2
      a persists vote b@3
      a follows nobody in term 3
      a ends the transfer to b: handedOver
      b → c vote@3, log ends 3@2
      c persists vote b@3
      c follows nobody in term 3
      a → b voteReply@3 granted
      b persists 4@3 barrier
      b is elected in term 3
      c → b voteReply@3 granted
      b → a append@3 after 3@2: 4@3 barrier; commit 2
      a persists 4@3 barrier
      a follows b in term 3
      b → c append@3 after 3@2: 4@3 barrier; commit 2
      c persists 4@3 barrier
      c follows b in term 3
      a → b appendReply@3 match 4
      b leads from 4@3
      c → b appendReply@3 match 4"
    `);
    expect(script.replica('b').isServing).toBe(true);
  });

  it('takes proposals again when a hand-over comes to nothing, but has no lease in this term any more', () => {
    const script = led(['a', 'b', 'c']);
    script.cut.add('a>b');
    script.do('a', (a) => a.transfer(id('b'), script.nowMs));
    script.deliver();
    for (let i = 0; i <= 5; i += 1) {
      script.pass(TIMES.heartbeatMs);
      script.deliver();
    }
    expect(script.notices).toContainEqual({ type: 'transferEnded', to: 'b', outcome: 'abandoned', at: 'a' });
    expect(script.do('a', (a) => a.propose(bytes('y')))).toHaveProperty('lsn');
    script.do('a', (a) => a.read(1, script.nowMs));
    expect(script.notices.at(-1)).not.toMatchObject({ type: 'readConfirmed' });
  });

  it('goes on serving while the target of a hand-over catches up, and holds nothing for one that does not', () => {
    const script = led(['a', 'b', 'c'], { promotableLag: 1 });
    script.cut.add('a>b');
    for (const text of ['1', '2', '3']) script.do('a', (a) => a.propose(bytes(text)));
    script.deliver();
    script.do('a', (a) => expect(a.transfer(id('b'), script.nowMs)).toBe('started'));
    for (let i = 0; i < 5; i += 1) {
      expect(script.do('a', (a) => a.propose(bytes(`during ${i}`)))).toHaveProperty('lsn');
      script.pass(TIMES.heartbeatMs);
      script.deliver();
    }
    expect(script.notices).toContainEqual({ type: 'transferEnded', to: 'b', outcome: 'abandoned', at: 'a' });
    expect(script.replica('a').term).toBe(2);
    // Nor has it lost its lease.
    script.do('a', (a) => a.read(1, script.nowMs));
    expect(script.notices.at(-1)).toMatchObject({ type: 'readConfirmed' });
  });

  it('holds nothing for a target of which it has read only what was said long ago', () => {
    const script = led(['a', 'b', 'c']);
    script.pass(TIMES.heartbeatMs, ['a']);
    script.nowMs += 2 * TIMES.heartbeatMs;
    script.deliver();
    script.do('a', (a) => expect(a.transfer(id('b'), script.nowMs)).toBe('started'));
    expect(script.do('a', (a) => a.propose(bytes('x')))).toHaveProperty('lsn');
    script.deliver();
    for (const ms of [TIMES.heartbeatMs, 1]) {
      script.pass(ms, ['a']);
      script.deliver();
    }
    expect(script.replica('b').isServing).toBe(true);
  });

  it('hands over once the target is close, and has then heard of everything', () => {
    const script = led(['a', 'b', 'c'], { promotableLag: 1 });
    script.cut.add('a>b');
    for (const text of ['1', '2', '3']) script.do('a', (a) => a.propose(bytes(text)));
    script.deliver();
    script.do('a', (a) => a.transfer(id('b'), script.nowMs));
    script.cut.clear();
    for (let i = 0; i < 3; i += 1) {
      script.pass(TIMES.heartbeatMs, ['a']);
      script.deliver();
    }
    expect(script.replica('b').isServing).toBe(true);
    expect(script.committed('b')).toEqual(['1', '2', '3']);
  });

  it('holds proposals for a target whose disk has stopped no longer than it may', () => {
    const script = led(['a', 'b', 'c']);
    script.member('b').disk = 'held';
    script.do('a', (a) => a.propose(bytes('x')));
    script.do('a', (a) => a.transfer(id('b'), script.nowMs));
    script.deliver();
    expect(script.do('a', (a) => a.propose(bytes('y')))).toEqual({ refused: 'handingOver' });
    script.pass(TIMES.handOverMs, ['a']);
    expect(script.do('a', (a) => a.propose(bytes('y')))).toHaveProperty('lsn');
  });

  it('that was deposed by one who took over too late, and may not lead, stands again at once', () => {
    const script = led(['a', 'b', 'c']);
    script.member('b').disk = 'held';
    script.do('a', (a) => a.transfer(id('b'), script.nowMs));
    script.deliver();
    script.pass(TIMES.handOverMs, ['a']);
    script.do('a', (a) => a.propose(bytes('x')));
    script.deliver();
    // Whatever b hears of a it answers with the term that it stands for, though its promise to itself is not on its disk yet.
    expect(script.notices).toContainEqual({ type: 'following', term: 3, leader: undefined, at: 'a' });
    expect([script.replica('a').term, script.replica('a').isServing]).toEqual([4, true]);
    expect(script.committed('a')).toEqual(['x']);
    script.sync('b');
    script.deliver();
    expect([script.replica('a').term, script.replica('a').isServing, script.replica('b').leader]).toEqual([
      4,
      true,
      'a',
    ]);
  });

  it('that comes back to a newer leader asks, is refused, and leaves everything as it is', () => {
    const script = led(['a', 'b', 'c']);
    const ways = ['a>b', 'a>c', 'b>a', 'c>a'];
    for (const way of ways) script.cut.add(way);
    script.elect('b');
    script.cut.clear();
    script.do('a', (a) => a.propose(bytes('lost')));
    script.deliver();
    for (let i = 0; i < 3; i += 1) {
      script.pass(TIMES.heartbeatMs, ['b']);
      script.deliver();
    }
    expect([script.replica('b').term, script.replica('b').isServing, script.replica('a').leader]).toEqual([
      3,
      true,
      'b',
    ]);
  });

  it('that hears nobody, but is heard, has its place taken when it gives it up, not a timeout later', () => {
    const script = led(['a', 'b', 'c']);
    for (const way of ['b>a', 'c>a']) script.cut.add(way);
    script.do('a', (a) => a.propose(bytes('x')));
    script.deliver();
    script.pass(TIMES.electionMs + 1, ['a']);
    script.deliver();
    expect(script.replica('b').isServing).toBe(true);
    expect(script.committed('b')).toEqual(['x']);
  });
});

describe('a candidate that another one is elected before, in the same term', () => {
  it('believes that leader nothing of what it had verified for the one before', () => {
    const script = led(['a', 'b', 'c', 'd', 'e'], { messageBytes: 1 });
    for (const one of ['a', 'd'])
      for (const other of ['b', 'c', 'e']) {
        script.cut.add(`${one}>${other}`);
        script.cut.add(`${other}>${one}`);
      }
    for (let i = 0; i < 6; i += 1) script.do('a', (a) => a.propose(bytes(`void ${i}`)));
    script.deliver();
    // The one it still reaches is told to take its place, and cannot.
    script.pass(TIMES.electionMs + 1, ['a']);
    script.deliver();
    expect([script.replica('d').term, script.replica('d').role]).toEqual([3, 'candidate']);
    script.elect('b');
    expect([script.replica('b').term, script.replica('b').isServing]).toEqual([3, true]);
    for (let i = 0; i < 6; i += 1) script.do('b', (b) => b.propose(bytes(`kept ${i}`)));
    script.deliver();
    script.cut.delete('b>d');
    script.cut.delete('d>b');
    for (let i = 0; i < 4; i += 1) {
      script.pass(TIMES.heartbeatMs, ['b']);
      while (script.network.length > 0) {
        script.deliver(1);
        const { commit, log } = script.replica('d');
        expect(commit).toBeLessThanOrEqual(log.lastLsn);
        expect(script.committed('d').filter((text) => text.startsWith('void'))).toEqual([]);
      }
    }
    expect(script.committed('d')).toEqual(script.committed('b'));
  });
});

describe('a change of the replica set', () => {
  it('makes a newcomer a learner, feeds it, and then a voter, one change at a time', () => {
    const script = led(['a']);
    script.add('n');
    script.do('a', (a) => a.change({ type: 'addLearner', id: id('n') }, script.nowMs));
    expect(script.do('a', (a) => a.change({ type: 'promote', id: id('n') }, script.nowMs))).toEqual({
      refused: expect.stringMatching(/catch up first/),
    });
    script.deliver();
    script.do('a', (a) => a.change({ type: 'promote', id: id('n') }, script.nowMs));
    expect(script.do('a', (a) => a.change({ type: 'remove', id: id('n') }, script.nowMs))).toEqual({
      refused: expect.stringMatching(/not committed yet/),
    });
    script.deliver();
    expect(script.transcript()).toMatchInlineSnapshot(`
      "a persists 3@2 {a learning n}
      a is configured {a learning n} at 3
      a → n append@2 after 3@2: nothing; commit 2
      n follows a in term 2
      n → a appendRefusal@2 of 3, at best 0@0
      a → n append@2 after 0@0: 1@1 {a}, 2@2 barrier, 3@2 {a learning n}; commit 3
      n persists 1@1 {a}, 2@2 barrier, 3@2 {a learning n}
      n is configured {a learning n} at 3
      n → a appendReply@2 match 3
      a persists 4@2 {a+n}
      a → n append@2 after 3@2: 4@2 {a+n}; commit 3
      n persists 4@2 {a+n}
      n → a appendReply@2 match 4
      a is configured {a+n} at 4"
    `);
  });

  it('waits until a majority of the voters there would be answers and keeps up', () => {
    const script = led(['a', 'b', 'c']);
    const remove = (name: string) => script.do('a', (a) => a.change({ type: 'remove', id: id(name) }, script.nowMs));
    const refused = (voters: string) => ({
      refused: `no majority of the voters there would be (${voters}) answers and keeps up`,
    });
    // It stood still, and so knows of nobody, however long its links are said to be up; it leads still, since nobody else could.
    for (const way of ['a>c', 'c>a']) script.cut.add(way);
    script.nowMs += 2 * TIMES.heartbeatMs;
    expect(remove('b')).toEqual(refused('a, c'));
    expect(remove('c')).toEqual(refused('a, b'));
    script.pass(0, ['a']);
    script.deliver();
    expect(remove('b')).toEqual(refused('a, c'));
    expect(remove('c')).toEqual({ lsn: 3 });
    script.deliver();
    expect(script.replica('a').commit).toBe(3);
  });

  it.each([
    ['a voter', 'c', 'b', 'a, c', 'c'],
    ['the leader', 'a', 'b', 'a, c', undefined],
  ])('does not count on %s whose disk hangs, though it answers', (_, hangs, healthy, left, spare) => {
    const script = led(['a', 'b', 'c']);
    script.member(hangs).disk = 'held';
    const beat = (): void => {
      script.pass(TIMES.heartbeatMs, ['a']);
      script.deliver();
    };
    const remove = (name: string) => script.do('a', (a) => a.change({ type: 'remove', id: id(name) }, script.nowMs));
    script.do('a', (a) => a.propose(Buffer.from('x')));
    // It may still be on its way.
    beat();
    beat();
    beat();
    expect(script.replica('a').commit).toBe(3);
    expect(remove(healthy)).toEqual({
      refused: `no majority of the voters there would be (${left}) answers and keeps up`,
    });
    if (spare !== undefined) expect(remove(spare)).toEqual({ lsn: 4 });
    else {
      script.sync('a');
      expect(remove(healthy)).toEqual({ lsn: 4 });
    }
  });

  it('does not count as an answer what was said long before it is read', () => {
    const script = led(['a', 'b', 'c']);
    script.pass(TIMES.heartbeatMs, ['a']);
    script.nowMs += 2 * TIMES.heartbeatMs;
    script.deliver();
    const answer = script.do('a', (a) => a.change({ type: 'remove', id: id('b') }, script.nowMs));
    expect(answer).toEqual({ refused: 'no majority of the voters there would be (a, c) answers and keeps up' });
  });

  it('needs who goes until that is committed: whoever leads next may not know of it', () => {
    const script = led(['a', 'b', 'c', 'd']);
    const needed = () => script.replica('a').needed;
    script.cut.add('a>b').add('a>c').add('a>d');
    script.do('a', (a) => a.change({ type: 'remove', id: id('b') }, script.nowMs));
    script.deliver();
    expect(script.replica('a').configuration.voters).toEqual(['a', 'c', 'd']);
    expect(needed()).toEqual({ voters: ['a', 'b', 'c', 'd'], learners: [] });
    script.cut.clear();
    for (let i = 0; i < 3; i += 1) {
      script.pass(TIMES.heartbeatMs, ['a']);
      script.deliver();
    }
    expect(needed()).toEqual({ voters: ['a', 'c', 'd'], learners: [] });
    script.add('n');
    script.cut.add('a>c').add('a>d');
    script.do('a', (a) => a.change({ type: 'addLearner', id: id('n') }, script.nowMs));
    expect(needed()).toEqual({ voters: ['a', 'c', 'd'], learners: ['n'] });
  });

  it('counts over the new voters as soon as the entry is in the log', () => {
    const script = led(['a', 'b', 'c']);
    script.do('a', (a) => a.change({ type: 'remove', id: id('c') }, script.nowMs));
    script.cut.add('a>b');
    script.deliver();
    // c has it and is no voter any more: a alone is not a majority of a and b.
    expect(script.replica('a').commit).toBe(2);
    script.cut.clear();
    script.pass(TIMES.heartbeatMs);
    script.deliver();
    script.pass(TIMES.heartbeatMs);
    script.deliver();
    expect(script.replica('a').commit).toBe(3);
  });

  it('is announced once, also when the log before and after it is trimmed', () => {
    const script = led(['a', 'b', 'c']);
    script.do('a', (a) => a.change({ type: 'remove', id: id('c') }, script.nowMs));
    script.deliver();
    for (let i = 0; i < 3; i += 1) {
      script.do('a', (a) => a.propose(bytes('x')));
      script.deliver();
      script.do('a', (a) => a.trimmed(a.commit));
    }
    expect(script.notices.filter(({ type, at }) => type === 'configured' && at === 'a')).toHaveLength(2);
  });

  it('that removes the leader is its last duty', () => {
    const script = led(['a', 'b', 'c']);
    script.do('a', (a) => a.change({ type: 'remove', id: id('a') }, script.nowMs));
    script.deliver();
    expect(script.replica('a').role).toBe('follower');
    script.elect('b');
    expect(script.replica('b').configuration.voters).toEqual(['b', 'c']);
    expect(script.replica('b').isServing).toBe(true);
  });

  it('that removes the leader and is not committed leaves it to stand again: the others may not win without it', () => {
    const script = led(['a', 'b']);
    for (const way of ['a>b', 'b>a']) script.cut.add(way);
    script.do('a', (a) => a.change({ type: 'remove', id: id('a') }, script.nowMs));
    script.pass(TIMES.electionMs + 1, ['a']);
    expect(script.replica('a').role).toBe('follower');
    script.cut.clear();
    script.network = [];
    script.elect('b');
    expect(script.replica('b').role).not.toBe('leader');
    script.elect('a');
    script.elect('b');
    expect(script.replica('b').isServing).toBe(true);
    expect(script.replica('b').configuration.voters).toEqual(['b']);
  });

  it('never lets an empty directory vote', () => {
    const script = led(['a', 'b', 'c']);
    script.add('c');
    script.cut.add('a>c');
    script.cut.add('a>b');
    script.elect('b');
    expect(script.replica('b').role).not.toBe('leader');
  });
});

/** Links of `c`. */
const AWAY = ['a>c', 'c>a'];

/** `c` was away, and what it missed is in no log any more. */
function tooFarBehind() {
  const script = led(['a', 'b', 'c']);
  for (const way of AWAY) script.cut.add(way);
  for (const text of ['1', '2', '3']) {
    script.do('a', (a) => a.propose(bytes(text)));
    script.deliver();
  }
  script.do('a', (a) => a.trimmed(lsn(4)));
  script.cut.clear();
  return script;
}

describe('a follower', () => {
  it('that was restarted learns from a heartbeat what is committed, though nothing new comes', () => {
    const script = led(['a', 'b', 'c']);
    script.do('a', (a) => a.propose(bytes('x')));
    script.deliver();
    script.restart('b');
    expect(script.replica('b').commit).toBe(0);
    script.pass(TIMES.heartbeatMs, ['a']);
    script.deliver();
    expect(script.replica('b').commit).toBe(3);
  });

  it('asks again for an entry whose bytes came damaged, and takes nothing of it', () => {
    const script = led(['a', 'b', 'c']);
    script.cut.add('a>c');
    script.do('a', (a) => a.propose(bytes('precious')));
    const sent = script.network.find(({ to }) => to === 'b');
    if (sent?.message.type !== 'append') throw new Error('no append');
    script.network = [];
    const entries = sent.message.entries.map((entry) => ({ ...entry, entry: bytes('specious') }));
    script.network.push({ ...sent, message: { ...sent.message, entries } });
    script.deliver();
    expect(script.transcript()).toMatchInlineSnapshot(`
      "a persists 3@2 precious
      a → b append@2 after 2@2: 3@2 specious; commit 2
      b → a appendReply@2 match 2
      b → a resend@2 from 3
      a → b append@2 after 2@2: 3@2 precious; commit 2
      b persists 3@2 precious
      b → a appendReply@2 match 3"
    `);
    expect(script.committed('a')).toEqual(['precious']);
  });

  it('whose log differs where it cannot is damaged: it takes nothing and does not vote', () => {
    const script = led(['a', 'b', 'c']);
    const { log, term } = script.replica('a');
    const previous = { ...log.last, chain: log.last.chain ^ 1 };
    script.do('b', (b) =>
      b.step(
        id('a'),
        { type: 'append', term, previous, entries: [], commit: lsn(0) },
        { nowMs: script.nowMs, random: 0 },
      ),
    );
    expect(script.notices.at(-1)).toMatchObject({ type: 'damaged', at: 'b' });
    script.cut.add('a>c');
    script.cut.add('a>b');
    script.elect('c');
    expect(script.replica('c').role).not.toBe('leader');
  });

  it('that was cut off while it took a snapshot goes on with the chunk that it lacks', () => {
    const script = tooFarBehind();
    const { log } = script.replica('a');
    for (let beat = 0; beat < 2; beat += 1) {
      script.pass(TIMES.heartbeatMs, ['a']);
      script.deliver();
    }
    script.do('a', (a) => a.snapshotReady(id('c'), { ...log.base, id: 's1' }));
    const parts = ['first', 'second', 'third'].map(bytes);
    const read = (index: number): void => {
      const digest = parts.slice(0, index + 1).reduce((before, part) => crc32(part, before), 0);
      const place = index === parts.length - 1 ? 'last' : 'middle';
      script.do('a', (a) => a.chunkRead(id('c'), 's1', { index, bytes: parts[index] ?? bytes(''), digest, place }));
      script.deliver();
    };
    read(0);
    read(1);
    for (const way of AWAY) script.cut.add(way);
    read(2);
    script.cut.clear();
    script.transcript();
    const before = script.notices.length;
    for (let beat = 0; beat < 20 && script.notices.length === before; beat += 1) {
      script.pass(TIMES.heartbeatMs, ['a']);
      script.deliver();
    }
    const wanted = script.notices.slice(before).filter(({ type }) => type === 'chunkWanted');
    expect(wanted).toMatchObject([{ to: 'c', id: 's1', index: 2 }]);
    read(2);
    expect(script.replica('c').log.lastLsn).toBe(5);
  });

  it('too far behind gets a snapshot, chunk by chunk, and then the tail', () => {
    const script = tooFarBehind();
    const { log } = script.replica('a');
    script.transcript();
    script.pass(TIMES.heartbeatMs, ['a']);
    script.deliver();
    script.pass(TIMES.heartbeatMs, ['a']);
    script.deliver();
    expect(script.notices.at(-1)).toMatchObject({ type: 'snapshotWanted', to: 'c' });
    const meta = { ...log.base, id: 's1' };
    script.do('a', (a) => a.snapshotReady(id('c'), meta));
    const parts = ['first', 'second', 'third'].map(bytes);
    let digest = 0;
    parts.forEach((part, index) => {
      digest = crc32(part, digest);
      const place = index === parts.length - 1 ? 'last' : 'middle';
      script.do('a', (a) => a.chunkRead(id('c'), 's1', { index, bytes: part, digest, place }));
      script.deliver();
    });
    expect(script.transcript()).toMatchInlineSnapshot(`
      "a → b heartbeat@2 commit 5
      a → c heartbeat@2 commit 2
      b → a heartbeatReply@2
      c → a heartbeatReply@2
      a snapshotWanted c
      a → b heartbeat@2 commit 5
      a → c heartbeat@2 commit 2
      b → a heartbeatReply@2
      c → a heartbeatReply@2
      a chunkWanted c
      a → c snapshotChunk@2 of 4: 0 middle
      c persists chunk 0
      c → a snapshotReply@2 receiving, next 1
      a chunkWanted c
      a → c snapshotChunk@2 of 4: 1 middle
      c persists chunk 1
      c → a snapshotReply@2 receiving, next 2
      a chunkWanted c
      a → c snapshotChunk@2 of 4: 2 last
      c persists chunk 2, install 4@2
      c installs the snapshot of 4
      c → a snapshotReply@2 installed, next 3
      a snapshotDone c
      a → c append@2 after 4@2: 5@2 3; commit 5
      c persists 5@2 3
      c → a appendReply@2 match 5"
    `);
    expect(script.replica('c').log.lastLsn).toBe(5);
  });
});

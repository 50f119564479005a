import { describe, expect, it } from 'vitest';
import { type Lsn, lsn, type ShardId, shardId, type Term, term } from '../../src/ports/ids.ts';
import { silentLog } from '../../src/ports/log.ts';
import type { LogEntry, ShardPosition, Store } from '../../src/ports/store.ts';
import { StoreError } from '../../src/ports/store.ts';
import { SeededRandom, VirtualTime } from '../../src/shard/testing.ts';
import { CHECK_MS, SqlLeadership } from './leadership.ts';
import { FIRST_PAUSE_MS, GREATEST_PAUSE_MS, STEADY_MS } from './pauses.ts';

const of = (...ids: number[]): ReadonlySet<ShardId> => new Set(ids.map(shardId));
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** A database of which only terms and log ends matter, one node of it, and an engine that writes down what it is told. */
class Setup {
  readonly time = new VirtualTime();
  readonly random = new SeededRandom();
  readonly told: string[] = [];
  readonly failures: unknown[] = [];
  /** Per shard: entries in the log, of which the first `applied` are in rows. */
  readonly logs = new Map<number, { applied: number; last: number }>();
  readonly newest = new Map<number, number>();
  readonly damaged = new Set<number>();
  readonly terms: ShardId[][] = [];
  /** What `nextTerm` waits for. */
  gate = Promise.resolve();
  away: StoreError | undefined;
  #term = 0;

  readonly #store: Pick<Store, 'nextTerm' | 'positions' | 'readLog' | 'append' | 'flush' | 'confirm'> = {
    nextTerm: async ({ shards = [] } = {}) => {
      await this.gate;
      if (this.away !== undefined) throw this.away;
      this.#term += 1;
      this.terms.push([...shards]);
      for (const shard of shards) this.newest.set(shard, this.#term);
      return term(this.#term);
    },
    positions: () =>
      new Map(
        [...this.logs].map(([shard, { applied, last }]): [ShardId, ShardPosition] => [
          shardId(shard),
          { term: term(1), appliedLsn: lsn(applied), lastLsn: lsn(last), lastTerm: term(1), lastChain: 0 },
        ]),
      ),
    readLog: (shard, from) => this.#read(shard, from),
    append: async (entries) => ({
      fenced: entries
        .filter((entry) => entry.term < (this.newest.get(entry.shard) ?? 0))
        .map(({ shard }) => ({ shard, newerTerm: term(this.newest.get(shard) ?? 0) })),
    }),
    flush: async () => ({ fenced: [] }),
    confirm: async (leads) => {
      if (this.away !== undefined) throw this.away;
      return leads
        .filter((lead) => lead.term < (this.newest.get(lead.shard) ?? 0))
        .map(({ shard }) => ({ shard, newerTerm: term(this.newest.get(shard) ?? 0) }));
    },
  };

  readonly leadership = new SqlLeadership({
    store: this.#store,
    engine: () => ({
      adopt: async (positions) => {
        this.told.push(`adopt ${[...positions].map(([shard, at]) => `${shard}@${at}`).join(' ')}`);
        for (const shard of positions.keys()) if (this.damaged.has(shard)) throw new StoreError('corrupt', 'bad row');
      },
      apply: (shard, at) => this.told.push(`apply ${shard}@${at}`),
      lead: (shard: ShardId, inTerm: Term, last: Lsn) => this.told.push(`lead ${shard} in ${inTerm} from ${last}`),
      release: (shards) => this.told.push(`release ${shards.join(' ')}`),
      flush: async (shards) => {
        this.told.push(`flush ${[...shards].join(' ')}`);
      },
    }),
    clock: this.time,
    scheduler: this.time,
    random: this.random,
    log: silentLog,
    onFailed: (error) => this.failures.push(error),
  });

  async *#read(shard: ShardId, from: Lsn): AsyncIterable<LogEntry> {
    const last = this.logs.get(shard)?.last ?? 0;
    for (let at = from as number; at <= last; at += 1) {
      if (this.damaged.has(shard)) throw new StoreError('corrupt', `entry ${at} is gone`);
      yield { lsn: lsn(at), term: term(1), chain: 0, entry: new Uint8Array([at]) };
    }
  }

  async want(...ids: number[]): Promise<void> {
    this.leadership.want(of(...ids));
    await this.leadership.settled();
  }

  /** Another node takes it. */
  takenElsewhere(shard: number): void {
    this.#term += 1;
    this.newest.set(shard, this.#term);
  }

  get led(): number[] {
    return [...this.leadership.led.keys()].sort((a, b) => a - b);
  }
}

describe('shards that a node should lead', () => {
  it('are taken in one term: rows first, then what the log holds beyond, then it leads', async () => {
    const s = new Setup();
    s.logs.set(2, { applied: 3, last: 5 });
    await s.want(1, 2);
    expect(s.terms).toEqual([[1, 2]]);
    expect(s.told[0]).toBe('adopt 1@0 2@3');
    expect(s.told.filter((what) => /\b2\b.*[@ ]/.test(what) && !what.startsWith('adopt'))).toEqual([
      'apply 2@4',
      'apply 2@5',
      'lead 2 in 1 from 5',
    ]);
    expect(s.told).toContain('lead 1 in 1 from 0');
    expect([...s.leadership.led]).toEqual(expect.arrayContaining([[1, 1]]));
  });

  it('are taken some hundred at a time: commits wait behind each', async () => {
    const s = new Setup();
    await s.want(...range(600));
    expect(s.terms.map((shards) => shards.length)).toEqual([256, 256, 88]);
    expect(s.led).toEqual(range(600));
  });

  it('are flushed before they go, and others are not touched', async () => {
    const s = new Setup();
    await s.want(1, 2, 3);
    s.told.length = 0;
    await s.want(2, 4);
    expect(s.told).toEqual(['flush 1 3', 'release 1 3', 'adopt 4@0', 'lead 4 in 2 from 0']);
    await s.leadership.close();
    expect(s.led).toEqual([]);
    expect(s.told.slice(-2)).toEqual(['flush 2 4', 'release 2 4']);
  });

  it('are those of the last word, also when it comes while earlier ones are carried out', async () => {
    const s = new Setup();
    let open: () => void = () => undefined;
    s.gate = new Promise((resolve) => {
      open = resolve;
    });
    s.leadership.want(of(1, 2));
    s.leadership.want(of(9));
    s.leadership.want(of(2, 3));
    open();
    await s.leadership.settled();
    expect(s.led).toEqual([2, 3]);
  });
});

describe('a shard that another node has taken', () => {
  it('is let go at once, and taken again after a pause, if it is still wanted', async () => {
    const s = new Setup();
    await s.want(1, 2);
    s.takenElsewhere(1);
    const settled: unknown[] = [];
    const entry = { lsn: lsn(1), entry: new Uint8Array(1) };
    const entries = [1, 2].map((n) => ({ ...entry, shard: shardId(n), term: term(1) }));
    expect(s.leadership.commitLog.append(entries, (result) => settled.push(result, [...s.led]))).toBe('taken');
    await s.time.settle();
    // The engine ends its turns while this node still counts as the leader; then it goes.
    expect(settled).toEqual([{ fenced: [{ shard: 1, newerTerm: 2 }] }, [1, 2]]);
    expect(s.led).toEqual([2]);
    await s.time.advance(FIRST_PAUSE_MS / 2 - 1);
    expect(s.led).toEqual([2]);
    await s.time.advance(FIRST_PAUSE_MS / 2 + 1);
    expect(s.led).toEqual([1, 2]);
  });

  it('is noticed by a reader, who gets no answer from here, and within a second by nobody in particular', async () => {
    const s = new Setup();
    await s.want(1, 2);
    expect(await s.leadership.commitLog.confirm?.(shardId(1))).toBe(true);
    s.takenElsewhere(1);
    expect(await s.leadership.commitLog.confirm?.(shardId(1))).toBe(false);
    expect(s.led).toEqual([2]);
    expect(await s.leadership.commitLog.confirm?.(shardId(7))).toBe(false);
    s.takenElsewhere(2);
    await s.time.advance(CHECK_MS);
    expect(s.told).toContain('release 2');
  });

  it('is fought for less and less, until it was held for a while', async () => {
    const s = new Setup();
    const waited = async (): Promise<number> => {
      s.takenElsewhere(1);
      await s.leadership.commitLog.confirm?.(shardId(1));
      const since = s.time.at;
      while (s.led.length === 0) await s.time.advance(25);
      return s.time.at - since;
    };
    await s.want(1);
    const pauses: number[] = [];
    for (let n = 0; n < 10; n += 1) pauses.push(await waited());
    for (const [n, pause] of pauses.entries()) {
      expect(pause).toBeLessThanOrEqual(Math.min(GREATEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** n) + 25);
      expect(pause).toBeGreaterThanOrEqual(Math.min(GREATEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** n) / 2);
    }
    await s.time.advance(STEADY_MS);
    expect(await waited()).toBeLessThanOrEqual(FIRST_PAUSE_MS + 25);
  });

  it('waits no longer once the ring has said in between that it is not this node’s', async () => {
    const s = new Setup();
    await s.want(1);
    s.takenElsewhere(1);
    await s.leadership.commitLog.confirm?.(shardId(1));
    await s.want();
    await s.want(1);
    expect(s.led).toEqual([1]);
  });
});

describe('a shard that cannot be read', () => {
  it.each([
    ['rows', { applied: 0, last: 0 }],
    ['log', { applied: 0, last: 2 }],
  ])('for damage of its %s is left alone for a while; the others are led', async (_, log) => {
    const s = new Setup();
    s.logs.set(2, log);
    s.damaged.add(2);
    await s.want(1, 2, 3);
    expect(s.led).toEqual([1, 3]);
    expect(s.told).toContain('release 2');
    s.damaged.clear();
    await s.time.advance(GREATEST_PAUSE_MS - 1);
    expect(s.led).toEqual([1, 3]);
    await s.time.advance(1);
    expect(s.led).toEqual([1, 2, 3]);
    expect(s.failures).toEqual([]);
  });

  it('because a newer leader trimmed its log is not damaged: it is that one’s', async () => {
    const s = new Setup();
    s.logs.set(2, { applied: 0, last: 2 });
    s.damaged.add(2);
    s.leadership.want(of(2));
    // Between the term and the reading.
    await Promise.resolve();
    await Promise.resolve();
    s.takenElsewhere(2);
    await s.leadership.settled();
    s.damaged.clear();
    await s.time.advance(FIRST_PAUSE_MS);
    expect(s.led).toEqual([2]);
  });
});

describe('a database that stays away', () => {
  it('ends what this node leads, once', async () => {
    const s = new Setup();
    await s.want(1);
    s.away = new StoreError('failed', 'gone for 60 s');
    expect(await s.leadership.commitLog.confirm?.(shardId(1))).toBe(false);
    expect(s.failures).toEqual([]);
    await s.want(1, 2);
    await s.want(1, 2, 3);
    expect(s.failures).toEqual([s.away]);
  });

  it('ends it also where nobody writes', async () => {
    const s = new Setup();
    await s.want(1);
    s.away = new StoreError('failed', 'gone for 60 s');
    await s.time.advance(2 * CHECK_MS);
    expect(s.failures).toEqual([s.away]);
    await s.time.advance(10 * CHECK_MS);
    expect(s.failures).toEqual([s.away]);
  });

  it('ends nothing by a check that was refused otherwise', async () => {
    const s = new Setup();
    await s.want(1);
    s.away = new StoreError('closed', 'the store is closed');
    await s.time.advance(2 * CHECK_MS);
    s.away = undefined;
    await s.time.advance(2 * CHECK_MS);
    expect([s.failures, [...s.leadership.led.keys()]]).toEqual([[], [1]]);
  });
});

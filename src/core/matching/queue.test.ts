import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lane } from './lane.ts';
import { PairingQueue } from './queue.ts';
import { StickyQueue } from './sticky.ts';
import { TokenBucket } from './token-bucket.ts';

const always = (): boolean => true;

function laneWith(name: string, credit: number, queue: PairingQueue<string>): Lane<string> {
  const lane = new Lane(name, undefined);
  lane.grant(credit);
  queue.update(lane);
  return lane;
}

const matches = (queue: PairingQueue<string>, times: number): (string | undefined)[] =>
  Array.from({ length: times }, () => queue.match(0)?.worker);

describe('a task queue', () => {
  it('takes its workers in turn, and none beyond its credit', () => {
    const queue = new PairingQueue<string>(always);
    laneWith('a', 2, queue);
    laneWith('b', 1, queue);
    laneWith('c', 1, queue);
    expect(matches(queue, 5).sort()).toEqual(['a', 'a', 'b', 'c', undefined]);
  });

  it('gives the first three tasks to three workers with room', () => {
    const queue = new PairingQueue<string>(always);
    for (const name of ['a', 'b', 'c']) laneWith(name, 10, queue);
    expect(new Set(matches(queue, 3)).size).toBe(3);
  });

  it('matches no new task while older ones wait', () => {
    const queue = new PairingQueue<string>(always);
    laneWith('a', 5, queue);
    queue.backlog = 1;
    expect(queue.match(0)).toBeUndefined();
    expect(queue.lend(0)?.worker).toBe('a');
    queue.backlog = 0;
    expect(queue.match(0)?.worker).toBe('a');
  });

  it('lends no more claims than tasks wait', () => {
    const queue = new PairingQueue<string>(always);
    laneWith('a', 5, queue);
    queue.backlog = 2;
    expect([queue.lend(0), queue.lend(0), queue.lend(0)].filter(Boolean)).toHaveLength(2);
    queue.settled();
    expect(queue.lend(0)?.worker).toBe('a');
  });

  it('passes over workers whose connection takes no frame', () => {
    const queue = new PairingQueue<string>((name) => name !== 'stuck');
    laneWith('stuck', 5, queue);
    laneWith('free', 1, queue);
    expect(matches(queue, 3)).toEqual(['free', undefined, undefined]);
  });

  it('forgets a worker that closed, and keeps the others', () => {
    const queue = new PairingQueue<string>(always);
    const gone = laneWith('gone', 5, queue);
    laneWith('here', 1, queue);
    gone.close();
    queue.update(gone);
    expect(matches(queue, 2)).toEqual(['here', undefined]);
  });

  it("waits for its own rate limit and for the workers'", () => {
    const queue = new PairingQueue<string>(always);
    queue.bucket = new TokenBucket(10, 0);
    const lane = new Lane('a', new TokenBucket(5, 0));
    lane.grant(10);
    queue.update(lane);
    queue.backlog = 5;
    expect(queue.lend(0)?.worker).toBe('a');
    expect(queue.lend(0)).toBeUndefined();
    expect(queue.waitMs(0)).toBe(200);
    expect(queue.lend(200)?.worker).toBe('a');
  });

  it('has queries wait neither for tasks nor for rate limits', () => {
    const queue = new PairingQueue<string>(always);
    laneWith('a', 1, queue);
    queue.backlog = 100;
    expect(queue.matchQuery(0)?.worker).toBe('a');
    expect(queue.matchQuery(0)).toBeUndefined();
  });
});

describe('a sticky queue', () => {
  it("draws on its worker's credit and outlives its connection by the grace period", () => {
    const normal = new PairingQueue<string>(always);
    const sticky = new StickyQueue<string>(always);
    const lane = laneWith('a', 1, normal);
    sticky.attach(lane);
    expect(sticky.match(0)).toBe(lane);
    normal.update(lane);
    expect(normal.match(0)).toBeUndefined();
    sticky.detach(1_000, 10_000);
    expect(sticky.alive(10_999)).toBe(true);
    expect(sticky.alive(11_000)).toBe(false);
    expect(sticky.match(2_000)).toBeUndefined();
  });
});

type Step =
  | { do: 'grant'; worker: number; credit: number }
  | { do: 'match' | 'lend' | 'query' | 'sticky'; worker: number }
  | { do: 'deliver' | 'release'; claim: number }
  | { do: 'close'; worker: number }
  | { do: 'backlog'; count: number };

const worker = fc.integer({ min: 0, max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('grant' as const), worker, credit: fc.integer({ min: 0, max: 4 }) }),
  fc.record({ do: fc.constantFrom('match' as const, 'lend' as const, 'query' as const, 'sticky' as const), worker }),
  fc.record({ do: fc.constantFrom('deliver' as const, 'release' as const), claim: fc.nat(50) }),
  fc.record({ do: fc.constant('close' as const), worker }),
  fc.record({ do: fc.constant('backlog' as const), count: fc.integer({ min: 0, max: 5 }) }),
);

describe('credit', () => {
  it('is neither lost nor made, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const queue = new PairingQueue<number>(always);
        const sticky = new StickyQueue<number>(always);
        const lanes = [0, 1, 2, 3].map((name) => new Lane(name, undefined));
        const granted = [0, 0, 0, 0];
        const delivered = [0, 0, 0, 0];
        const claims: { lane: Lane<number>; pull: boolean }[] = [];
        const first = lanes[0];
        if (first !== undefined) sticky.attach(first);
        const keep = (lane: Lane<number> | undefined, pull: boolean): void => {
          if (lane === undefined) return;
          expect(lane.open).toBe(true);
          expect(lane.available).toBeGreaterThanOrEqual(0);
          claims.push({ lane, pull });
        };
        for (const now of steps) {
          const lane = 'worker' in now ? lanes[now.worker] : undefined;
          if (now.do === 'grant' && lane?.open) {
            lane.grant(now.credit);
            granted[now.worker] = (granted[now.worker] ?? 0) + now.credit;
            queue.update(lane);
          } else if (now.do === 'match') {
            const matched = queue.match(0);
            expect(matched === undefined || queue.backlog === 0).toBe(true);
            keep(matched, false);
          } else if (now.do === 'lend') keep(queue.lend(0), true);
          else if (now.do === 'query') keep(queue.matchQuery(0), false);
          else if (now.do === 'sticky') {
            const matched = sticky.match(0);
            if (matched !== undefined) queue.update(matched);
            keep(matched, false);
          } else if (now.do === 'backlog') queue.backlog = now.count;
          else if (now.do === 'close' && lane !== undefined) {
            lane.close();
            if (lane === sticky.lane) sticky.detach(0, 0);
            queue.update(lane);
          } else if (now.do === 'deliver' || now.do === 'release') {
            const claim = claims.splice(now.claim % Math.max(1, claims.length), 1)[0];
            if (claim === undefined) continue;
            if (claim.pull) queue.settled();
            if (now.do === 'deliver' && claim.lane.open) {
              claim.lane.delivered();
              delivered[claim.lane.worker] = (delivered[claim.lane.worker] ?? 0) + 1;
            } else claim.lane.released();
            queue.update(claim.lane);
          }
          for (const { worker: name, open, available, claimed } of lanes) {
            expect(claimed).toBe(claims.filter((claim) => claim.lane.worker === name).length);
            if (open) expect(available + claimed + (delivered[name] ?? 0)).toBe(granted[name]);
            else expect(available).toBe(0);
          }
          expect(queue.pulling).toBe(claims.filter(({ pull }) => pull).length);
        }
      }),
      { numRuns: 300 },
    );
  });
});

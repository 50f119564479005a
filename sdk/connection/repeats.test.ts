// Requests that are refused and sent again: when, how often, and what their callers hear.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Status, StatusCode } from '../../src/wire/status.ts';
import { caught, describeNamespace, setUp } from './connection.test-support.ts';
import { VirtualScheduler } from './fake-server.test-support.ts';
import { pauseMs, repeatIn } from './repeats.ts';
import type { OpenRequest } from './request-table.ts';

const full = (cause = 'OVERLOADED'): Status => ({
  code: StatusCode.RESOURCE_EXHAUSTED,
  message: 'the node is full',
  detail: { kind: 'ResourceExhausted', cause },
});

describe('the pause after a refusal', () => {
  it.each<[string, Status, number, [least: number, most: number] | undefined]>([
    ['unavailable', { code: StatusCode.UNAVAILABLE, message: '' }, 0, [25, 50]],
    ['unavailable again', { code: StatusCode.UNAVAILABLE, message: '' }, 3, [200, 400]],
    ['exhausted', full(), 0, [500, 1_500]],
    ['exhausted again', full(), 2, [2_000, 6_000]],
    ['exhausted for long', full(), 500, [5_000, 15_000]],
    ['exhausted, without a cause', { code: StatusCode.RESOURCE_EXHAUSTED, message: '' }, 0, [500, 1_500]],
    ['a workflow busy with one task', full('BUSY_WORKFLOW'), 0, [25, 50]],
    ['a workflow that takes so many a second', full('REQUEST_IDS'), 0, [500, 1_500]],
    ['a query that sorts too many', full('SORT'), 0, undefined],
    ['not found', { code: StatusCode.NOT_FOUND, message: '' }, 0, undefined],
  ])('%s', (_, status, refusals, range) => {
    const at = (random: number): number | undefined => pauseMs(status, refusals, random);
    expect(range === undefined ? [undefined, undefined] : range).toEqual([at(0), at(1)]);
  });

  it('is longer for a node that is full than for a shard that has no leader, however the dice fall', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.double({ min: 0, max: 0.999, noNaN: true }), (refusals, random) => {
        const busy = pauseMs(full(), refusals, random) ?? 0;
        expect(busy).toBeGreaterThan(pauseMs({ code: StatusCode.UNAVAILABLE, message: '' }, refusals, random) ?? 0);
      }),
    );
  });
});

describe('a signal that one workflow refused for now', () => {
  it('has as long as its deadline leaves, for its pauses are those of its line', () => {
    const scheduler = new VirtualScheduler();
    const request = (signalled: string | undefined) =>
      ({ repeat: 'again', refusals: 6, deadline: scheduler.monotonic() + 3_000, signalled }) as OpenRequest;
    expect(repeatIn(request('ns\0hot'), full('REQUEST_IDS'), scheduler)).toBe(500);
    expect(repeatIn(request('ns\0hot'), full('OVERLOADED'), scheduler)).toBeUndefined();
    expect(repeatIn(request(undefined), full('REQUEST_IDS'), scheduler)).toBeUndefined();
  });
});

describe('a change that nothing tells from its repeat', () => {
  const unavailable = (applied?: 'no' | 'maybe'): Status => ({
    code: StatusCode.UNAVAILABLE,
    message: 'the leader went',
    ...(applied === undefined ? {} : { detail: { kind: 'Unavailable', applied } }),
  });

  it.each<[string, Status, 'again' | 'not']>([
    ['known not to have been applied', unavailable('no'), 'again'],
    ['perhaps applied', unavailable('maybe'), 'not'],
    ['unavailable, and no more is said', unavailable(), 'not'],
    ['refused by a full node', full(), 'again'],
  ])('%s', (_, status, expected) => {
    const request = { repeat: 'unapplied', refusals: 0, deadline: 60_000 } as OpenRequest;
    const pause = repeatIn(request, status, new VirtualScheduler());
    expect(pause === undefined ? 'not' : 'again').toBe(expected);
  });
});

describe('a request refused by a full node', () => {
  it('is sent again after growing pauses, until it is taken', async () => {
    const { server, scheduler, connection } = setUp();
    const answer = describeNamespace(connection);
    await scheduler.settle();
    const sentAt: number[] = [scheduler.monotonic()];
    while (sentAt.length < 4) {
      const { length } = server.requests;
      server.fail(server.last, full());
      while (server.requests.length === length) await scheduler.advance(100);
      sentAt.push(scheduler.monotonic());
    }
    const pauses = sentAt.slice(1).map((at, i) => at - (sentAt[i] ?? 0));
    // The virtual scheduler rolls zeros: half of what has grown.
    expect(pauses).toEqual([500, 1_000, 2_000]);
    expect(new Set(server.requests.map(({ id }) => id)).size).toBe(1);
    server.respond(server.last, 'ok');
    expect(await answer).toBe('ok');
  });

  it('is refused to its caller with that reason when its deadline comes before the next try', async () => {
    const { server, scheduler, connection } = setUp({ requestTimeout: 1_200 });
    const error = caught(describeNamespace(connection));
    await scheduler.settle();
    server.fail(server.last, full());
    await scheduler.advance(500);
    expect(server.requests).toHaveLength(2);
    server.fail(server.last, full());
    expect(await error).toMatchObject({
      code: StatusCode.RESOURCE_EXHAUSTED,
      details: 'the node is full',
      detail: { cause: 'OVERLOADED' },
    });
    await scheduler.advance(5_000);
    expect(server.requests).toHaveLength(2);
    expect(connection.inFlightRequests).toBe(0);
  });

  it('is given up by its caller at any time', async () => {
    const { server, scheduler, connection } = setUp();
    const giveUp = new AbortController();
    const error = caught(connection.request('describeNamespace', { namespace: 'a' }, { signal: giveUp.signal }));
    await scheduler.settle();
    server.fail(server.last, full());
    giveUp.abort();
    expect(await error).toMatchObject({ code: StatusCode.CANCELLED });
    await scheduler.advance(5_000);
    expect(server.requests).toHaveLength(1);
  });

  it('is not sent again when it would count double, or when waiting changes nothing', async () => {
    const { server, scheduler, connection } = setUp();
    const credit = caught(connection.request('grantCredit', { workerId: 'w', activity: 1 }));
    await scheduler.settle();
    server.fail(server.last, full());
    expect(await credit).toMatchObject({ code: StatusCode.RESOURCE_EXHAUSTED });
    const list = caught(describeNamespace(connection));
    await scheduler.settle();
    server.fail(server.last, full('GROUPS'));
    expect(await list).toMatchObject({ code: StatusCode.RESOURCE_EXHAUSTED });
  });
});

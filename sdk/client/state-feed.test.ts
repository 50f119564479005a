// Watches of one run over one connection share a feed; each goes on from its own place, none is hurt by another, and servers of the release before,
// which know no answers in parts, are polled.

import { describe, expect, it } from 'vitest';
import { encode } from '../../src/wire/codec.ts';
import { EventType } from '../../src/wire/enums.ts';
import { FrameKind } from '../../src/wire/frame.ts';
import type { GetWorkflowExecutionHistoryRequest, WatchWorkflowStateRequest } from '../../src/wire/history.ts';
import { STATE_MARKER } from '../../src/wire/markers.ts';
import { StatusCode } from '../../src/wire/status.ts';
import { runWithCallContext } from '../connection/call-context.ts';
import type { SeenRequest } from '../connection/fake-server.test-support.ts';
import { setUp } from './client.test-support.ts';
import { type StatePage, StateReader } from './state-feed.ts';

const marker = (eventId: number, key = 'a') => ({
  ...{ eventId, eventTime: 0, eventType: EventType.MARKER_RECORDED },
  attributes: { markerName: STATE_MARKER, details: { [key]: { payloads: [] } } },
});
const page = (events: readonly object[], over: object = {}) => ({
  ...{ runId: 'r', events: events.length === 0 ? [] : [encode(events)], closed: false },
  ...over,
});

/** A server that sends parts when the test says so, or, `knows: 'polls'`, one of the release before. */
function feeding(knows: 'parts' | 'polls' = 'parts', answers: Parameters<typeof setUp>[0] = {}) {
  const unknown = { code: StatusCode.UNIMPLEMENTED, message: 'not known' };
  const made = setUp({ ...(knows === 'polls' && { watchWorkflowState: () => unknown }), ...answers });
  const { server, connection, scheduler } = made;
  const target = { connection, namespace: 'ns', workflowId: 'w' };
  const asked = (method: string): SeenRequest[] => server.requests.filter((request) => request.method === method);
  return {
    ...made,
    watches: () => asked('watchWorkflowState'),
    polls: () => asked('getWorkflowExecutionHistory'),
    reader: () => new StateReader(target),
    /** To the watch that was asked last. */
    async part(...ids: number[]): Promise<void> {
      const to = asked('watchWorkflowState').at(-1);
      to?.link.send([FrameKind.PART, to.id, page(ids.map((id) => marker(id)))]);
      await scheduler.settle();
    },
  };
}
const bodyOf = (request: SeenRequest | undefined) =>
  request?.body as unknown as WatchWorkflowStateRequest & GetWorkflowExecutionHistoryRequest;
const idsOf = ({ events }: StatePage): number[] => events.map(({ eventId }) => eventId);

describe('readers of one run', () => {
  it('share one watch, and each gets what is new to it', async () => {
    const { scheduler, watches, reader, part } = feeding();
    const [one, other] = [reader(), reader()];
    const first = one.next('r', 5, undefined);
    const second = other.next('r', 7, undefined);
    await scheduler.settle();
    expect(watches().map(bodyOf)).toEqual([{ namespace: 'ns', workflowId: 'w', runId: 'r', fromEventId: 5 }]);
    await part();
    await part(6);
    expect(await first).toMatchObject({ nextEventId: 7, over: false });
    await part(9);
    expect(idsOf(await second)).toEqual([9]);
    expect(idsOf(await one.next('r', 7, undefined))).toEqual([9]);
    expect(watches()).toHaveLength(1);
  });

  it('get the latest only of what came while they did something else', async () => {
    const { scheduler, reader, part } = feeding();
    const [slow, quick] = [reader(), reader()];
    const begun = slow.next('r', 1, undefined);
    const with_ = quick.next('r', 1, undefined);
    await scheduler.settle();
    await part(2);
    await Promise.all([begun, with_]);
    for (const id of [4, 6, 8]) await part(id);
    const late = await slow.next('r', 3, undefined);
    expect(idsOf(late)).toEqual([8]);
    expect(late.nextEventId).toBe(9);
  });

  it('read what was before the feed began', async () => {
    const { scheduler, reader, polls, part, run } = feeding('parts', {
      getWorkflowExecutionHistory: (body) => page(body.fromEventId === 2 ? [marker(3, 'b')] : []),
    });
    const begun = reader().next('r', 8, undefined);
    await scheduler.settle();
    const earlier = reader();
    const read = await run(earlier.next('r', 2, undefined));
    expect(idsOf(read)).toEqual([3]);
    // Nothing of the time between holds a latest value.
    expect(read.nextEventId).toBe(8);
    const next = earlier.next('r', 8, undefined);
    await part(9);
    expect(idsOf(await next)).toEqual(idsOf(await begun));
    expect(polls()).toHaveLength(1);
  });

  it('end one by one; the watch is given up with the last', async () => {
    const { scheduler, server, reader, watches } = feeding();
    const [first, second] = [new AbortController(), new AbortController()];
    const readers = [reader(), reader()];
    const left = expect(readers[0]?.next('r', 1, first.signal)).rejects.toThrow('first');
    const last = expect(readers[1]?.next('r', 1, second.signal)).rejects.toThrow('second');
    await scheduler.settle();
    first.abort(new Error('first'));
    await left;
    readers[0]?.leave();
    await scheduler.settle();
    expect(server.cancels).toEqual([]);
    second.abort(new Error('second'));
    await last;
    readers[1]?.leave();
    await scheduler.settle();
    expect(server.cancels).toEqual([watches()[0]?.id]);
    await expect(reader().next('r', 1, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  });

  it('hear of the end, and of a refusal', async () => {
    const { scheduler, server, reader, watches } = feeding();
    const end = reader().next('r', 1, undefined);
    await scheduler.settle();
    server.respond(watches()[0] as SeenRequest, page([], { closed: true }));
    await scheduler.settle();
    expect(await end).toMatchObject({ over: true, events: [] });
    const gone = reader().next('r', 1, undefined);
    const refused = expect(gone).rejects.toMatchObject({ code: StatusCode.NOT_FOUND });
    await scheduler.settle();
    server.fail(watches()[1] as SeenRequest, { code: StatusCode.NOT_FOUND, message: 'no such run' });
    await scheduler.settle();
    await refused;
  });

  it('go on where they were over a new link: the server is asked from there', async () => {
    const { scheduler, server, reader, watches, part } = feeding();
    const one = reader();
    const first = one.next('r', 1, undefined);
    await scheduler.settle();
    await part(4);
    await first;
    const next = one.next('r', 5, undefined);
    server.link.drop();
    await scheduler.advance(5_000);
    expect(watches().map((request) => bodyOf(request).fromEventId)).toEqual([1, 5]);
    // A server that says it again is not believed.
    await part(4);
    await part(6);
    expect(idsOf(await next)).toEqual([6]);
    await part(4);
    server.link.drop();
    await scheduler.advance(5_000);
    expect(bodyOf(watches().at(-1)).fromEventId).toBe(7);
  });

  it('that ask for nothing any more keep no watch, and begin another one when they do', async () => {
    const { scheduler, server, reader, watches, part } = feeding();
    const one = reader();
    const first = one.next('r', 1, undefined);
    await scheduler.settle();
    await part(2);
    await first;
    await scheduler.advance(21_000);
    expect(server.cancels).toHaveLength(1);
    const next = one.next('r', 3, undefined);
    await scheduler.settle();
    expect(watches().map((request) => bodyOf(request).fromEventId)).toEqual([1, 3]);
    await part(5);
    expect(idsOf(await next)).toEqual([5]);
  });

  it('that wait for long keep theirs', async () => {
    const { scheduler, server, reader, part } = feeding();
    const waits = reader().next('r', 1, undefined);
    await scheduler.advance(300_000);
    expect(server.cancels).toEqual([]);
    await part(2);
    expect(idsOf(await waits)).toEqual([2]);
  });

  it('under a deadline have their own', async () => {
    const { scheduler, reader, watches } = feeding();
    const shared = reader().next('r', 1, undefined);
    const own = runWithCallContext({ deadline: Date.now() + 5_000 }, () => reader().next('r', 1, undefined));
    const late = expect(own).rejects.toMatchObject({ code: StatusCode.DEADLINE_EXCEEDED });
    await scheduler.settle();
    expect(watches()).toHaveLength(2);
    await scheduler.advance(6_000);
    await late;
    const [of] = watches();
    of?.link.send([FrameKind.PART, of.id, page([marker(2)])]);
    await scheduler.settle();
    expect(idsOf(await shared)).toEqual([2]);
  });
});

describe('a server without answers in parts', () => {
  it('is polled: the same values in the same order', async () => {
    const { scheduler, server, reader, watches, polls } = feeding('polls');
    const [one, other] = [reader(), reader()];
    const both = Promise.all([one.next('r', 1, undefined), other.next('r', 1, undefined)]);
    await scheduler.settle();
    expect(watches()).toHaveLength(1);
    expect(polls().map(bodyOf)).toMatchObject([{ fromEventId: 1, runId: 'r', waitNewEvent: true, stateOnly: true }]);
    server.respond(polls()[0] as SeenRequest, page([marker(2)]));
    await scheduler.settle();
    expect((await both).map(idsOf)).toEqual([[2], [2]]);
    const last = one.next('r', 3, undefined);
    await scheduler.settle();
    expect(bodyOf(polls()[1]).fromEventId).toBe(3);
    server.respond(polls()[1] as SeenRequest, page([], { closed: true }));
    await scheduler.settle();
    expect(await last).toMatchObject({ over: true });
    expect(watches()).toHaveLength(1);
  });

  it('is asked for them again after a while: it may have been replaced by a newer one', async () => {
    const { scheduler, server, reader, watches, polls } = feeding('polls');
    const waits = reader().next('r', 1, undefined);
    await scheduler.settle();
    await scheduler.advance(59_000);
    server.respond(polls().at(-1) as SeenRequest, page([]));
    await scheduler.advance(61_000);
    expect(watches().length).toBeGreaterThan(1);
    server.respond(polls().at(-1) as SeenRequest, page([marker(7)]));
    await scheduler.settle();
    expect(idsOf(await waits)).toEqual([7]);
  });
});

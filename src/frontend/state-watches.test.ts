// Watches of published state at a door: who has come as far waits together, who does not read is left behind with nothing kept for it, and nobody
// gets a value twice or misses the latest.

import { describe, expect, it } from 'vitest';
import { type Frame, TestDoor } from '../../test/support/door.ts';
import type { HistoryQuery } from '../ports/engine.ts';
import { decode, encode } from '../wire/codec.ts';
import { EventType } from '../wire/enums.ts';
import type { HistoryEvent } from '../wire/event.ts';
import { FrameKind } from '../wire/frame.ts';
import type { GetWorkflowExecutionHistoryResponse } from '../wire/history.ts';
import { STATE_MARKER } from '../wire/markers.ts';
import { type Status, StatusCode } from '../wire/status.ts';

import { OpenCall } from './websocket/open-call.ts';

type Done = (error: Status | undefined, page: GetWorkflowExecutionHistoryResponse | undefined) => void;

const RUN = '01890a5d-ac96-774b-bcce-b302099a8057';

/** A door over one run whose state is one marker, with the waits that the engine holds. */
class Published {
  readonly door = new TestDoor();
  readonly waits = new Set<{ query: HistoryQuery; done: Done }>();
  looks = 0;
  closed = false;
  /** Of the latest marker. */
  #eventId = 0;
  #bytes = 0;

  constructor() {
    this.door.engine.history = (_to, query, done) => {
      if (!query.waitNewEvent || this.#isNews(query)) {
        this.looks += 1;
        done(undefined, this.#page(query));
        return { abandon: () => undefined };
      }
      const wait = { query, done };
      this.waits.add(wait);
      return { abandon: () => void this.waits.delete(wait) };
    };
  }

  publish(eventId: number, bytes = 10): void {
    this.#eventId = eventId;
    this.#bytes = bytes;
    this.#wake();
  }

  close(): void {
    this.closed = true;
    this.#wake();
  }

  fail(status: Status): void {
    const waiting = [...this.waits];
    this.waits.clear();
    for (const { done } of waiting) done(status, undefined);
    this.door.time.settle();
  }

  #isNews({ fromEventId }: HistoryQuery): boolean {
    return this.closed || this.#eventId >= fromEventId;
  }

  #wake(): void {
    const woken = [...this.waits].filter(({ query }) => this.#isNews(query));
    for (const wait of woken) this.waits.delete(wait);
    for (const { query, done } of woken) done(undefined, this.#page(query));
    this.door.time.settle();
  }

  #page({ fromEventId }: HistoryQuery): GetWorkflowExecutionHistoryResponse {
    const details = { n: { payloads: [{ metadata: {}, data: new Uint8Array(this.#bytes) }] } };
    const event = {
      ...{ eventId: this.#eventId, eventTime: 0, eventType: EventType.MARKER_RECORDED },
      attributes: { markerName: STATE_MARKER, details },
    };
    const events = this.#eventId >= fromEventId && this.#eventId > 0 ? [encode([event])] : [];
    return { runId: RUN, events, closed: this.closed, nextEventId: undefined };
  }
}

const WATCH = { namespace: 'default', workflowId: 'w' };

/** Event ids by frame: of the parts, with the last word as it is. */
function told(frames: readonly Frame[]): unknown[] {
  return frames.map(([kind, , body]) => {
    const { events } = body as GetWorkflowExecutionHistoryResponse;
    if (kind !== FrameKind.PART) return body;
    return events.flatMap((batch) => (decode(batch) as HistoryEvent[]).map(({ eventId }) => eventId));
  });
}

describe('watches of a run', () => {
  it('get what there is at once, then each change, and the end as the answer', () => {
    const published = new Published();
    const client = published.door.connect();
    const id = client.request('watchWorkflowState', WATCH);
    expect(client.take()).toEqual([[FrameKind.PART, id, { runId: RUN, events: [], closed: false }]]);
    published.publish(4);
    published.publish(7);
    published.close();
    expect(told(client.take())).toEqual([[4], [7], { runId: RUN, events: [], closed: true }]);
    expect(client.connection.openCalls).toBe(0);
    expect(published.waits.size).toBe(0);
  });

  it('go on from the event they name', () => {
    const published = new Published();
    published.publish(7);
    const client = published.door.connect();
    client.request('watchWorkflowState', { ...WATCH, runId: RUN, fromEventId: 8 });
    client.request('watchWorkflowState', { ...WATCH, runId: RUN, fromEventId: 7 });
    expect(told(client.take())).toEqual([[], [7]]);
  });

  it('of a closed run end after what it published', () => {
    const published = new Published();
    published.publish(7);
    published.close();
    const client = published.door.connect();
    client.request('watchWorkflowState', WATCH);
    expect(told(client.take())).toEqual([[7], { runId: RUN, events: [], closed: true }]);
  });

  it('wait together once they have come as far: a change is one wait and one reading for all', () => {
    const published = new Published();
    const clients = Array.from({ length: 50 }, () => published.door.connect());
    for (const client of clients) client.request('watchWorkflowState', WATCH);
    const looks = published.looks;
    expect(published.waits.size).toBe(1);
    published.publish(4);
    published.publish(6);
    expect(published.waits.size).toBe(1);
    expect(published.looks).toBe(looks);
    for (const client of clients) expect(told(client.take())).toEqual([[], [4], [6]]);
  });

  it('leave one by one; the wait ends with the last', () => {
    const published = new Published();
    const [one, other, third] = [published.door.connect(), published.door.connect(), published.door.connect()];
    const id = one?.request('watchWorkflowState', WATCH);
    other?.request('watchWorkflowState', WATCH);
    third?.request('watchWorkflowState', WATCH, 1_000);
    one?.frames([FrameKind.CANCEL, id]);
    other?.connection.closed();
    expect(published.waits.size).toBe(1);
    published.door.time.advance(1_100);
    expect(third?.take().at(-1)).toMatchObject([FrameKind.ERROR, 1, { code: StatusCode.DEADLINE_EXCEEDED }]);
    expect(published.waits.size).toBe(0);
    one?.take();
    published.publish(4);
    expect(one?.take()).toEqual([]);
  });

  it('are refused as the engine refuses', () => {
    const published = new Published();
    const client = published.door.connect();
    client.request('watchWorkflowState', WATCH);
    client.take();
    const status = { code: StatusCode.UNAVAILABLE, message: 'led elsewhere' };
    published.fail(status);
    expect(client.take()).toEqual([[FrameKind.ERROR, 1, status]]);
  });

  it('need a namespace that the connection may use', () => {
    const client = new Published().door.connect();
    const status = client.refusal('watchWorkflowState', { namespace: 'other', workflowId: 'w' });
    expect(status).toMatchObject({ code: StatusCode.NOT_FOUND, detail: { kind: 'NamespaceNotFound' } });
  });
});

describe('a watch whose connection does not read', () => {
  const MOST_UNREAD = 64 * 1024;

  it('is sent no more than fits, and the latest once it reads; the others are not held up', () => {
    const published = new Published();
    const [deaf, other] = [published.door.connect(), published.door.connect()];
    deaf?.request('watchWorkflowState', WATCH);
    other?.request('watchWorkflowState', WATCH);
    if (deaf !== undefined) deaf.deaf = true;
    const part = 8 * 1024;
    for (let n = 1; n <= 100; n += 1) published.publish(n, part);
    expect(deaf?.bufferedAmount).toBeLessThan(MOST_UNREAD + 2 * part);
    expect(deaf?.closed).toBeUndefined();
    expect(told(other?.take() ?? [])).toHaveLength(101);
    const before = told(deaf?.take() ?? []).length;
    expect(before).toBeLessThan(12);
    deaf?.drain();
    published.door.time.settle();
    expect(told(deaf?.take() ?? [])).toEqual([[100]]);
    published.publish(101);
    expect(told(deaf?.take() ?? [])).toEqual([[101]]);
    expect(published.waits.size).toBe(1);
  });

  it('costs nothing any more once it is cancelled', () => {
    const published = new Published();
    const client = published.door.connect();
    const id = client.request('watchWorkflowState', WATCH);
    client.deaf = true;
    for (let n = 1; n <= 100; n += 1) published.publish(n, 8 * 1024);
    expect(published.waits.size).toBe(0);
    client.frames([FrameKind.CANCEL, id]);
    client.take();
    client.drain();
    published.door.time.advance(1_000);
    expect(client.take()).toEqual([]);
    expect(published.waits.size).toBe(0);
  });
});

it('a call that ended leaves nothing that waits for its connection to be read', () => {
  const door = new TestDoor();
  const of = door.connect();
  of.deaf = true;
  const call = new OpenCall(of.connection, 9, 'watchWorkflowState', 0, 0, 0);
  let again = 0;
  const send = (): boolean => call.send(new Uint8Array(40 * 1024), () => void (again += 1));
  while (send()) door.time.settle();
  call.refuse({ code: StatusCode.INTERNAL, message: 'over' });
  of.drain();
  expect(again).toBe(0);
});

it.each([1, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 32, 2 ** 53 - 1])(
  'parts carry the id of their request, whatever its size: %d',
  (id) => {
    const client = new Published().door.connect();
    client.frames([FrameKind.REQUEST, id, 'watchWorkflowState', 0, WATCH]);
    expect(client.take()).toMatchObject([[FrameKind.PART, id, { runId: RUN }]]);
  },
);

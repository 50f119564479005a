// Signals that wait for a workflow which takes none for now: in which order they come again, how many at a time, and that none is forgotten.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Status, StatusCode } from '../../src/wire/status.ts';
import { BusyWorkflows } from './busy-workflows.ts';
import { caught, setUp } from './connection.test-support.ts';
import { type SeenRequest, UNANSWERED, VirtualScheduler } from './fake-server.test-support.ts';
import type { OpenRequest } from './request-table.ts';

const refusal = (cause = 'BUSY_WORKFLOW'): Status => ({
  code: StatusCode.RESOURCE_EXHAUSTED,
  message: 'it is busy',
  detail: { kind: 'ResourceExhausted', cause },
});

/** As much of a request as the lines look at. */
const request = (id: number, signalled: string | undefined): OpenRequest =>
  ({ id, signalled, lastRefusal: undefined }) as OpenRequest;
const signalOf = (id: number): OpenRequest => request(id, 'ns\0hot');

/** What was sent, in order. */
function lines() {
  const scheduler = new VirtualScheduler();
  const sent: OpenRequest[] = [];
  const send = (one: OpenRequest): void => {
    if (busy.admits(one)) sent.push(one);
  };
  const busy = new BusyWorkflows(scheduler, send);
  return { scheduler, busy, sent, send };
}

describe('signals to a workflow', () => {
  it('are sent as they come before one is refused, and those to others after that', () => {
    const { busy, sent, send } = lines();
    for (let id = 0; id < 1_000; id += 1) send(signalOf(id));
    expect(sent).toHaveLength(1_000);
    expect(busy.refused(sent[0] as OpenRequest, refusal())).toBe(true);
    send(request(1_000, 'ns\0other'));
    send(request(1_001, undefined));
    expect(sent).toHaveLength(1_002);
    send(signalOf(1_002));
    expect(sent).toHaveLength(1_002);
    expect(busy.waiting).toBe(2);
  });

  it('come again one at a time until one is taken, then 256 at a time, those first that were refused', async () => {
    const { scheduler, busy, sent, send } = lines();
    const crowd = Array.from({ length: 2 }, (_, id) => signalOf(id));
    crowd.forEach(send);
    const [first, second] = crowd as [OpenRequest, OpenRequest];
    busy.refused(first, refusal());
    for (let id = 2; id < 602; id += 1) send(signalOf(id));
    busy.refused(second, refusal());
    // As after a reconnect.
    send(second);
    expect(sent.splice(0)).toEqual(crowd);
    await scheduler.advance(50);
    expect(sent.map(({ id }) => id)).toEqual([0]);
    const [probe] = sent.splice(0);
    if (probe !== undefined) busy.ended(probe, true);
    expect(sent.map(({ id }) => id)).toEqual(Array.from({ length: 256 }, (_, i) => i + 1));
    const next = sent[0];
    if (next !== undefined) busy.ended(next, true);
    expect(sent.at(-1)?.id).toBe(257);
  });

  it('wait longer after each refusal in a row, and as long as at first when one was taken', async () => {
    const { scheduler, busy, sent, send } = lines();
    send(signalOf(0));
    const pauses: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      const before = scheduler.monotonic();
      const one = sent.pop() as OpenRequest;
      busy.refused(one, refusal());
      while (sent.length === 0) await scheduler.advance(5);
      pauses.push(scheduler.monotonic() - before);
    }
    // The virtual scheduler rolls zeros: half of what has grown.
    expect(pauses).toEqual([25, 50, 100, 200]);
    send(signalOf(1));
    busy.ended(sent.pop() as OpenRequest, true);
    const one = sent.pop() as OpenRequest;
    expect(one.id).toBe(1);
    busy.refused(one, refusal());
    await scheduler.advance(25);
    expect(sent).toEqual([one]);
  });

  it('wait no longer when one that was sent before the refusal is taken', async () => {
    const { scheduler, busy, sent, send } = lines();
    const [first, second] = [signalOf(0), signalOf(1)];
    for (const one of [first, second]) send(one);
    busy.refused(first, refusal());
    busy.ended(second, true);
    expect(sent).toEqual([first, second, first]);
    await scheduler.advance(100);
    for (const one of [signalOf(2), signalOf(3)]) send(one);
    expect(sent).toHaveLength(5);
  });

  it('wait until the pause is over for a workflow that takes some all the while, whichever of them it takes', async () => {
    const { scheduler, busy, sent, send } = lines();
    for (let id = 0; id < 200; id += 1) send(signalOf(id));
    const crowd = sent.splice(0);
    // As they come back: every third was taken.
    for (const one of crowd) {
      if (one.id % 3 === 1) busy.ended(one, true);
      else expect(busy.refused(one, refusal('REQUEST_IDS'))).toBe(true);
    }
    await scheduler.advance(499);
    expect(sent).toEqual([]);
    await scheduler.advance(1);
    expect(sent).toEqual([crowd[0]]);
    busy.ended(crowd[0] as OpenRequest, true);
    expect(sent).toHaveLength(133);
  });

  it('wait longer for a reason that lasts longer, and all of them: one that is refused holds no place', async () => {
    const { scheduler, busy, sent, send } = lines();
    const [first, second] = [signalOf(0), signalOf(1)];
    send(first);
    busy.refused(first, refusal());
    send(second);
    await scheduler.advance(25);
    expect(sent.splice(0)).toEqual([first, first]);
    expect(busy.refused(first, refusal('OVERLOADED'))).toBe(true);
    await scheduler.advance(499);
    expect(sent).toEqual([]);
    await scheduler.advance(1);
    expect(sent).toEqual([first]);
    busy.ended(first, false);
    await scheduler.settle();
    expect(sent).toEqual([first, second]);
  });

  it('are not sent because others are given up, who may be given up with them', async () => {
    const { scheduler, busy, sent, send } = lines();
    const crowd = Array.from({ length: 100 }, (_, id) => signalOf(id));
    send(crowd[0] as OpenRequest);
    busy.refused(crowd[0] as OpenRequest, refusal());
    for (const one of crowd.slice(1)) send(one);
    await scheduler.advance(25);
    expect(sent).toHaveLength(2);
    for (const one of crowd) busy.ended(one, false);
    await scheduler.settle();
    expect(sent).toHaveLength(2);
    expect(busy.waiting).toBe(0);
  });

  it('do not wait here for what is refused for another reason', () => {
    const { busy } = lines();
    expect(busy.refused(signalOf(0), refusal('OVERLOADED'))).toBe(false);
    expect(busy.refused(request(0, undefined), refusal())).toBe(false);
    expect(busy.refused(signalOf(0), { code: StatusCode.UNAVAILABLE, message: '' })).toBe(false);
    expect(busy.waiting).toBe(0);
  });

  it('are never more under way than there is room, and none is forgotten, whatever happens', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(5), fc.nat(50)), { maxLength: 100 }), async (steps) => {
        const { scheduler, busy, sent, send } = lines();
        const all: OpenRequest[] = [];
        let over = 0;
        const ended = new Set<OpenRequest>();
        const end = (one: OpenRequest, taken: boolean): void => {
          sent.splice(sent.indexOf(one), 1);
          over += 1;
          ended.add(one);
          busy.ended(one, taken);
        };
        for (const [what, n] of steps) {
          const one = sent[n % Math.max(1, sent.length)];
          if (what === 0) {
            all.push(signalOf(all.length));
            all.slice(-1).forEach(send);
          } else if (what === 1) await scheduler.advance(n);
          else if (what === 2 && one !== undefined) end(one, true);
          else if (what === 3 && one !== undefined) end(one, false);
          else if (what === 4 && one !== undefined) {
            sent.splice(sent.indexOf(one), 1);
            expect(busy.refused(one, refusal())).toBe(true);
          } else if (what === 5) {
            // As after a reconnect.
            for (const unsent of all) if (!ended.has(unsent) && !sent.includes(unsent)) send(unsent);
          }
          expect(sent.length + busy.waiting + over).toBe(all.length);
        }
        // All that is left is taken in the end.
        for (let i = 0; over < all.length && i < 1_000; i += 1) {
          for (const one of [...sent]) end(one, true);
          await scheduler.advance(1_000);
        }
        expect(over).toBe(all.length);
        expect(busy.waiting).toBe(0);
      }),
    );
  });
});

describe('a connection whose signals a workflow refuses for now', () => {
  const signal = (connection: ReturnType<typeof setUp>['connection'], workflowId = 'hot', n = 0) =>
    connection.request('signalWorkflowExecution', {
      namespace: 'ns',
      workflowId,
      signalName: `s${n}`,
      requestId: `r${n}`,
      identity: 'me',
    });

  it('asks once in a while, and sends them all when one is taken', async () => {
    const { server, scheduler, connection } = setUp({ requestTimeout: '1 minute' });
    let isBusy = true;
    let refused = 0;
    server.answer = (asked: SeenRequest) => {
      if (asked.method !== 'signalWorkflowExecution' || !isBusy) return 'ok';
      refused += 1;
      queueMicrotask(() => server.fail(asked, refusal()));
      return UNANSWERED;
    };
    const first = Array.from({ length: 100 }, (_, n) => signal(connection, 'hot', n));
    await scheduler.settle();
    expect(refused).toBe(100);
    const later = Array.from({ length: 1_000 }, (_, n) => signal(connection, 'hot', 100 + n));
    await scheduler.advance(10_000);
    // One after each pause, which grows to five seconds.
    expect(refused).toBeGreaterThan(103);
    expect(refused).toBeLessThan(112);
    isBusy = false;
    await scheduler.advance(5_000);
    expect(new Set(await Promise.all([...first, ...later]))).toEqual(new Set(['ok']));
    await connection.close();
  });

  it('lets signals with a start wait in the same line, and not as starts under way', async () => {
    const { server, scheduler, connection } = setUp({ requestTimeout: '1 minute' });
    const asked: string[] = [];
    server.answer = ({ method, body }: SeenRequest) => {
      asked.push(`${method} ${'workflowId' in body ? body.workflowId : ''}`);
      return UNANSWERED;
    };
    const withStart = (workflowId: string, n: number) =>
      caught(
        connection.request('signalWithStartWorkflowExecution', {
          ...{ namespace: 'ns', workflowId, signalName: `s${n}`, requestId: `w${n}`, identity: 'me' },
          ...{ workflowType: 'w', taskQueue: 'q' },
        }),
      );
    void withStart('hot', 0);
    await scheduler.settle();
    const [first] = server.requests;
    if (first !== undefined) server.fail(first, refusal());
    await scheduler.settle();
    for (let n = 1; n < 100; n += 1) void withStart('hot', n);
    void signal(connection, 'hot', 100).catch(() => undefined);
    // The node has too much to do: sixteen starts at a time from now on, and those that wait for the workflow are none of them.
    void withStart('other', 101);
    await scheduler.settle();
    server.fail(server.last, refusal('OVERLOADED'));
    asked.length = 0;
    for (let n = 102; n < 202; n += 1) void withStart(`cool-${n}`, n);
    await scheduler.settle();
    expect(asked.length).toBe(16);
    expect(asked.every((one) => one.includes('cool'))).toBe(true);
    await connection.close();
  });

  it('tells all at once when the workflow is over', async () => {
    const { server, scheduler, connection } = setUp({ requestTimeout: '1 minute' });
    let isOver = false;
    server.answer = (asked: SeenRequest) => {
      const over: Status = { code: StatusCode.NOT_FOUND, message: 'workflow execution already completed' };
      scheduler.after(10, () => server.fail(asked, isOver ? over : refusal()));
      return UNANSWERED;
    };
    const first = caught(signal(connection, 'hot', 0));
    await scheduler.advance(10);
    const later = Array.from({ length: 200 }, (_, n) => caught(signal(connection, 'hot', 1 + n)));
    isOver = true;
    // A pause, an answer, and another for all of them.
    await scheduler.advance(25 + 10 + 10);
    const { length } = server.requests;
    for (const told of await Promise.all([first, ...later])) expect(String(told)).toContain('already completed');
    expect(length).toBe(202);
    await connection.close();
  });

  it('tells callers whose time is over while they wait what they waited for', async () => {
    const { server, scheduler, connection } = setUp({ requestTimeout: '1 second' });
    server.answer = (asked: SeenRequest) => {
      queueMicrotask(() => server.fail(asked, refusal()));
      return UNANSWERED;
    };
    const first = caught(signal(connection, 'hot', 0));
    await scheduler.settle();
    const later = caught(signal(connection, 'hot', 1));
    await scheduler.advance(1_100);
    expect(String(await later)).toMatch(/had no answer from .* within 1000 ms: 8 RESOURCE_EXHAUSTED: it is busy/);
    expect(String(await first)).toMatch(/RESOURCE_EXHAUSTED: it is busy/);
    await connection.close();
  });

  it('sends them again over a new link, if they were under way', async () => {
    const { server, scheduler, connection } = setUp({ requestTimeout: '1 minute' });
    const one = signal(connection);
    await scheduler.settle();
    server.fail(server.last, refusal());
    await scheduler.advance(30);
    const { length } = server.requests;
    server.link.drop();
    await scheduler.advance(1_000);
    expect(server.requests.length).toBe(length + 1);
    server.respond(server.last, 'ok');
    expect(await one).toBe('ok');
    await connection.close();
  });
});

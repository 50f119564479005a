// How many starts are under way at once, once a node has refused one.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Status, StatusCode } from '../../src/wire/status.ts';
import { caught, describeNamespace, setUp } from './connection.test-support.ts';
import type { Connection } from './connection.ts';
import { type SeenRequest, UNANSWERED } from './fake-server.test-support.ts';
import type { OpenRequest } from './request-table.ts';
import { StartWindow } from './start-window.ts';

const refusal = (cause = 'OVERLOADED'): Status => ({
  code: StatusCode.RESOURCE_EXHAUSTED,
  message: 'the node is full',
  detail: { kind: 'ResourceExhausted', cause },
});

/** As much of a request as the window looks at. */
const start = (method = 'startWorkflowExecution'): OpenRequest =>
  ({ method, startNumber: 0, lastRefusal: undefined }) as OpenRequest;

const sent = (window: StartWindow, n: number): OpenRequest[] =>
  Array.from({ length: n }, () => start()).filter((request) => window.admits(request));

describe('the window of starts', () => {
  it('has no bound before a refusal, nor for anything but starts', () => {
    const window = new StartWindow();
    expect(sent(window, 5_000)).toHaveLength(5_000);
    const [first] = sent(window, 1);
    if (first !== undefined) window.refused(first, refusal());
    expect(window.size).toBe(2_500);
    expect(sent(window, 10)).toHaveLength(0);
    expect(window.admits(start('signalWorkflowExecution'))).toBe(true);
  });

  it('shrinks once for a crowd that was refused together, and again for one that came later', () => {
    const window = new StartWindow();
    const crowd = sent(window, 400);
    for (const request of crowd.slice(0, 300)) window.refused(request, refusal());
    expect(window.size).toBe(200);
    const later = sent(window, 100);
    for (const request of later) window.refused(request, refusal());
    expect(window.size).toBe(100);
  });

  it('is not made smaller by what exhausts something else, nor smaller than 16', () => {
    const window = new StartWindow();
    for (const request of sent(window, 100)) window.refused(request, refusal('FLOW_CONTROL'));
    expect(window.size).toBe(Number.POSITIVE_INFINITY);
    for (let i = 0; i < 10; i += 1) for (const request of sent(window, 100)) window.refused(request, refusal());
    expect(window.size).toBe(16);
  });

  it('grows by one with each window that was answered, as long as others wait', () => {
    const window = new StartWindow();
    let open = sent(window, 64);
    const [first] = open;
    if (first !== undefined) window.refused(first, refusal());
    const waiting = Array.from({ length: 500 }, () => start()).filter((request) => !window.admits(request));
    expect(waiting).toHaveLength(500);
    for (let round = 0; round < 3; round += 1) {
      const next: OpenRequest[] = [];
      for (const request of open.slice(round === 0 ? 1 : 0)) {
        window.ended(request);
        window.release((released) => {
          if (window.admits(released)) next.push(released);
        });
      }
      open = next;
    }
    expect(window.size).toBeGreaterThan(34);
    expect(window.size).toBeLessThan(37);
  });

  it('never has more open than its size allows, and loses nobody, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(50)), { maxLength: 200 }), (steps) => {
        const window = new StartWindow();
        const open = new Set<OpenRequest>();
        const paused = new Set<OpenRequest>();
        let made = 0;
        let over = 0;
        const send = (request: OpenRequest): void => {
          const before = open.size;
          if (!window.admits(request)) return;
          open.add(request);
          expect(before).toBeLessThan(window.size);
        };
        for (const [what, n] of steps) {
          const one = [...open][n % Math.max(1, open.size)];
          const back = [...paused][n % Math.max(1, paused.size)];
          if (what === 0) {
            made += 1;
            send(start());
          } else if (what === 1 && one !== undefined) {
            open.delete(one);
            over += 1;
            window.ended(one);
            window.release(send);
          } else if (what === 2 && one !== undefined) {
            open.delete(one);
            paused.add(one);
            window.refused(one, refusal());
          } else if (what === 3 && back !== undefined) {
            paused.delete(back);
            send(back);
          }
          expect(open.size + paused.size + window.waiting + over).toBe(made);
        }
      }),
    );
  });
});

/** A server that takes so many starts at a time, and refuses the others. */
function crowded(room: number) {
  const { server, scheduler, connection } = setUp({ requestTimeout: '1 minute' });
  const taken: SeenRequest[] = [];
  let refused = 0;
  server.answer = (request) => {
    if (request.method !== 'startWorkflowExecution') return 'ok';
    if (taken.length < room) taken.push(request);
    else {
      refused += 1;
      queueMicrotask(() => server.fail(request, refusal()));
    }
    return UNANSWERED;
  };
  return {
    ...{ server, scheduler, connection },
    get refused(): number {
      return refused;
    },
    /** The server answers all it took, again and again. */
    async serve(ms: number): Promise<void> {
      for (let at = 0; at < ms; at += 10) {
        for (const request of taken.splice(0)) server.respond(request, 'ok');
        await scheduler.advance(10);
      }
    },
  };
}

const begin = (connection: Connection, workflowId: string) =>
  connection.request('startWorkflowExecution', {
    ...{ namespace: 'a', workflowId, workflowType: 't', taskQueue: 'q', requestId: workflowId, identity: 'me' },
  });

describe('a crowd of starts', () => {
  it('is served whole, with few refusals after the first, while other calls pass', async () => {
    const crowd = crowded(50);
    const answers = Array.from({ length: 2_000 }, (_, i) => begin(crowd.connection, `w${i}`));
    await crowd.scheduler.settle();
    const first = crowd.refused;
    expect(first).toBe(1_950);
    const other = describeNamespace(crowd.connection);
    await crowd.scheduler.settle();
    expect(await other).toBe('ok');
    await crowd.serve(20_000);
    expect(await Promise.all(answers)).toEqual(answers.map(() => 'ok'));
    // Without a window each pause ends with most of the crowd refused again: four times as many.
    expect(crowd.refused - first).toBeLessThan(2_000);
    expect(crowd.connection.inFlightRequests).toBe(0);
  });

  it('says of a start whose time is over why it waited', async () => {
    const { scheduler, connection } = crowded(0);
    const answers = Array.from({ length: 100 }, (_, i) => caught(begin(connection, `w${i}`)));
    await scheduler.settle();
    const late = caught(begin(connection, 'late'));
    await scheduler.advance(61_000);
    expect(await late).toMatchObject({ message: expect.stringContaining('the node is full') });
    await Promise.all(answers);
    expect(connection.inFlightRequests).toBe(0);
  });

  it('is let go when the connection is closed, and none is sent then', async () => {
    const { server, scheduler, connection } = crowded(10);
    const answers = Array.from({ length: 200 }, (_, i) => caught(begin(connection, `w${i}`)));
    await scheduler.settle();
    const { length } = server.requests;
    await connection.close();
    expect(await Promise.all(answers)).toEqual(
      answers.map(() => expect.objectContaining({ code: StatusCode.CANCELLED })),
    );
    await scheduler.settle();
    expect([server.requests.length, server.links.length]).toEqual([length, 1]);
  });

  it('is sent on a new link without growing past its window', async () => {
    const crowd = crowded(20);
    const answers = Array.from({ length: 300 }, (_, i) => begin(crowd.connection, `w${i}`));
    await crowd.scheduler.settle();
    await crowd.serve(2_000);
    crowd.server.link.drop();
    await crowd.serve(20_000);
    expect(await Promise.all(answers)).toEqual(answers.map(() => 'ok'));
  });
});

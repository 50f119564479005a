// Where calls go: here, one hop away, after a redirect, after a wait; and what is said when nobody serves them.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Message } from '../../src/core/workflow/message.ts';
import { encode } from '../../src/wire/codec.ts';
import { WorkflowExecutionStatus, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '../../src/wire/enums.ts';
import { type Status, StatusCode } from '../../src/wire/status.ts';
import { at, RoutingWorld, type TestNode } from './routing.test-support.ts';
import { unavailable } from './statuses.ts';

let world: RoutingWorld;
let a: TestNode;
let b: TestNode;
let c: TestNode;

beforeEach(() => {
  world = new RoutingWorld();
  [a, b, c] = world.three();
});

afterEach(() => {
  world.end();
});

const to = (shard: number): { namespace: string; workflowId: string } => ({
  namespace: 'n',
  workflowId: `w${shard}-x`,
});

const signal = (requestId = 'r1'): Message => ({
  type: 'signal',
  target: {},
  signalName: 's',
  input: { payloads: [{ metadata: { encoding: Buffer.from('binary/plain') }, data: Buffer.from('payload') }] },
  identity: 'me',
  requestId,
});

const completion: Message = {
  type: 'completeWorkflowTask',
  task: { runId: 'run', scheduledEventId: 2, attempt: 1, startId: { term: 3, seq: 4 } },
  identity: 'me',
  commands: [],
  sticky: true,
  forceCreateNewWorkflowTask: false,
};

interface Asked<T> {
  outcomes: { error: Status | undefined; value: T | undefined }[];
}

function asking<T>(): Asked<T> & { done: (error: Status | undefined, value: T | undefined) => void } {
  const outcomes: Asked<T>['outcomes'] = [];
  return { outcomes, done: (error, value) => outcomes.push({ error, value }) };
}

function submit(node: TestNode, shard: number, message: Message): Asked<unknown>['outcomes'] {
  const { outcomes, done } = asking();
  node.router.submit(to(shard), message, done);
  return outcomes;
}

const ACCEPTED = { type: 'accepted' };
const accepted = [{ error: undefined, value: ACCEPTED }];
const no = unavailable('not now', 'no');
const maybe = unavailable('who knows', 'maybe');

/** All three agree on the owner of every shard. */
function owned(by: TestNode, term = 1): void {
  for (const node of world.nodes) node.view.setAll(node === by ? 'local' : at(by.name, term));
}

describe('a message', () => {
  it('for a shard of this node goes straight to its engine', () => {
    owned(a);
    const outcomes = submit(a, 1, signal());
    expect(a.engine.last.what).toMatchObject({ type: 'signal', requestId: 'r1' });
    a.engine.last.done(undefined, ACCEPTED);
    expect(outcomes).toEqual(accepted);
  });

  it('for a shard of another goes there, as it was, and the answer comes back', () => {
    owned(b);
    const outcomes = submit(a, 1, signal());
    world.time.advance(10);
    expect(b.engine.last.to).toEqual(to(1));
    expect(b.engine.last.what).toEqual({
      ...signal(),
      input: {
        payloads: [
          { metadata: { encoding: Buffer.from('binary/plain') }, data: new Uint8Array(Buffer.from('payload')) },
        ],
      },
    });
    b.engine.last.done(undefined, ACCEPTED);
    world.time.advance(10);
    expect(outcomes).toEqual(accepted);
  });

  it('of a start brings its answer back', () => {
    owned(b);
    const start: Message = {
      type: 'start',
      runId: 'run-1',
      requestId: 'r',
      identity: 'me',
      workflowType: 'T',
      taskQueue: 'q',
      reusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      conflictPolicy: WorkflowIdConflictPolicy.FAIL,
    };
    const outcomes = submit(a, 1, start);
    world.time.advance(10);
    expect(b.engine.last.what).toEqual(start);
    const response = { runId: 'run-1', started: true, status: WorkflowExecutionStatus.RUNNING };
    b.engine.last.done(undefined, { type: 'started', response });
    world.time.advance(10);
    expect(outcomes).toEqual([{ error: undefined, value: { type: 'started', response } }]);
  });

  it('that is rejected is rejected, with the detail, and not tried again', () => {
    owned(b);
    const outcomes = submit(a, 1, signal());
    world.time.advance(10);
    const status: Status = { code: StatusCode.NOT_FOUND, message: 'no such workflow', detail: { kind: 'NotFound' } };
    b.engine.last.done(status);
    world.time.advance(20_000);
    expect(outcomes).toEqual([{ error: status, value: undefined }]);
    expect(b.engine.asked.length).toBe(1);
  });

  it('goes to the owner in one hop after a redirect, and the next one goes there at once', () => {
    owned(c, 2);
    // What a knows is old: it asks b, which no longer owns the shard.
    a.view.setAll(at('b', 1));
    const outcomes = submit(a, 1, signal());
    world.time.advance(10);
    expect(b.engine.asked).toEqual([]);
    c.engine.last.done(undefined, ACCEPTED);
    world.time.advance(10);
    expect(outcomes).toEqual(accepted);
    submit(a, 1, signal('r2'));
    world.time.advance(3);
    expect(c.engine.asked.length).toBe(2);
  });

  it('is not passed on by who does not own it, however the views disagree', () => {
    // a believes b, b believes c, c believes a; nobody serves.
    a.view.setAll(at('b', 1));
    b.view.setAll(at('c', 2));
    c.view.setAll(at('a', 3));
    const outcomes = submit(a, 1, signal());
    world.time.advance(11_000);
    expect([a, b, c].map(({ engine }) => engine.asked.length)).toEqual([0, 0, 0]);
    expect(outcomes).toMatchObject([
      { error: { code: StatusCode.UNAVAILABLE, detail: { kind: 'Unavailable', applied: 'no' } } },
    ]);
  });

  it('waits while its shard moves, and goes on the moment it has an owner', () => {
    for (const node of world.nodes) node.view.setAll('moving');
    const outcomes = submit(a, 1, signal());
    world.time.advance(3_000);
    expect(outcomes).toEqual([]);
    a.view.set(1, 'local');
    a.engine.last.done(undefined, ACCEPTED);
    expect(outcomes).toEqual(accepted);
  });

  it('is held by the node that its shard is on its way to', () => {
    a.view.setAll(at('b', 2));
    b.view.setAll('moving');
    const outcomes = submit(a, 1, signal());
    world.time.advance(1_000);
    expect(b.engine.asked).toEqual([]);
    b.view.set(1, 'local');
    b.engine.last.done(undefined, ACCEPTED);
    world.time.advance(10);
    expect(outcomes).toEqual(accepted);
  });

  it('waits no longer than it may, and the refusal names the shard and what stood in the way', () => {
    a.view.setAll('unknown');
    const outcomes = submit(a, 5, signal());
    world.time.advance(9_900);
    expect(outcomes).toEqual([]);
    world.time.advance(500);
    expect(outcomes).toEqual([
      {
        error: unavailable('Shard 5, which holds workflow w5-x, was not served for 10000 ms: it has no owner', 'no'),
        value: undefined,
      },
    ]);
    expect(a.router.waiting).toBe(0);
  });

  it('beyond the number that may wait is refused at once', () => {
    const small = world.node('d', { parked: 2 });
    submit(small, 1, signal());
    submit(small, 2, signal());
    const outcomes = submit(small, 3, signal());
    expect(outcomes).toMatchObject([
      { error: { code: StatusCode.RESOURCE_EXHAUSTED, detail: { cause: 'MOVING_SHARDS' } } },
    ]);
  });

  it('is tried again after a refusal that says it was not applied, here and elsewhere', () => {
    for (const [node, engine] of [
      [b, b.engine],
      [a, b.engine],
    ] as const) {
      owned(b);
      engine.asked.length = 0;
      const outcomes = submit(node, 1, completion);
      world.time.advance(10);
      engine.last.done(no);
      world.time.advance(200);
      expect(engine.asked.length).toBe(2);
      engine.last.done(undefined, ACCEPTED);
      world.time.advance(10);
      expect(outcomes).toEqual(accepted);
    }
  });

  it('with a request id is tried again under it when nobody knows what became of it', () => {
    owned(b);
    const outcomes = submit(a, 1, signal('once'));
    world.time.advance(10);
    b.engine.last.done(maybe);
    world.time.advance(200);
    expect(b.engine.asked.map(({ what }) => what)).toMatchObject([{ requestId: 'once' }, { requestId: 'once' }]);
    b.engine.last.done(undefined, ACCEPTED);
    world.time.advance(10);
    expect(outcomes).toEqual(accepted);
  });

  it('without a request id is not tried again then, and the caller hears that it may have been applied', () => {
    owned(b);
    const outcomes = submit(a, 1, completion);
    world.time.advance(10);
    network().break('a', 'b');
    world.time.advance(5_000);
    expect(b.engine.asked.length).toBe(1);
    expect(outcomes).toMatchObject([{ error: { detail: { kind: 'Unavailable', applied: 'maybe' } } }]);
  });

  it('with a request id survives its link, and its owner', () => {
    owned(b);
    const outcomes = submit(a, 1, signal());
    world.time.advance(10);
    b.links.kill();
    network().crash('b');
    world.time.advance(1_000);
    expect(outcomes).toEqual([]);
    a.view.setAll(at('c', 2));
    c.view.setAll('local');
    world.time.advance(10);
    c.engine.last.done(undefined, ACCEPTED);
    world.time.advance(10);
    expect(outcomes).toEqual(accepted);
  });

  it('leaves an owner that has been replaced without waiting for it to answer', () => {
    owned(b);
    const [repeatable, single] = [submit(a, 1, signal()), submit(a, 1, completion)];
    world.time.advance(10);
    network().cut('b', 'a');
    a.view.setAll(at('c', 2));
    c.view.setAll('local');
    world.time.advance(10);
    expect(c.engine.asked.map(({ what }) => what)).toMatchObject([{ type: 'signal' }]);
    c.engine.last.done(undefined, ACCEPTED);
    world.time.advance(10);
    expect(repeatable).toEqual(accepted);
    expect(single).toEqual([]);
    world.time.advance(6_000);
    expect(single).toMatchObject([{ error: { detail: { applied: 'maybe' } } }]);
  });

  it('that its owner leaves unanswered is given back within 3 s, to be asked of another node; applied once', () => {
    owned(b);
    const outcomes = submit(a, 1, signal('once'));
    world.time.advance(10);
    network().cut('b', 'a');
    b.engine.last.done(undefined, ACCEPTED);
    world.time.advance(2_900);
    expect(outcomes).toEqual([]);
    world.time.advance(300);
    expect(outcomes).toEqual([
      {
        error: unavailable(
          'Node b, which has shard 1 and workflow w1-x, left this node without an answer for 3000 ms: ask another node.',
          'maybe',
        ),
        value: undefined,
      },
    ]);
    expect(b.engine.asked.length).toBe(1);
    const elsewhere = submit(c, 1, signal('once'));
    world.time.advance(10);
    expect(b.engine.last.what).toMatchObject({ requestId: 'once' });
    b.engine.last.done(undefined, ACCEPTED);
    world.time.advance(10);
    expect(elsewhere).toEqual(accepted);
  });

  it('for an owner that cannot be reached from here is given back within 3 s, as not applied', () => {
    owned(b);
    network().break('a', 'b');
    network().cut('a', 'b');
    world.time.advance(10);
    const outcomes = submit(a, 1, signal());
    world.time.advance(3_300);
    expect(outcomes).toMatchObject([
      { error: { message: expect.stringMatching(/^Node b, .* ask another node\.$/), detail: { applied: 'no' } } },
    ]);
  });

  it('waits on when another is said to own the shard meanwhile, or none', () => {
    owned(b);
    network().cut('b', 'a');
    const outcomes = submit(a, 1, signal());
    world.time.advance(2_000);
    a.view.setAll('moving');
    world.time.advance(3_000);
    expect(outcomes).toEqual([]);
    a.view.setAll(at('c', 2));
    c.view.setAll('local');
    world.time.advance(10);
    c.engine.last.done(undefined, ACCEPTED);
    world.time.advance(10);
    expect(outcomes).toEqual(accepted);
  });

  it('for a shard that moves does not wait at a node that is cut off from the others', () => {
    const alone = world.node('d');
    alone.view.setAll('moving');
    const outcomes = submit(alone, 1, signal());
    world.time.advance(1_000);
    expect(outcomes).toEqual([]);
    alone.cutOff = 'this node hears 0 of the 2 others';
    world.time.advance(300);
    expect(outcomes).toEqual([
      {
        error: unavailable(
          'Shard 1, which holds workflow w1-x, is not served by this node, and this node hears 0 of the 2 others: ask another node.',
          'no',
        ),
        value: undefined,
      },
    ]);
    expect(alone.router.waiting).toBe(0);
  });

  it('says "maybe" at the end if any attempt may have been applied, whatever the last one says', () => {
    owned(b);
    const outcomes = submit(a, 1, signal());
    world.time.advance(10);
    b.engine.last.done(maybe);
    for (let i = 0; i < 100; i += 1) {
      world.time.advance(110);
      const { asked } = b.engine;
      // "Overloaded" of a repeat is no answer to the first attempt either.
      const overloaded: Status = { code: StatusCode.RESOURCE_EXHAUSTED, message: 'overloaded' };
      if (asked.length > 1) b.engine.last.done(i % 2 === 0 ? no : overloaded);
    }
    expect(outcomes).toMatchObject([{ error: { code: StatusCode.UNAVAILABLE, detail: { applied: 'maybe' } } }]);
  });

  it('that no node but the owner may send does not travel', () => {
    owned(b);
    const outcomes = submit(a, 1, { type: 'timer' });
    expect(outcomes).toMatchObject([{ error: { code: StatusCode.UNAVAILABLE, detail: { applied: 'no' } } }]);
  });

  it('of a shape that makes no sense is refused by who gets it, and nothing is applied', () => {
    owned(b);
    const bodies = [
      Buffer.from('garbage'),
      encode([{ namespace: 'n' }]),
      encode([{ ...to(1), message: { type: 'signal', signalName: 7 } }]),
      encode([{ ...to(1), message: { type: 'timer' } }]),
      encode([{ ...to(1), message: { type: '__proto__' } }]),
      new Uint8Array(100_000).fill(0x91),
    ];
    const refusals: (Status | undefined)[] = [];
    for (const body of bodies) a.rpc.call('b', 'engine.submit', body, 1_000, (error) => refusals.push(error));
    world.time.advance(10);
    expect(refusals.map((status) => status?.code)).toEqual(bodies.map(() => StatusCode.INTERNAL));
    expect(refusals[2]?.message).toMatch(/of another shape than expected, nothing was applied: message\.\w+ must be/);
    expect(b.engine.asked).toEqual([]);
    expect(b.faults).toEqual([]);
  });
});

const network = (): RoutingWorld['network'] => world.network;

describe('a wait for events', () => {
  const poll = { fromEventId: 5, maximumBytes: 1_000, waitNewEvent: true, closeEventOnly: false };
  const page = { runId: 'run', events: [Uint8Array.of(1, 2, 3)], closed: false };

  it('lasts as long as its caller wants, over any link', () => {
    owned(b);
    const { outcomes, done } = asking();
    a.router.history(to(1), poll, done);
    world.time.advance(300_000);
    expect(outcomes).toEqual([]);
    b.engine.last.done(undefined, page);
    world.time.advance(10);
    expect(outcomes).toEqual([{ error: undefined, value: { ...page, events: [Buffer.from([1, 2, 3])] } }]);
  });

  it('follows its shard from node to node', () => {
    owned(b);
    const { outcomes, done } = asking();
    a.router.awaitResult(to(1), undefined, true, done);
    world.time.advance(60_000);
    const first = b.engine.last;
    // Away from b, whose word is the first anybody hears of it.
    b.view.setAll('moving');
    world.time.advance(50);
    expect(first.abandoned).toBe(true);
    owned(c, 2);
    world.time.advance(500);
    expect(c.engine.asked.map(({ method }) => method)).toEqual(['awaitResult']);
    // To a itself.
    const second = c.engine.last;
    owned(a, 3);
    world.time.advance(500);
    expect(second.abandoned).toBe(true);
    // And away again.
    const third = a.engine.last;
    expect(third.method).toBe('awaitResult');
    owned(b, 4);
    world.time.advance(500);
    expect(third.abandoned).toBe(true);
    const value = { runId: 'run', status: WorkflowExecutionStatus.COMPLETED, closeEvent: Uint8Array.of(9) };
    b.engine.last.done(undefined, value);
    world.time.advance(10);
    expect(outcomes).toEqual([{ error: undefined, value: { ...value, closeEvent: Uint8Array.of(9) } }]);
  });

  it('is given back when its owner cannot be reached any more from here', () => {
    owned(b);
    const { outcomes, done } = asking();
    a.router.history(to(1), poll, done);
    world.time.advance(60_000);
    network().cut('a', 'b');
    network().break('a', 'b');
    world.time.advance(2_900);
    expect(outcomes).toEqual([]);
    world.time.advance(500);
    expect(outcomes).toMatchObject([{ error: { message: expect.stringMatching(/ask another node/) } }]);
  });

  it('that is given up is given up where it waits', () => {
    owned(b);
    const { outcomes, done } = asking();
    const waiting = a.router.awaitResult(to(1), 'run', false, done);
    world.time.advance(10);
    waiting.abandon();
    world.time.advance(10);
    expect(b.engine.last.abandoned).toBe(true);
    b.engine.last.done(undefined, { runId: 'run', status: 2, closeEvent: new Uint8Array(0) });
    world.time.advance(10);
    expect(outcomes).toEqual([]);
    expect([a.rpc.openCalls, b.rpc.servedCalls]).toEqual([0, 0]);
  });

  it('is asked again under the same id when it is a query', () => {
    owned(b);
    const { outcomes, done } = asking();
    a.router.query(to(1), { type: 'query', queryId: 'q', target: {}, queryType: 'state' }, done);
    world.time.advance(10);
    network().break('a', 'b');
    world.time.advance(2_000);
    expect(b.engine.asked.map(({ what, abandoned }) => [what, abandoned])).toMatchObject([
      [{ queryId: 'q' }, true],
      [{ queryId: 'q' }, false],
    ]);
    b.engine.last.done(undefined, { queryResult: { payloads: [] } });
    world.time.advance(10);
    expect(outcomes).toEqual([{ error: undefined, value: { queryResult: { payloads: [] } } }]);
  });

  it('ends as well when its shard never arrives where it is said to be on its way to', () => {
    a.view.setAll(at('b', 2));
    b.view.setAll('moving');
    const { outcomes, done } = asking();
    a.router.awaitResult(to(1), undefined, true, done);
    world.time.advance(9_000);
    expect(outcomes).toEqual([]);
    world.time.advance(5_000);
    expect(outcomes).toMatchObject([{ error: { detail: { kind: 'Unavailable', applied: 'no' } } }]);
    expect([a.router.waiting, b.router.waiting]).toEqual([0, 0]);
  });

  it('ends when its shard stays away too long, and says so', () => {
    owned(b);
    const { outcomes, done } = asking();
    a.router.awaitResult(to(1), undefined, true, done);
    world.time.advance(60_000);
    for (const node of world.nodes) node.view.setAll('unknown');
    world.time.advance(9_000);
    expect(outcomes).toEqual([]);
    world.time.advance(5_000);
    expect(outcomes).toMatchObject([{ error: { detail: { kind: 'Unavailable', applied: 'no' } } }]);
  });
});

describe('other reads', () => {
  it('are forwarded and answered', () => {
    owned(b);
    const described = asking();
    a.router.describe(to(1), 'run', described.done);
    world.time.advance(10);
    expect(b.engine.last).toMatchObject({ method: 'describe', what: 'run' });
    const answer = {
      executionConfig: {},
      workflowExecutionInfo: { workflowId: 'w1-x' },
      pendingActivities: [],
      pendingTimers: [],
    };
    b.engine.last.done(undefined, answer);
    const history = asking();
    a.router.taskHistory(to(1), { runId: 'run', scheduledEventId: 2, fromEventId: 1, maximumBytes: 10 }, history.done);
    world.time.advance(10);
    b.engine.last.done(undefined, { events: [Uint8Array.of(1)], firstEventId: 1, nextEventId: undefined });
    const answered = asking();
    a.router.answerQuery(to(1), 'q', { answer: { payloads: [] } }, answered.done);
    world.time.advance(10);
    expect(b.engine.last.what).toEqual({ queryId: 'q', result: { answer: { payloads: [] } } });
    b.engine.last.done(undefined);
    world.time.advance(10);
    expect(described.outcomes).toEqual([{ error: undefined, value: answer }]);
    expect(history.outcomes).toEqual([
      { error: undefined, value: { events: [Buffer.from([1])], firstEventId: 1, nextEventId: undefined } },
    ]);
    expect(answered.outcomes).toEqual([{ error: undefined, value: undefined }]);
  });

  it('of a node that answers something else are refused, and nothing breaks', () => {
    a.view.setAll(at('z', 1));
    const other = world.node('z');
    other.view.setAll('local');
    a.links.connect('z', { host: 'z', port: 1 });
    world.time.advance(100);
    for (const value of [
      undefined,
      null,
      7,
      'text',
      {},
      { runId: 5, events: [], closed: true },
      { runId: 'r', events: ['x'], closed: true },
    ]) {
      const { outcomes, done } = asking();
      a.router.history(to(1), { fromEventId: 1, maximumBytes: 1, waitNewEvent: false, closeEventOnly: false }, done);
      world.time.advance(10);
      other.engine.last.done(undefined, value);
      world.time.advance(10);
      expect(outcomes).toMatchObject([
        {
          error: {
            code: StatusCode.INTERNAL,
            message: expect.stringMatching(/Node z answered history with something else/),
          },
        },
      ]);
    }
  });
});

describe('a list', () => {
  const info = (workflowId: string, startTime: number): object => ({
    workflowId,
    runId: `run-${workflowId}`,
    startTime,
  });
  const request = { namespace: 'n', query: '', pageSize: 10, nextPageToken: undefined };

  function spread(): void {
    for (let shard = 0; shard < 8; shard += 1) {
      const owner = world.nodes[shard % 3];
      for (const node of world.nodes) node.view.set(shard, node === owner ? 'local' : at(owner?.name ?? '', 1));
    }
  }

  it('asks each owner for its own shards, and puts the pages together by age', () => {
    spread();
    const { outcomes, done } = asking<{
      executions: { workflowId: string }[];
      nextPageToken?: Uint8Array | undefined;
    }>();
    a.router.list(request, done);
    world.time.advance(10);
    const shards = world.nodes.map(({ engine }) => [...(engine.last.what as { shards: Set<number> }).shards]);
    expect(shards).toEqual([
      [0, 3, 6],
      [1, 4, 7],
      [2, 5],
    ]);
    a.engine.last.done(undefined, { executions: [info('w0-a', 50), info('w3-a', 20)] });
    b.engine.last.done(undefined, { executions: [info('w1-a', 60), info('w4-a', 10)] });
    c.engine.last.done(undefined, { executions: [info('w2-a', 40)] });
    world.time.advance(10);
    expect(outcomes[0]?.value?.executions.map(({ workflowId }) => workflowId)).toEqual([
      'w1-a',
      'w0-a',
      'w2-a',
      'w3-a',
      'w4-a',
    ]);
    expect(outcomes[0]?.value?.nextPageToken).toBeUndefined();
  });

  it('waits for a shard without an owner, asks the others once, and names the shard if it stays away', () => {
    spread();
    for (const node of world.nodes) node.view.set(4, 'moving');
    const { outcomes, done } = asking();
    a.router.list(request, done);
    world.time.advance(10);
    for (const { engine } of world.nodes) engine.last.done(undefined, { executions: [] });
    world.time.advance(5_000);
    expect(world.nodes.map(({ engine }) => engine.asked.length)).toEqual([1, 1, 1]);
    expect(outcomes).toEqual([]);
    world.time.advance(6_000);
    expect(outcomes).toMatchObject([
      {
        error: {
          code: StatusCode.UNAVAILABLE,
          message: expect.stringMatching(/^Shard 4 could not be asked for a list within 10\d{3} ms: it has no owner$/),
        },
      },
    ]);
  });

  it('is given back when an owner leaves it unanswered, to be asked of another node', () => {
    owned(b);
    network().cut('b', 'a');
    const { outcomes, done } = asking();
    a.router.list({ namespace: 'n', query: '', pageSize: 10, nextPageToken: undefined }, done);
    world.time.advance(5_300);
    expect(outcomes).toMatchObject([
      {
        error: {
          code: StatusCode.UNAVAILABLE,
          message: expect.stringMatching(/^Shard 0 and 7 others .* Ask another node\.$/),
        },
      },
    ]);
  });

  it('leaves nothing out when a shard moves while it is asked for', () => {
    spread();
    const { outcomes, done } = asking<{ executions: { workflowId: string }[] }>();
    a.router.list(request, done);
    world.time.advance(10);
    // Shard 1 leaves b before b has answered: its part is asked for again.
    b.view.set(1, at('c', 2));
    c.view.set(1, 'local');
    a.view.set(1, at('c', 2));
    for (const { engine } of world.nodes) engine.last.done(undefined, { executions: [] });
    world.time.advance(100);
    expect(world.nodes.map(({ engine }) => engine.asked.length)).toEqual([1, 2, 2]);
    expect([...(c.engine.last.what as { shards: Set<number> }).shards]).toEqual([1]);
    c.engine.last.done(undefined, { executions: [info('w1-a', 5)] });
    b.engine.last.done(undefined, { executions: [] });
    world.time.advance(100);
    expect(outcomes[0]?.value?.executions.map(({ workflowId }) => workflowId)).toEqual(['w1-a']);
  });

  it('leaves nothing out when a shard leaves this very node while it looks', () => {
    spread();
    const { outcomes, done } = asking<{ executions: { workflowId: string }[] }>();
    a.router.list(request, done);
    world.time.advance(10);
    for (const node of world.nodes) node.view.set(0, node === b ? 'local' : at('b', 2));
    for (const { engine } of world.nodes) engine.last.done(undefined, { executions: [] });
    world.time.advance(100);
    expect(world.nodes.map(({ engine }) => engine.asked.length)).toEqual([2, 2, 1]);
    a.engine.last.done(undefined, { executions: [info('w3-a', 6)] });
    b.engine.last.done(undefined, { executions: [info('w0-a', 5)] });
    world.time.advance(100);
    expect(outcomes[0]?.value?.executions.map(({ workflowId }) => workflowId)).toEqual(['w3-a', 'w0-a']);
  });

  it('hands a refusal of the query on', () => {
    spread();
    const { outcomes, done } = asking();
    a.router.list({ ...request, query: 'nonsense' }, done);
    world.time.advance(10);
    const status: Status = { code: StatusCode.INVALID_ARGUMENT, message: 'invalid query' };
    for (const { engine } of world.nodes) engine.last.done(status);
    world.time.advance(10);
    expect(outcomes).toEqual([{ error: status, value: undefined }]);
  });

  it('that is too large for a link is cut, and goes on from its token', () => {
    const [d, e] = [world.node('d'), world.node('e', { pageBytes: 2_000 })];
    d.view.setAll(at('e', 1));
    e.view.setAll('local');
    d.links.connect('e', { host: 'e', port: 1 });
    world.time.advance(100);
    const { outcomes, done } = asking<{
      executions: { workflowId: string }[];
      nextPageToken?: Uint8Array | undefined;
    }>();
    d.router.list(request, done);
    world.time.advance(10);
    const executions = Array.from({ length: 8 }, (_, i) => ({ ...info(`w${i}-a`, 100 - i), memo: 'm'.repeat(500) }));
    e.engine.last.done(undefined, { executions });
    world.time.advance(10);
    expect(outcomes[0]?.value?.executions.map(({ workflowId }) => workflowId)).toEqual(['w0-a', 'w1-a']);
    expect(outcomes[0]?.value?.nextPageToken?.length).toBeGreaterThan(0);
  });

  it('counts the same way', () => {
    spread();
    const { outcomes, done } = asking();
    a.router.count({ namespace: 'n', query: 'GROUP BY ExecutionStatus' }, done);
    world.time.advance(10);
    a.engine.last.done(undefined, { count: 3, groups: [{ groupValues: ['Running'], count: 3 }] });
    b.engine.last.done(undefined, {
      count: 2,
      groups: [
        { groupValues: ['Running'], count: 1 },
        { groupValues: ['Failed'], count: 1 },
      ],
    });
    c.engine.last.done(undefined, { count: 0, groups: [] });
    world.time.advance(10);
    expect(outcomes).toEqual([
      {
        error: undefined,
        value: {
          count: 5,
          groups: [
            { groupValues: ['Running'], count: 4 },
            { groupValues: ['Failed'], count: 1 },
          ],
        },
      },
    ]);
  });
});

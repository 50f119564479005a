import { describe, expect, it } from 'vitest';
import { TestDoor } from '../../../test/support/door.ts';
import { decodeToken, encodeToken } from '../../core/workflow/token.ts';
import type { BacklogSource } from '../../ports/matching.ts';
import { encode } from '../../wire/codec.ts';
import { FrameKind } from '../../wire/frame.ts';
import { StatusCode } from '../../wire/status.ts';
import type { WorkflowTask } from '../../wire/workflow-task.ts';
import { Namespaces } from '../namespaces.ts';
import { helloOf } from './hello.ts';

const START = {
  namespace: 'default',
  workflowId: 'w',
  workflowType: 'T',
  taskQueue: 'q',
  identity: 'me',
  requestId: 'r1',
};
const STARTED = { type: 'started', response: { runId: 'run-1', started: true, status: 1 } };

const guarded = (name: string, ...tokens: string[]) => ({ name, retention: 72 * 3_600_000, tokens });

describe('the handshake', () => {
  it('answers hello with welcome: version, node and the capabilities both sides know', () => {
    const client = new TestDoor().open();
    client.hello({ capabilities: ['ahead', 'telepathy'] });
    expect(client.take()).toEqual([
      [
        FrameKind.WELCOME,
        {
          protocol: 1,
          server: 'tenuto/0.0.0',
          nodeId: 'node',
          capabilities: ['ahead'],
          idleMs: 15_000,
          maxMessageBytes: 4 * 1024 * 1024,
        },
      ],
    ]);
  });

  it.each([
    ['versions that do not meet', { protocol: [2, 3] }, StatusCode.FAILED_PRECONDITION],
    ['a range the wrong way round', { protocol: [3, 1] }, StatusCode.INVALID_ARGUMENT],
    ['a range that is none', { protocol: 'one' }, StatusCode.INVALID_ARGUMENT],
    ['a token that is none', { token: 7 }, StatusCode.INVALID_ARGUMENT],
  ])('refuses %s with an error for request 0 and a close', (_what, over, code) => {
    const client = new TestDoor().open();
    client.hello(over);
    expect(client.take()).toMatchObject([[FrameKind.ERROR, 0, { code }]]);
    expect(client.closed?.code).toBe(1008);
  });

  const open = new Namespaces([{ name: 'default', retention: 1, tokens: [] }]);
  const hello = (protocol: readonly number[]): unknown => [FrameKind.HELLO, { protocol, client: 'c', identity: 'i' }];

  it.each([
    ['of the same version', [1, 1], { min: 1, max: 1 }, 1],
    ['a version older', [1, 2], { min: 2, max: 3 }, 2],
    ['a version newer', [2, 3], { min: 1, max: 2 }, 2],
  ])('takes a client %s, in the newest that both speak', (_, client, ours, protocol) => {
    expect(helloOf(hello(client), open, ours)).toMatchObject({ protocol });
  });

  it.each([
    [
      'two versions older',
      [1, 1],
      { min: 2, max: 3 },
      /speaks protocol 2 to 3, the client 1: .* Upgrade the client first/,
    ],
    [
      'two versions newer',
      [3, 4],
      { min: 1, max: 2 },
      /speaks protocol 1 to 2, the client 3 to 4: .* Upgrade the server first/,
    ],
  ])('refuses a client %s, and says which side to upgrade', (_, client, ours, message) => {
    expect(helloOf(hello(client), open, ours)).toMatchObject({
      refusal: {
        code: StatusCode.FAILED_PRECONDITION,
        message: expect.stringMatching(message),
        detail: { kind: 'IncompatibleVersion', supported: [ours.min, ours.max] },
      },
    });
  });

  it('refuses a first frame that is no hello', () => {
    const client = new TestDoor().open();
    client.frames([FrameKind.REQUEST, 1, 'getServerInfo', 0, {}]);
    expect(client.closed).toEqual({ code: 1008, reason: 'The first frame of a connection must be hello.' });
  });

  it('refuses a second hello', () => {
    const client = new TestDoor().connect();
    client.hello();
    expect(client.closed?.code).toBe(1002);
  });

  it('does not wait for a hello for ever', () => {
    const door = new TestDoor();
    const client = door.open();
    door.time.advance(10_100);
    expect(client.closed).toEqual({ code: 1008, reason: 'no hello in time' });
    expect(door.door.connections.size).toBe(0);
  });
});

describe('tokens', () => {
  const namespaces = [guarded('a', 'token-of-a'), guarded('b', 'token-of-b'), guarded('open')];

  it('open their own namespaces and those that ask for none', () => {
    const client = new TestDoor({ namespaces }).connect({ token: 'token-of-a' });
    expect(client.refusal('describeNamespace', { namespace: 'a' })).toBeUndefined();
    expect(client.refusal('describeNamespace', { namespace: 'open' })).toBeUndefined();
    expect(client.refusal('describeNamespace', { namespace: 'b' })).toMatchObject({
      code: StatusCode.PERMISSION_DENIED,
      detail: { kind: 'PermissionDenied' },
    });
    expect(client.ask('getServerInfo', {})?.[2]).toMatchObject({ namespaces: ['a', 'open'] });
  });

  it('guard task tokens too', () => {
    const client = new TestDoor({ namespaces }).connect({ token: 'token-of-a' });
    const token = encodeToken({
      kind: 'workflow',
      namespace: 'b',
      workflowId: 'w',
      runId: 'r',
      scheduledEventId: 2,
      attempt: 1,
      startId: { term: 1, seq: 1 },
    });
    expect(client.refusal('respondWorkflowTaskCompleted', { token, commands: [] })?.code).toBe(
      StatusCode.PERMISSION_DENIED,
    );
  });

  it.each([
    ['a wrong one', { token: 'token-of-c' }, namespaces],
    ['none, where every namespace asks for one', {}, [guarded('a', 'token-of-a')]],
  ])('refuse %s', (_what, over, settings) => {
    const client = new TestDoor({ namespaces: settings }).open();
    client.hello(over);
    expect(client.take()).toMatchObject([[FrameKind.ERROR, 0, { code: StatusCode.UNAUTHENTICATED }]]);
    expect(client.closed?.code).toBe(1008);
  });
});

describe('a request', () => {
  it('reaches the engine and is answered under its id', () => {
    const door = new TestDoor();
    const client = door.connect();
    const id = client.request('startWorkflowExecution', START);
    expect(door.engine.last).toMatchObject({
      method: 'submit',
      to: { namespace: 'default', workflowId: 'w' },
      what: { type: 'start', requestId: 'r1', workflowType: 'T', reusePolicy: 1, conflictPolicy: 1 },
    });
    expect(client.take()).toEqual([]);
    door.engine.last.done(undefined, STARTED);
    door.time.settle();
    expect(client.take()).toEqual([[FrameKind.RESPONSE, id, STARTED.response]]);
  });

  it('that the engine refuses is answered with the status', () => {
    const door = new TestDoor();
    const client = door.connect();
    const id = client.request('startWorkflowExecution', START);
    const status = {
      code: StatusCode.ALREADY_EXISTS,
      message: 'already started',
      detail: { kind: 'WorkflowExecutionAlreadyStarted', runId: 'r' },
    } as const;
    door.engine.last.done(status);
    door.time.settle();
    expect(client.take()).toEqual([[FrameKind.ERROR, id, status]]);
  });

  it('to an unknown method is UNIMPLEMENTED, also for names that objects have', () => {
    const client = new TestDoor().connect();
    for (const name of ['makeCoffee', 'constructor', '__proto__']) {
      expect(client.refusal(name, {})?.code).toBe(StatusCode.UNIMPLEMENTED);
    }
  });

  it('to an unknown namespace is NOT_FOUND and names it', () => {
    const client = new TestDoor().connect();
    expect(client.refusal('startWorkflowExecution', { ...START, namespace: 'nowhere' })).toEqual({
      code: StatusCode.NOT_FOUND,
      message: 'Namespace nowhere is not found.',
      detail: { kind: 'NamespaceNotFound', namespace: 'nowhere' },
    });
  });

  it('without an id is done and not answered', () => {
    const door = new TestDoor();
    door.engine.answers.signal = { type: 'accepted' };
    const client = door.connect();
    const body = { namespace: 'default', workflowId: 'w', signalName: 's', identity: '', requestId: '' };
    client.frames([FrameKind.REQUEST, 0, 'signalWorkflowExecution', 0, body]);
    expect(door.engine.asked).toHaveLength(1);
    expect(client.take()).toEqual([]);
  });

  it('with an id that is still open ends the connection', () => {
    const client = new TestDoor().connect();
    client.frames([2, 5, 'startWorkflowExecution', 0, START], [2, 5, 'startWorkflowExecution', 0, START]);
    expect(client.closed?.code).toBe(1002);
  });

  it('past its deadline is answered DEADLINE_EXCEEDED, once', () => {
    const door = new TestDoor();
    const client = door.connect();
    const id = client.request('startWorkflowExecution', START, 500);
    door.time.advance(450);
    expect(client.take()).toEqual([]);
    door.time.advance(150);
    expect(client.take()).toMatchObject([[FrameKind.ERROR, id, { code: StatusCode.DEADLINE_EXCEEDED }]]);
    door.engine.last.done(undefined, STARTED);
    door.time.advance(1_000);
    expect(client.take()).toEqual([]);
  });

  it('that is cancelled is given up in the engine and not answered', () => {
    const door = new TestDoor();
    const client = door.connect();
    const id = client.request('awaitWorkflowResult', { namespace: 'default', workflowId: 'w', followRuns: true });
    const waiting = door.engine.last;
    client.frames([FrameKind.CANCEL, id]);
    expect(waiting.abandoned).toBe(true);
    waiting.done(undefined, { runId: 'r' });
    door.time.settle();
    expect(client.take()).toEqual([]);
    expect(client.connection.openCalls).toBe(0);
  });

  it('is not begun for a request that wants no answer: nobody could end it', () => {
    const door = new TestDoor({ limits: { openCalls: 10 } });
    const client = door.connect();
    const body = { namespace: 'default', workflowId: 'w', followRuns: true };
    for (let i = 0; i < 10; i += 1) client.frames([FrameKind.REQUEST, 0, 'awaitWorkflowResult', 0, body]);
    expect(door.engine.asked.every(({ abandoned }) => abandoned)).toBe(true);
    // It holds no room of the node either.
    client.request('awaitWorkflowResult', body);
    expect(client.take()).toEqual([]);
  });

  it('for a result waits without a limit of its own', () => {
    const door = new TestDoor();
    const client = door.connect();
    client.request('awaitWorkflowResult', { namespace: 'default', workflowId: 'w', followRuns: true });
    for (let i = 0; i < 20; i += 1) {
      client.connection.alive();
      door.time.advance(10_000);
    }
    expect(client.closed).toBeUndefined();
    expect(client.take()).toEqual([]);
  });

  it('that waits for history is answered with what there is when its time is over', () => {
    const door = new TestDoor();
    const client = door.connect();
    const body = { namespace: 'default', workflowId: 'w', fromEventId: 9, waitNewEvent: true };
    const id = client.request('getWorkflowExecutionHistory', body, 1_000);
    const waiting = door.engine.last;
    door.time.advance(1_100);
    expect(waiting.abandoned).toBe(true);
    expect(door.engine.last.what).toMatchObject({ fromEventId: 9, waitNewEvent: false });
    door.engine.last.done(undefined, { runId: 'r', events: [], nextEventId: 9, closed: false });
    door.time.settle();
    expect(client.take()).toMatchObject([[FrameKind.RESPONSE, id, { nextEventId: 9 }]]);
  });

  it('of a dropped connection is given up', () => {
    const door = new TestDoor();
    const client = door.connect();
    client.request('awaitWorkflowResult', { namespace: 'default', workflowId: 'w', followRuns: true });
    client.drop();
    expect(door.engine.last.abandoned).toBe(true);
    door.engine.last.done(undefined, { runId: 'r' });
  });

  it('that trips over a fault of ours is answered INTERNAL, and the fault is told', () => {
    const door = new TestDoor();
    door.engine.describe = () => {
      throw new Error('bug');
    };
    const client = door.connect();
    expect(client.refusal('describeWorkflowExecution', { namespace: 'default', workflowId: 'w' })?.code).toBe(
      StatusCode.INTERNAL,
    );
    expect(door.faults).toHaveLength(1);
  });
});

describe('bounds', () => {
  it('refuse one open request too many with RESOURCE_EXHAUSTED', () => {
    const client = new TestDoor({ limits: { openCallsPerConnection: 2 } }).connect();
    client.request('startWorkflowExecution', START);
    client.request('startWorkflowExecution', START);
    expect(client.refusal('startWorkflowExecution', START)?.code).toBe(StatusCode.RESOURCE_EXHAUSTED);
  });

  it('refuse clients before workers when the node is full', () => {
    const client = new TestDoor({ limits: { openCalls: 10 } }).connect();
    for (let i = 0; i < 8; i += 1) client.request('startWorkflowExecution', START);
    expect(client.refusal('startWorkflowExecution', START)?.code).toBe(StatusCode.RESOURCE_EXHAUSTED);
    const worker = { workerId: 'w', namespace: 'default', taskQueue: 'q', identity: '' };
    expect(client.ask('registerWorker', worker)?.[0]).toBe(FrameKind.RESPONSE);
  });

  it('refuse what has sent too much while others wait with theirs, until those have ended', () => {
    const client = new TestDoor({ limits: { openCallBytes: 10_000 } }).connect();
    const body = { namespace: 'default', workflowId: 'w', followRuns: true, unknown: 'x'.repeat(3_500) };
    client.request('awaitWorkflowResult', body);
    const second = client.request('awaitWorkflowResult', body);
    expect(client.refusal('awaitWorkflowResult', body)?.code).toBe(StatusCode.RESOURCE_EXHAUSTED);
    client.frames([FrameKind.CANCEL, second]);
    client.take();
    client.request('awaitWorkflowResult', body);
    expect(client.take()).toEqual([]);
    expect(client.refusal('awaitWorkflowResult', body)?.code).toBe(StatusCode.RESOURCE_EXHAUSTED);
  });

  it('count with what they take once they are decoded', () => {
    const client = new TestDoor({ limits: { openCallBytes: 1_000_000 } }).connect();
    const body = { namespace: 'default', workflowId: 'w', followRuns: true };
    client.request('awaitWorkflowResult', body);
    // Twelve thousand bytes.
    const many = { ...body, unknown: Array.from({ length: 12_000 }, () => ({})) };
    expect(client.refusal('awaitWorkflowResult', many)?.code).toBe(StatusCode.RESOURCE_EXHAUSTED);
    client.request('awaitWorkflowResult', { ...body, unknown: 'x'.repeat(10_000) });
    expect(client.take()).toEqual([]);
  });

  it('of workers that hold what can be no token are refused', () => {
    const client = new TestDoor().connect();
    const worker = { workerId: 'w', namespace: 'default', taskQueue: 'q', identity: '' };
    const refusal = client.refusal('registerWorker', { ...worker, heldTokens: [new Uint8Array(5_000)] });
    expect(refusal?.message).toContain('A held token has at most');
  });

  it('that make it take no task are told to matching when they are read, even those no frame took over the bound', () => {
    const door = new TestDoor({ limits: { outgoingPauseBytes: 10_000 } });
    const client = door.connect();
    const worker = { workerId: 'wk', namespace: 'default', taskQueue: 'q', identity: '', activityCredit: 5 };
    client.ask('registerWorker', worker);
    const pulls: number[] = [];
    const source: BacklogSource = {
      backlog: ({ kind }) => ({ count: kind === 'activity' ? 1 : 0, oldest: undefined }),
      pull: (_queue, claims) => pulls.push(claims.length),
      waitingQueries: () => 0,
      pullQueries: () => undefined,
      resume: () => undefined,
    };
    // What the socket adds to each message counts as well.
    client.bufferedAmount = 10_000;
    door.matcher.backlogChanged(source, { namespace: 'default', name: 'q', kind: 'activity' });
    door.time.settle();
    expect(pulls).toEqual([]);
    client.drain();
    expect(pulls).toEqual([1]);
    expect(client.paused).toBe(false);
  });

  it('pause a peer that does not read, take no tasks for it, and go on when it has read', () => {
    const door = new TestDoor({ limits: { outgoingPauseBytes: 10_000 } });
    const client = door.connect();
    client.ask('registerWorker', {
      workerId: 'wk',
      namespace: 'default',
      taskQueue: 'q',
      identity: '',
      activityCredit: 5,
    });
    client.deaf = true;
    door.engine.answers.list = { executions: [], nextPageToken: new Uint8Array(20_000) };
    client.request('listWorkflowExecutions', { namespace: 'default' });
    expect(client.paused).toBe(true);
    const offer = {
      kind: 'activity',
      namespace: 'default',
      workflowId: 'w',
      runId: 'r',
      taskQueue: 'q',
      scheduledEventId: 5,
      attempt: 1,
      scheduledTime: 0,
      priority: 3,
      fairnessKey: '',
      fairnessWeight: 1,
    } as const;
    expect(door.matcher.claim(offer)).toBeUndefined();
    client.drain();
    expect(client.paused).toBe(false);
    expect(door.matcher.claim(offer)).toBeDefined();
  });

  it('close a peer that reads nothing for too long', () => {
    const door = new TestDoor({ limits: { outgoingPauseBytes: 10_000, slowReaderMs: 5_000 } });
    const client = door.connect();
    client.deaf = true;
    door.engine.answers.list = { executions: [], nextPageToken: new Uint8Array(20_000) };
    client.request('listWorkflowExecutions', { namespace: 'default' });
    door.time.advance(5_200);
    expect(client.closed?.code).toBe(1013);
  });

  it('close a peer whose answers pile up past the bound', () => {
    const door = new TestDoor({ limits: { outgoingPauseBytes: 10_000, outgoingCloseBytes: 100_000 } });
    const client = door.connect();
    client.deaf = true;
    for (let i = 0; i < 20; i += 1) client.request('listWorkflowExecutions', { namespace: 'default' });
    for (const asked of door.engine.asked) {
      asked.done(undefined, { executions: [], nextPageToken: new Uint8Array(20_000) });
    }
    door.time.settle();
    expect(client.closed?.code).toBe(1013);
    expect(client.bufferedAmount).toBeLessThan(150_000);
  });

  it('ping a silent peer, and close it when it stays silent', () => {
    const door = new TestDoor();
    const client = door.connect();
    door.time.advance(15_100);
    expect(client.pings).toBe(1);
    client.connection.alive();
    door.time.advance(15_100);
    expect(client.pings).toBe(2);
    door.time.advance(15_100);
    expect(client.closed?.code).toBe(1001);
  });
});

describe('a worker', () => {
  const REGISTER = {
    workerId: 'wk',
    namespace: 'default',
    taskQueue: 'q',
    identity: 'worker-1',
    stickyQueue: 'sticky',
    workflowCredit: 2,
    activityCredit: 0,
    heldTokens: [],
  };
  const offer = {
    kind: 'workflow',
    namespace: 'default',
    workflowId: 'w',
    runId: 'run',
    taskQueue: 'q',
    scheduledEventId: 2,
    attempt: 1,
    scheduledTime: 0,
    priority: 3,
    fairnessKey: '',
    fairnessWeight: 1,
  } as const;
  const started = {
    type: 'workflowTaskStarted',
    task: {
      runId: 'run',
      workflowType: 'T',
      attempt: 1,
      previousStartedEventId: 0,
      startedEventId: 3,
      scheduledTime: 1,
      startedTime: 2,
      firstEventId: 1,
    },
    ref: { runId: 'run', scheduledEventId: 2, attempt: 1, startId: { term: 1, seq: 7 } },
    lastEventId: 3,
    transientEvents: [],
  } as const;

  function push(door: TestDoor, ahead: boolean): boolean {
    const claim = door.matcher.claim(offer);
    const history = [encode([{ eventId: 1 }])];
    const task = {
      kind: 'workflow',
      namespace: 'default',
      workflowId: 'w',
      started: { ...started, transientEvents: [] },
    };
    const delivered = claim?.deliver({ ...task, kind: 'workflow', history, nextEventId: undefined, ahead }) === true;
    door.time.settle();
    return delivered;
  }

  it('is pushed tasks with a token, and answering one gives its credit back before the turn', () => {
    const door = new TestDoor();
    const client = door.connect();
    expect(client.ask('registerWorker', REGISTER)).toEqual([FrameKind.RESPONSE, 1, {}]);
    expect(push(door, false)).toBe(true);
    const [frame] = client.take();
    expect(frame?.slice(0, 2)).toEqual([FrameKind.PUSH, 'workflowTask']);
    // Pushed as a workflow task just above.
    const task = frame?.[2] as WorkflowTask;
    expect(task).toMatchObject({ workerId: 'wk', namespace: 'default', workflowId: 'w', startedEventId: 3 });
    expect(task.ahead).toBeUndefined();
    expect(decodeToken(task.token)).toMatchObject({ kind: 'workflow', startId: { term: 1, seq: 7 } });
    expect(door.matcher.credit('workflow')).toBe(1);
    let creditInTurn = 0;
    door.engine.submit = () => {
      creditInTurn = door.matcher.credit('workflow');
    };
    client.request('respondWorkflowTaskCompleted', {
      token: task.token,
      identity: '',
      commands: [],
      sticky: true,
      credit: 1,
    });
    expect(creditInTurn).toBe(2);
  });

  it('has its credit back also when the answer is refused', () => {
    const door = new TestDoor();
    const client = door.connect();
    client.ask('registerWorker', REGISTER);
    push(door, false);
    const [frame] = client.take();
    // Pushed as a workflow task just above.
    const task = frame?.[2] as WorkflowTask;
    const commands = [{ commandType: 999, attributes: {} }];
    expect(client.refusal('respondWorkflowTaskCompleted', { token: task.token, commands, credit: 1 })?.code).toBe(3);
    expect(door.matcher.credit('workflow')).toBe(2);
  });

  it('that asked for it is pushed tasks ahead, and told in one push per tick which are durable', () => {
    const door = new TestDoor();
    const client = door.connect({ capabilities: ['ahead'] });
    client.ask('registerWorker', REGISTER);
    const claim = door.matcher.claim(offer);
    expect(claim?.ahead).toBe(true);
    claim?.durable(new Uint8Array([1]));
    claim?.durable(new Uint8Array([2]));
    door.time.settle();
    expect(client.take()).toEqual([
      [FrameKind.PUSH, 'durable', { workerId: 'wk', tokens: [Buffer.from([1]), Buffer.from([2])] }],
    ]);
  });

  it('that comes back is told what became of the tasks it holds, if it asked for tasks ahead', () => {
    for (const capabilities of [['ahead'], []]) {
      const door = new TestDoor();
      door.matcher.attach({
        backlog: () => ({ count: 0, oldest: undefined }),
        pull: () => undefined,
        waitingQueries: () => 0,
        pullQueries: () => undefined,
        resume: ({ held, durable, over }) => {
          const [first = '', second = ''] = held;
          durable(Buffer.from(first, 'latin1'));
          over([Buffer.from(second, 'latin1')]);
        },
      });
      const client = door.connect({ capabilities });
      client.request('registerWorker', { ...REGISTER, heldTokens: [Uint8Array.of(1), Uint8Array.of(2)] });
      const pushes = client.take().filter(([kind]) => kind === FrameKind.PUSH);
      const told = [
        [FrameKind.PUSH, 'durable', { workerId: 'wk', tokens: [], over: [Uint8Array.of(2)] }],
        [FrameKind.PUSH, 'durable', { workerId: 'wk', tokens: [Uint8Array.of(1)] }],
      ];
      expect(pushes).toEqual(capabilities.length > 0 ? told : []);
    }
  });

  it('that vanishes is lost the queries it owes, which the engine asks again', () => {
    const door = new TestDoor();
    const client = door.connect();
    client.ask('registerWorker', REGISTER);
    door.matcher.claimQuery('default', 'q', undefined)?.deliver({
      kind: 'query',
      namespace: 'default',
      workflowId: 'w',
      runId: 'run',
      workflowType: 'T',
      queryId: 'query-1',
      query: { queryType: 'state' },
      history: [],
      firstEventId: 1,
      nextEventId: undefined,
      previousStartedEventId: 3,
      startedEventId: 0,
    });
    client.drop();
    expect(door.engine.last).toMatchObject({ method: 'submit', what: { type: 'queryLost', queryId: 'query-1' } });
    expect(door.matcher.workers).toBe(0);
  });

  it('answers a query by its token', () => {
    const door = new TestDoor();
    door.engine.answers.answerQuery = {};
    const client = door.connect();
    client.ask('registerWorker', REGISTER);
    const token = encodeToken({
      kind: 'query',
      namespace: 'default',
      workflowId: 'w',
      runId: 'run',
      queryId: 'query-1',
      scheduledEventId: 0,
      attempt: 1,
      startId: { term: 0, seq: 0 },
    });
    client.ask('respondQueryTaskCompleted', { token, result: { answer: { payloads: [] } }, credit: 1 });
    expect(door.engine.last).toMatchObject({ method: 'answerQuery', what: { queryId: 'query-1' } });
    expect(door.matcher.credit('workflow')).toBe(3);
  });

  it('must be registered on this connection to grant', () => {
    const door = new TestDoor();
    door.connect().ask('registerWorker', REGISTER);
    const status = door.connect().refusal('grantCredit', { workerId: 'wk', workflow: 5 });
    expect(status?.code).toBe(StatusCode.FAILED_PRECONDITION);
    expect(door.matcher.credit('workflow')).toBe(2);
  });

  it('that registers from a new connection is served there', () => {
    const door = new TestDoor();
    const before = door.connect();
    before.ask('registerWorker', REGISTER);
    const now = door.connect();
    now.ask('registerWorker', REGISTER);
    before.drop();
    expect(push(door, false)).toBe(true);
    expect(now.take()).toHaveLength(1);
  });

  it('keeps its held tokens apart by namespace: the same id elsewhere is another session', () => {
    const namespaces = [guarded('default'), guarded('other')];
    const door = new TestDoor({ namespaces });
    door.connect().ask('registerWorker', REGISTER);
    door.connect().ask('registerWorker', { ...REGISTER, namespace: 'other' });
    expect(door.matcher.workers).toBe(2);
  });
});

describe('going away', () => {
  it('says so, takes no worker, answers what is open, and closes', async () => {
    const door = new TestDoor();
    const client = door.connect();
    const id = client.request('startWorkflowExecution', START);
    const drained = door.door.drain(5_000, 'the node is shutting down');
    door.time.settle();
    expect(client.take()).toEqual([[FrameKind.GOAWAY, 'the node is shutting down']]);
    const worker = { workerId: 'w', namespace: 'default', taskQueue: 'q', identity: '' };
    expect(client.refusal('registerWorker', worker)).toMatchObject({
      code: StatusCode.UNAVAILABLE,
      detail: { kind: 'Unavailable', applied: 'no' },
    });
    door.engine.last.done(undefined, STARTED);
    door.time.settle();
    expect(client.take()).toEqual([[FrameKind.RESPONSE, id, STARTED.response]]);
    door.time.advance(20);
    await drained;
    expect(client.closed).toEqual({ code: 1001, reason: 'the node is shutting down' });
  });
});

// Shards that move between two nodes while clients, workers and timers go on. The log both keep is modelled here: an append is committed at one
// instant, or fenced when its leadership ended before; the leader hears of it a little later, perhaps when it leads no more.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../core/workflow/message.ts';
import type { Reply } from '../core/workflow/outcome.ts';
import { payloads } from '../core/workflow/testing.ts';
import type { CommitLog } from '../ports/commit-log.ts';
import type { AttributesChange } from '../ports/engine.ts';
import { type Key, key, lsn, shardId, term } from '../ports/ids.ts';
import type { ShardMessage } from '../ports/led-shards.ts';
import type { Delivery } from '../ports/matching.ts';
import type { AppendResult, LogAppend, Store } from '../ports/store.ts';
import { openMemoryStore } from '../store/index.ts';
import { EventType, IndexedValueType, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '../wire/enums.ts';
import type { HistoryEvent } from '../wire/event.ts';
import { ShardEngine } from './engine.ts';
import { shardOf } from './keys.ts';
import { applied } from './outbox.ts';
import {
  command,
  eventsOf,
  NAMESPACE,
  QUEUE,
  SeededRandom,
  TestMatching,
  TestWorker,
  testLog,
  VirtualTime,
} from './testing.ts';

const SHARDS = 3;
const PLENTY = 1_000;
/** Longer than a life, shorter than the moves after it. */
const RETENTION_MS = 150_000;

class Node {
  readonly store: Store = openMemoryStore({ shardCount: SHARDS });
  readonly matching = new TestMatching();
  readonly worker: TestWorker;
  readonly engine: ShardEngine;

  constructor(cluster: Cluster, name: string) {
    this.worker = new TestWorker({
      ...{ workflow: PLENTY, activity: PLENTY },
      session: name,
      stickyQueue: `warm-${name}`,
      ahead: name === 'a',
    });
    this.engine = new ShardEngine({
      store: this.store,
      clock: cluster.time,
      scheduler: cluster.time,
      random: cluster.random,
      matching: this.matching,
      namespaces: new Map([[NAMESPACE, { id: 'id-of-default', retention: RETENTION_MS }]]),
      // Small, so that most of a backlog is on disk.
      bounds: { backlogWindow: 2 },
      commitLog: testLog(this.store, cluster.appends, (entries) => cluster.append(this, entries)),
      relay: (item, done) => void cluster.relay(item, done),
      // What the test gives a wrong turn of must not hide behind a retry.
      onFatal: (error) => cluster.faults.push(error),
    });
    this.matching.source = this.engine;
    this.matching.workers.push(this.worker);
    this.worker.onTask = (task) => cluster.work(this.worker, task);
  }

  /** How much its worker takes from now on; without any, tasks become backlog. */
  credit(n: number): void {
    for (const kind of ['workflow', 'activity'] as const) {
      this.worker.credit[kind] = n;
      this.matching.grant(this.worker, kind, 0);
    }
    const queue = { namespace: NAMESPACE, name: QUEUE, kind: 'workflow' as const };
    this.engine.pullQueries(queue, () => this.matching.claimQuery(NAMESPACE, QUEUE, undefined));
  }
}

class Cluster {
  readonly appends: CommitLog['appends'];
  readonly time = new VirtualTime();
  readonly random = new SeededRandom();
  readonly faults: unknown[] = [];
  /** What a majority has, per shard: the truth. */
  readonly log: LogAppend[][] = Array.from({ length: SHARDS }, () => []);
  readonly nodes: readonly [Node, Node];
  readonly #leader: Node[];
  readonly #terms: number[] = Array.from({ length: SHARDS }, () => 1);
  #requests = 0;
  /** What each worker has seen of a run: types of events. */
  readonly #seen = new Map<string, Set<number>>();

  constructor(appends: CommitLog['appends'] = 'together') {
    this.appends = appends;
    this.nodes = [new Node(this, 'a'), new Node(this, 'b')];
    this.#leader = Array.from({ length: SHARDS }, (_, i) => this.nodes[i % 2 === 0 ? 0 : 1]);
  }

  async open(): Promise<this> {
    for (const { engine } of this.nodes) await engine.open();
    for (let i = 0; i < SHARDS; i += 1) this.#leader[i]?.engine.lead(shardId(i), term(1), lsn(0));
    await this.time.settle();
    return this;
  }

  leaderOf(workflowId: string): Node {
    return this.#leader[shardOf(NAMESPACE, workflowId, SHARDS)] ?? this.nodes[0];
  }

  /** One network delay before the entries are committed, one before their leader knows. */
  async append(from: Node, entries: readonly LogAppend[]): Promise<AppendResult> {
    await this.#delay();
    const fenced = entries.filter(
      (entry) => this.#leader[entry.shard] !== from || this.#terms[entry.shard] !== entry.term,
    );
    const committed = entries.filter((entry) => !fenced.includes(entry));
    for (const entry of committed) this.log[entry.shard]?.push(entry);
    for (const node of this.nodes) {
      void node.store.append(committed);
      if (node !== from) for (const { shard, lsn: at, entry } of committed) node.engine.apply(shard, at, entry);
    }
    await this.#delay();
    return {
      fenced: fenced.map(({ shard }) => ({
        shard,
        newerTerm: term(this.#terms[shard] ?? 0),
        applied: 'maybe' as const,
      })),
    };
  }

  /** A message between actors reaches the leader of its target, after a while, or finds it gone. */
  async relay(item: ShardMessage, done: (outcome: 'applied' | 'later') => void): Promise<void> {
    await this.#delay();
    this.leaderOf(item.workflowId).engine.receive(item, done);
  }

  #delay(): Promise<void> {
    return new Promise((resolve) => {
      this.time.after(1, resolve);
    });
  }

  /** The other node leads it from now on. Its rows are those of the log's end, as are those of the one that led. */
  move(shard: number): void {
    const id = shardId(shard);
    const old = this.#leader[shard] ?? this.nodes[0];
    const next = this.nodes[0] === old ? this.nodes[1] : this.nodes[0];
    const known = old.engine.unlead(id);
    for (const { lsn: at, entry } of this.log[shard]?.slice(known) ?? []) old.engine.apply(id, at, entry);
    this.#terms[shard] = (this.#terms[shard] ?? 0) + 1;
    this.#leader[shard] = next;
    const end = lsn(this.log[shard]?.length ?? 0);
    next.engine.lead(id, term(this.#terms[shard] ?? 0), end);
  }

  /** Asks the leader until it has answered, as a router would: what may have been applied is asked again under the same request id. */
  async ask(workflowId: string, message: Message): Promise<Reply | undefined> {
    for (let attempt = 0; attempt < 50; attempt += 1) {
      const answer = await new Promise<{ error: Parameters<typeof applied>[0]; reply: Reply | undefined }>(
        (resolve) => {
          this.leaderOf(workflowId).engine.submit({ namespace: NAMESPACE, workflowId }, message, (error, reply) =>
            resolve({ error, reply }),
          );
        },
      );
      if (applied(answer.error)) return answer.reply;
      await this.#delay();
    }
    throw new Error(`${message.type} for ${workflowId} was never answered`);
  }

  /** A warm worker: an activity, a timer and a child that does the same, then the end. */
  work(worker: TestWorker, task: Delivery): void {
    const { workflowId } = task;
    worker.credit[task.kind === 'activity' ? 'activity' : 'workflow'] += 1;
    if (task.kind === 'activity') {
      const activity = { task: task.started.ref };
      void this.ask(workflowId, { type: 'completeActivityTask', activity, identity: 'w', result: payloads('done') });
    } else if (task.kind === 'query') {
      const { engine } = this.leaderOf(workflowId);
      engine.answerQuery(
        { namespace: NAMESPACE, workflowId },
        task.queryId,
        { answer: payloads('s') },
        () => undefined,
      );
    } else if (task.kind === 'workflow') {
      const isChild = workflowId.endsWith('/child');
      const { runId, firstEventId } = task.started.task;
      const memory = `${worker.session} ${runId}`;
      const seen = new Set(firstEventId > 1 ? this.#seen.get(memory) : undefined);
      if (firstEventId > 1 && seen.size === 0) this.faults.push(`${memory} goes on from event ${firstEventId}`);
      for (const { eventType } of eventsOf(task.history)) seen.add(eventType);
      this.#seen.set(memory, seen);
      const commands = !seen.has(EventType.ACTIVITY_TASK_SCHEDULED)
        ? [command.activity('a'), command.timer('t', 3_000), ...(isChild ? [] : [command.child(`${workflowId}/child`)])]
        : seen.has(EventType.ACTIVITY_TASK_COMPLETED) &&
            seen.has(EventType.TIMER_FIRED) &&
            (isChild || seen.has(EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED))
          ? [command.complete()]
          : [];
      const ref = task.started.ref;
      const asked = Object.keys(task.started.task.queries ?? {});
      const queryResults = Object.fromEntries(asked.map((id) => [id, { answer: payloads('s') }]));
      void this.ask(workflowId, {
        ...{ type: 'completeWorkflowTask', task: ref, identity: 'w', commands, sticky: true },
        ...{ forceCreateNewWorkflowTask: false, queryResults },
      });
    }
  }

  start(workflowId: string): Promise<Reply | undefined> {
    this.#requests += 1;
    return this.ask(workflowId, {
      ...{ type: 'start', runId: this.random.uuid(), requestId: `start-${this.#requests}`, identity: 'c' },
      ...{ workflowType: 'order', taskQueue: QUEUE, reusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE },
      conflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      // One after the other, by a key that moves, too.
      flowControl: /[135]$/.test(workflowId) ? { key: 'one', concurrency: { limit: 1 } } : undefined,
    });
  }

  pause(workflowId: string, type: 'pauseWorkflow' | 'unpauseWorkflow'): Promise<Reply | undefined> {
    this.#requests += 1;
    return this.ask(workflowId, { type, target: {}, identity: 'c', reason: '', requestId: `pause-${this.#requests}` });
  }

  signal(workflowId: string, signalName: string): Promise<Reply | undefined> {
    this.#requests += 1;
    return this.ask(workflowId, {
      ...{ type: 'signal', target: {}, signalName, identity: 'c', requestId: `signal-${this.#requests}` },
    });
  }

  /** Waits for the end wherever it comes: refused polls are made again at the shard's next leader. */
  async result(workflowId: string): Promise<number> {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const to = { namespace: NAMESPACE, workflowId };
        this.leaderOf(workflowId).engine.awaitResult(to, undefined, true, (error, value) => {
          if (value !== undefined) resolve(value.status);
          else if (applied(error) && error?.detail?.kind !== 'NotFound') reject(new Error(error?.message));
          else resolve(undefined);
        });
      });
      if (status !== undefined) return status;
      await this.#delay();
    }
    throw new Error(`the end of ${workflowId} was never told`);
  }

  /** A direct query, asked again until it is answered. */
  async query(workflowId: string): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      this.#requests += 1;
      const queryId = `q${this.#requests}`;
      const message = { type: 'query' as const, queryId, target: {}, queryType: 'state', rejectCondition: undefined };
      const error = await new Promise<Parameters<typeof applied>[0]>((resolve) => {
        this.leaderOf(workflowId).engine.query({ namespace: NAMESPACE, workflowId }, message, resolve);
      });
      if (applied(error)) return;
      await this.#delay();
    }
    throw new Error(`a query of ${workflowId} was never answered`);
  }

  async history(workflowId: string): Promise<HistoryEvent[]> {
    const { engine } = this.leaderOf(workflowId);
    const query = { fromEventId: 1, maximumBytes: 1_000_000, waitNewEvent: false, closeEventOnly: false };
    const page = new Promise<HistoryEvent[]>((resolve) => {
      engine.history({ namespace: NAMESPACE, workflowId }, query, (_error, value) =>
        resolve(value === undefined ? [] : eventsOf(value.events)),
      );
    });
    await this.time.settle();
    return page;
  }

  /** All rows that both keep alike: hints of where a node's reads begin are its own. */
  async rows({ engine, store }: Node): Promise<[string, unknown][]> {
    await engine.flush();
    const rows = await store.range({ from: key('') as Key, to: key('\xff'), limit: 100_000 });
    const events = new Map<string, HistoryEvent[]>();
    const kept: [string, unknown][] = [];
    for (const [k, value] of rows) {
      if (k.startsWith('mt') || k.startsWith('mb')) continue;
      // Flushes of different moments join different neighbours.
      if (k.startsWith('e')) events.set(k.slice(0, -4), [...(events.get(k.slice(0, -4)) ?? []), ...eventsOf([value])]);
      else kept.push([k, Buffer.from(value).toString('hex')]);
    }
    return [...kept, ...events];
  }
}

type Step =
  | { do: 'start' | 'signal' | 'poll' | 'query' | 'end' | 'pauseWorkflow' | 'unpauseWorkflow'; at: number }
  | { do: 'move'; shard: number }
  | { do: 'tick'; ms: number }
  | { do: 'forget' | 'flush' | 'rest' | 'work'; node: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('start' as const, 'signal' as const), at: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('poll' as const, 'query' as const), at: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), at: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('pauseWorkflow' as const, 'unpauseWorkflow' as const), at: fc.nat(5) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('move' as const), shard: fc.nat(SHARDS - 1) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('tick' as const), ms: fc.constantFrom(0, 1, 2, 5, 500, 4_000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('forget' as const, 'flush' as const, 'rest' as const, 'work' as const),
      node: fc.nat(1),
    }),
  },
);

describe('shards that move while they are used', () => {
  it.each(['together', 'apart'] as const)(
    'lose nothing, repeat nothing, fire every timer, and leave the same rows on both nodes (%s)',
    async (appends) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 50 }), async (steps) => {
          const cluster = await new Cluster(appends).open();
          const asked: Promise<unknown>[] = [];
          const signals = new Map<string, string[]>();
          const started = new Set<string>();
          const ended = new Set<string>();
          for (const [n, one] of steps.entries()) {
            if (one.do === 'start') {
              const id = `w${one.at}`;
              if (started.has(id)) continue;
              started.add(id);
              asked.push(cluster.start(id));
            } else if (one.do === 'signal') {
              const id = `w${one.at}`;
              if (!started.has(id)) continue;
              const name = `s${n}`;
              const told = cluster.signal(id, name).then((reply) => {
                if (reply !== undefined) signals.set(id, [...(signals.get(id) ?? []), name]);
              });
              asked.push(told);
            } else if (one.do === 'poll' || one.do === 'query') {
              const id = `w${one.at}`;
              if (started.has(id)) asked.push(one.do === 'poll' ? cluster.result(id) : cluster.query(id));
            } else if (one.do === 'end') {
              const id = `w${one.at}`;
              if (!started.has(id)) continue;
              ended.add(id);
              asked.push(cluster.ask(id, { type: 'terminate', target: {}, identity: 'c', requestId: `end-${n}` }));
            } else if (one.do === 'pauseWorkflow' || one.do === 'unpauseWorkflow') {
              const id = `w${one.at}`;
              if (started.has(id)) asked.push(cluster.pause(id, one.do));
            } else if (one.do === 'move') cluster.move(one.shard);
            else if (one.do === 'tick') await cluster.time.advance(one.ms);
            else if ('node' in one) {
              const node = cluster.nodes[one.node === 0 ? 0 : 1];
              if (one.do === 'forget') node.engine.passivateAll();
              else if (one.do === 'flush') await node.engine.flush();
              else node.credit(one.do === 'rest' ? 0 : PLENTY);
            }
          }
          for (const node of cluster.nodes) node.credit(PLENTY);
          await cluster.time.advance(2_000);
          for (const id of started) asked.push(cluster.pause(id, 'unpauseWorkflow'));
          await cluster.time.advance(60_000);
          await Promise.all(asked);
          expect(cluster.faults).toEqual([]);
          for (const id of [...started].flatMap((parent) => [parent, `${parent}/child`])) {
            const events = await cluster.history(id);
            if (events.length === 0 && id.endsWith('/child') && ended.has(id.replace('/child', ''))) continue;
            expect(events.map(({ eventId }) => eventId)).toEqual(events.map((_, i) => i + 1));
            const ends = [EventType.WORKFLOW_EXECUTION_COMPLETED, EventType.WORKFLOW_EXECUTION_TERMINATED];
            expect(ends.slice(0, ended.has(id.replace('/child', '')) ? 2 : 1)).toContain(events.at(-1)?.eventType);
            const found = events.flatMap((event) =>
              event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED ? [event.attributes.signalName] : [],
            );
            expect(found.sort()).toEqual((signals.get(id) ?? []).sort());
          }
          const [first, second] = cluster.nodes;
          expect(await cluster.rows(first)).toEqual(await cluster.rows(second));
          const waiting = cluster.nodes.map(({ engine }) => engine.getStats().waitingTasks);
          expect(waiting).toEqual([0, 0]);
          expect(cluster.nodes.map(({ engine }) => engine.getStats().timersInMemory)).toEqual([0, 0]);
          const held = cluster.nodes.map(({ engine }) => engine.getStats());
          expect(held.map(({ longPolls, openQueries }) => longPolls + openQueries)).toEqual([0, 0]);
          const unsent = cluster.nodes.map(({ engine }) => engine.getStats().outbox);
          expect(unsent).toEqual([0, 0]);
          // Retention ends while they move on: nothing of any run is left, at none of them.
          for (let i = 0; i < 60; i += 1) {
            cluster.move(i % 3);
            await cluster.time.advance(i % 7 === 0 ? 1 : 3_300);
            if (i % 5 === 0) cluster.nodes[i % 2 === 0 ? 0 : 1].engine.passivateAll();
          }
          // The key is forgotten later: so nobody has or wants a permit of it.
          await cluster.time.advance(660_000);
          const left = await cluster.rows(first);
          expect(left).toEqual(await cluster.rows(second));
          expect(
            left.filter(([k]) => !k.startsWith('ms') && !k.startsWith('a')).map(([k]) => JSON.stringify(k)),
          ).toEqual([]);
        }),
        { numRuns: 30 },
      );
    },
    60_000,
  );

  it('keep what another leader has changed in settings while a change of the one before was still reading', async () => {
    const cluster = await new Cluster().open();
    const shard = shardOf(NAMESPACE, '', SHARDS);
    const change = (node: Node, add: AttributesChange['add']) =>
      new Promise<string | undefined>((resolve) => {
        node.engine.changeSearchAttributes(NAMESPACE, { add, remove: [] }, (error) => resolve(error?.detail?.kind));
      });
    const slow = cluster.nodes[shard % 2 === 0 ? 0 : 1];
    const other = cluster.nodes[shard % 2 === 0 ? 1 : 0];
    const read = slow.store.read.bind(slow.store);
    let go = (): void => {};
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    slow.store.read = async (k) => {
      const value = await read(k);
      await held;
      return value;
    };
    const late = change(slow, { Slow: IndexedValueType.INT });
    await cluster.time.settle();
    cluster.move(shard);
    const there = change(other, { Other: IndexedValueType.KEYWORD });
    await cluster.time.advance(10);
    expect(await there).toBeUndefined();
    cluster.move(shard);
    slow.store.read = read;
    go();
    await cluster.time.advance(10);
    expect(await late).toBe('Unavailable');
    const again = change(slow, { Slow: IndexedValueType.INT });
    await cluster.time.advance(10);
    expect(await again).toBeUndefined();
    const known = new Promise((resolve) => {
      slow.engine.searchAttributes(NAMESPACE, (_error, attributes) => resolve(attributes));
    });
    await cluster.time.settle();
    expect(await known).toEqual({ Other: IndexedValueType.KEYWORD, Slow: IndexedValueType.INT });
  });

  it('refuse to be led from an lsn whose rows are not there, and entries that leave a gap', async () => {
    const { nodes } = await new Cluster().open();
    expect(() => nodes[0].engine.lead(shardId(1), term(5), lsn(3))).toThrow(/led from lsn 3 on.*lsn 0/);
    expect(() => nodes[0].engine.apply(shardId(1), lsn(2), undefined)).toThrow(/leaves a gap/);
    expect(() => nodes[0].engine.apply(shardId(0), lsn(1), new Uint8Array(1))).toThrow(/is led here/);
  });

  it('refuse at once what belongs at another node, and say so', async () => {
    const cluster = await new Cluster().open();
    const ids = Array.from({ length: 20 }, (_, i) => `w${i}`);
    const there = ids.find((id) => cluster.leaderOf(id) === cluster.nodes[1]) ?? '';
    const said = await new Promise<unknown>((resolve) => {
      const to = { namespace: NAMESPACE, workflowId: there };
      cluster.nodes[0].engine.submit(to, { type: 'terminate', target: {}, identity: 'c', requestId: 'r' }, resolve);
    });
    expect(said).toMatchObject({
      message: expect.stringMatching(/not led by this node/),
      detail: { kind: 'Unavailable', applied: 'no' },
    });
  });
});

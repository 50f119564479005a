// A cluster of three whose truth is one object: who leads which shard, what is applied, what is pending. Engines lose their shards in the middle of turns,
// views lag, nodes die and come back, links break and are cut one way. For simulation.test.ts; one seed, one history.

import type { Message, QueryMessage } from '../../src/core/workflow/message.ts';
import type { Reply } from '../../src/core/workflow/outcome.ts';
import type { ActorAddress, Done, Engine, Waiting } from '../../src/ports/engine.ts';
import { pageTokenOf } from '../../src/shard/search.ts';
import { WorkflowExecutionStatus } from '../../src/wire/enums.ts';
import type { QueryWorkflowResponse } from '../../src/wire/execution.ts';
import type { DescribeWorkflowExecutionResponse, WorkflowExecutionInfo } from '../../src/wire/execution-info.ts';
import type { AwaitWorkflowResultResponse, GetWorkflowExecutionHistoryResponse } from '../../src/wire/history.ts';
import { StatusCode } from '../../src/wire/status.ts';
import type {
  UpdateWithStartWorkflowExecutionResponse,
  UpdateWorkflowExecutionResponse,
} from '../../src/wire/update.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../../src/wire/visibility.ts';
import type { QueryResult } from '../../src/wire/workflow-task.ts';
import { identity, KEY, keyed, ManualTime, TestRandom } from '../link/link.test-support.ts';
import { Links } from '../link/links.ts';
import { MemoryNetwork } from '../link/memory-network.ts';
import { Rpc } from '../link/rpc.ts';
import type { Owner, OwnershipView } from './ownership.ts';
import { Router } from './router.ts';
import { SHARDS, shardOf } from './routing.test-support.ts';
import { unavailable } from './statuses.ts';

export const NAMES = ['a', 'b', 'c'] as const;
export type Name = (typeof NAMES)[number];

interface Pending {
  apply(): void;
  /** The owner is gone: what became of it, its engine does not know. */
  lost(): void;
}

class TruthShard {
  owner: Name | undefined;
  term = 1;
  readonly pending = new Set<Pending>();
  /** Times each request was applied. */
  readonly applied = new Map<string, number>();
  readonly executions = new Map<string, WorkflowExecutionInfo>();
  readonly closed = new Set<string>();
}

class SimView implements OwnershipView {
  readonly shardCount = SHARDS;
  readonly known = new Map<number, { owner: Owner; term: number }>();
  readonly #listeners = new Set<(shard: number) => void>();

  ownerOf(shard: number): Owner {
    return this.known.get(shard)?.owner ?? 'unknown';
  }

  subscribe(changed: (shard: number) => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  hear(shard: number, owner: Owner, term: number): void {
    const known = this.known.get(shard);
    if (known !== undefined && known.term > term) return;
    this.known.set(shard, { owner, term });
    for (const changed of this.#listeners) changed(shard);
  }
}

export interface SimNode {
  name: Name;
  links: Links;
  router: Router;
  view: SimView;
  alive: boolean;
}

/** What an operation was, and what its caller was told. */
export interface Told {
  id: string;
  shard: number;
  /** The node that has it now. */
  at: Name;
  outcome: 'open' | 'ok' | 'no' | 'maybe' | 'rejected' | 'orphaned';
  message: string;
}

export class SimWorld {
  readonly time = new ManualTime();
  readonly random: TestRandom;
  readonly network: MemoryNetwork;
  readonly shards = Array.from({ length: SHARDS }, () => new TruthShard());
  readonly nodes = new Map<Name, SimNode>();
  readonly told: Told[] = [];
  readonly problems: string[] = [];
  readonly seen: Record<string, number> = {};
  #boots = 0;

  constructor(seed: number) {
    this.random = new TestRandom(seed);
    this.network = new MemoryNetwork(this.time, 1);
    this.network.latencyMs = () => 0.2 + this.random.next() * 3;
    for (const [i, shard] of this.shards.entries()) shard.owner = NAMES[i % NAMES.length];
    for (const name of NAMES) this.start(name);
  }

  count(what: string): void {
    this.seen[what] = (this.seen[what] ?? 0) + 1;
  }

  // ---------------------------------------------------------------- nodes

  start(name: Name): void {
    const { time, random, network } = this;
    this.#boots += 1;
    const links = new Links({
      identity: identity(name, { bootId: `boot-${this.#boots}` }),
      security: keyed(KEY),
      network: network.at(name),
      clock: time,
      scheduler: time,
      random,
      randomBytes: (length) => random.bytes(length),
      onEvent: (event) => this.count(`link ${event.type}`),
    });
    void links.listen({ host: name, port: 1 });
    const rpc = new Rpc({
      links,
      clock: time,
      scheduler: time,
      onFault: (error) => this.problems.push(`fault on ${name}: ${String(error)}`),
    });
    const view = new SimView();
    const node: SimNode = { name, links, view, alive: true, router: undefined as unknown as Router };
    // The engine knows its node, and the router its engine.
    node.router = new Router({
      self: name,
      local: new SimEngine(this, node),
      view,
      rpc,
      clock: time,
      scheduler: time,
      shardOf,
      pageTokenOf,
      connect: (peer, address) => void links.connect(peer, address),
    });
    for (const peer of NAMES) if (peer !== name) links.connect(peer, { host: peer, port: 1 });
    this.nodes.set(name, node);
    for (let shard = 0; shard < SHARDS; shard += 1) this.#tell(node, shard);
  }

  kill(name: Name): void {
    const node = this.nodes.get(name);
    if (node === undefined || !node.alive) return;
    node.alive = false;
    node.router.close();
    node.links.kill();
    this.network.crash(name);
    for (const told of this.told) if (told.outcome === 'open' && told.at === name) told.outcome = 'orphaned';
    this.count('killed');
    this.time.after(1_500, () => {
      for (const [i, shard] of this.shards.entries())
        if (shard.owner === name && this.nodes.get(name) === node) this.move(i);
    });
  }

  get alive(): SimNode[] {
    return [...this.nodes.values()].filter(({ alive }) => alive);
  }

  // ---------------------------------------------------------------- ownership

  /** A planned move: nobody serves for a moment. */
  hand(index: number): void {
    const shard = this.#shard(index);
    if (shard.owner === undefined) return;
    this.#leaves(shard);
    shard.owner = undefined;
    this.count('handed over');
    for (const node of this.alive) this.#tell(node, index);
    this.time.after(this.random.int(300), () => this.move(index));
  }

  /** A new owner, of a new term. */
  move(index: number): void {
    const shard = this.#shard(index);
    this.#leaves(shard);
    const { alive } = this;
    const next = alive[this.random.int(alive.length)];
    shard.term += 1;
    shard.owner = next?.name;
    this.count('moved');
    for (const node of alive) this.#tell(node, index);
  }

  #shard(index: number): TruthShard {
    const shard = this.shards[index];
    if (shard === undefined) throw new Error(`there is no shard ${index}`);
    return shard;
  }

  /** What was pending is in the log of the next owner, or it is not; its engine never learns. */
  #leaves(shard: TruthShard): void {
    for (const pending of [...shard.pending]) {
      if (this.random.next() < 0.5) pending.apply();
      pending.lost();
    }
    shard.pending.clear();
  }

  /** A node hears of the present owner, later. */
  #tell(node: SimNode, index: number): void {
    const { owner, term } = this.#shard(index);
    const heard: Owner =
      owner === undefined
        ? 'moving'
        : owner === node.name
          ? 'local'
          : { node: owner, address: { host: owner, port: 1 }, term };
    this.time.after(this.random.int(400), () => {
      if (node.alive) node.view.hear(index, heard, owner === undefined ? term : term + 0.5);
    });
  }
}

/** One node's engine over the truth: commits late, refuses what it does not lead, and forgets what it promised when it dies. */
class SimEngine implements Engine {
  readonly #world: SimWorld;
  readonly #node: SimNode;
  readonly #waiters = new Map<number, Set<() => void>>();

  constructor(world: SimWorld, node: SimNode) {
    this.#world = world;
    this.#node = node;
  }

  #truth(to: ActorAddress): { index: number; shard: TruthShard | undefined } {
    const index = shardOf(to.namespace, to.workflowId);
    const shard = this.#world.shards[index];
    return { index, shard: shard?.owner === this.#node.name ? shard : undefined };
  }

  submit(to: ActorAddress, message: Message, done: Done<Reply>): void {
    const { index, shard } = this.#truth(to);
    const { time, random } = this.#world;
    if (shard === undefined) {
      done(unavailable(`shard ${index} is not led here`, 'no'), undefined);
      return;
    }
    let settled = false;
    const answer: Done<Reply> = (error, value) => {
      if (this.#node.alive) done(error, value);
    };
    const pending: Pending = {
      apply: () => this.#apply(shard, to, message),
      lost: () => {
        settled = true;
        time.after(random.int(2_000), () => answer(unavailable('the leader was deposed', 'maybe'), undefined));
      },
    };
    shard.pending.add(pending);
    time.after(random.next() < 0.05 ? random.int(300) : 0.3 + random.next() * 3, () => {
      if (settled || !shard.pending.has(pending)) return;
      // A dead node's entry may still come to light in the log: until somebody else leads, it stays pending.
      if (!this.#node.alive) return;
      shard.pending.delete(pending);
      pending.apply();
      this.#wake(index);
      answer(undefined, { type: 'accepted' });
    });
  }

  #apply(shard: TruthShard, { workflowId }: ActorAddress, message: Message): void {
    // A repeat of an update is known by its update id.
    const byRequest = 'requestId' in message && message.type !== 'update';
    const id = byRequest ? message.requestId : 'identity' in message ? message.identity : '';
    const times = shard.applied.get(id) ?? 0;
    if (times > 0 && byRequest) {
      this.#world.count('repeat recognised');
      return;
    }
    shard.applied.set(id, times + 1);
    if (message.type === 'terminate') shard.closed.add(workflowId);
    if (message.type === 'start') {
      // Lists read these fields alone.
      const info = { workflowId, runId: message.runId, startTime: this.#world.time.now() } as WorkflowExecutionInfo;
      shard.executions.set(workflowId, info);
    }
  }

  #wake(index: number): void {
    const waiting = this.#waiters.get(index);
    this.#waiters.delete(index);
    for (const wake of waiting ?? []) wake();
  }

  searchAttributes(): void {
    throw new Error('not simulated');
  }

  changeSearchAttributes(): void {
    throw new Error('not simulated');
  }

  jobs(): void {
    throw new Error('not simulated');
  }

  nexusEndpoints(): void {
    throw new Error('not simulated');
  }

  workers(): void {
    throw new Error('not simulated');
  }

  deployments(): void {
    throw new Error('not in this test');
  }

  namespaces(): void {
    throw new Error('not simulated');
  }

  awaitResult(
    to: ActorAddress,
    _runId: string | undefined,
    _follow: boolean,
    done: Done<AwaitWorkflowResultResponse>,
  ): Waiting {
    let given = false;
    const look = (): void => {
      if (given || !this.#node.alive) return;
      const { index, shard } = this.#truth(to);
      if (shard === undefined) {
        done(unavailable(`shard ${index} is not led here`, 'no'), undefined);
        return;
      }
      if (shard.closed.has(to.workflowId)) {
        done(undefined, { runId: 'run', status: WorkflowExecutionStatus.TERMINATED, closeEvent: new Uint8Array(1) });
        return;
      }
      const waiting = this.#waiters.get(index) ?? new Set();
      waiting.add(look);
      this.#waiters.set(index, waiting);
    };
    look();
    return {
      abandon: () => {
        given = true;
      },
    };
  }

  list(request: Parameters<Engine['list']>[0], done: Done<ListWorkflowExecutionsResponse>): void {
    const executions: WorkflowExecutionInfo[] = [];
    for (const index of request.shards ?? []) {
      const shard = this.#world.shards[index];
      if (shard?.owner !== this.#node.name) {
        done(unavailable(`shard ${index} is not led here`, 'no'), undefined);
        return;
      }
      executions.push(...shard.executions.values());
    }
    this.#world.time.after(this.#world.random.int(5), () => {
      if (this.#node.alive) done(undefined, { executions });
    });
  }

  query(_to: ActorAddress, _message: QueryMessage, done: Done<QueryWorkflowResponse>): Waiting {
    done({ code: StatusCode.UNIMPLEMENTED, message: 'not simulated' }, undefined);
    return { abandon: () => undefined };
  }

  update(_to: ActorAddress, _message: object, done: Done<UpdateWorkflowExecutionResponse>): Waiting {
    done({ code: StatusCode.UNIMPLEMENTED, message: 'not simulated' }, undefined);
    return { abandon: () => undefined };
  }

  updateWithStart(_to: ActorAddress, _message: object, done: Done<UpdateWithStartWorkflowExecutionResponse>): Waiting {
    done({ code: StatusCode.UNIMPLEMENTED, message: 'not simulated' }, undefined);
    return { abandon: () => undefined };
  }

  answerQuery(_to: ActorAddress, _id: string, _result: QueryResult, done: Done<undefined>): void {
    done({ code: StatusCode.UNIMPLEMENTED, message: 'not simulated' }, undefined);
  }

  describe(_to: ActorAddress, _runId: string | undefined, done: Done<DescribeWorkflowExecutionResponse>): void {
    done({ code: StatusCode.UNIMPLEMENTED, message: 'not simulated' }, undefined);
  }

  history(to: ActorAddress, _query: object, done: Done<GetWorkflowExecutionHistoryResponse>): Waiting {
    return this.awaitResult(to, undefined, true, (error) =>
      error === undefined ? done(undefined, { runId: 'run', events: [], closed: true }) : done(error, undefined),
    );
  }

  taskHistory(_to: ActorAddress, _task: object, done: Parameters<Engine['taskHistory']>[2]): void {
    done({ code: StatusCode.UNIMPLEMENTED, message: 'not simulated' }, undefined);
  }

  count(request: Parameters<Engine['count']>[0], done: Done<CountWorkflowExecutionsResponse>): void {
    this.list({ ...request, pageSize: 1_000, nextPageToken: undefined }, (error, page) =>
      page === undefined ? done(error, undefined) : done(undefined, { count: page.executions.length }),
    );
  }
}

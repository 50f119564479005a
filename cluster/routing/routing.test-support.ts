// Nodes with routers over links on one in-memory network: engines that answer when told to, and views that the test sets.

import { pageTokenOf } from '../../src/shard/search.ts';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { identity, KEY, keyed, ManualTime, TestRandom } from '../link/link.test-support.ts';
import { Links } from '../link/links.ts';
import { MemoryNetwork } from '../link/memory-network.ts';
import { Rpc } from '../link/rpc.ts';
import type { RoutingLimits } from './limits.ts';
import type { Owner, OwnershipView } from './ownership.ts';
import { Router } from './router.ts';

export const SHARDS = 8;

/** The shard is in the workflow id: `w3-…` is of shard 3. */
export const shardOf = (_namespace: string, workflowId: string): number => Number(workflowId.charAt(1)) % SHARDS;

export class TestView implements OwnershipView {
  readonly shardCount = SHARDS;
  readonly #owners = new Map<number, Owner>();
  readonly #listeners = new Set<(shard: number) => void>();

  ownerOf(shard: number): Owner {
    return this.#owners.get(shard) ?? 'unknown';
  }

  subscribe(changed: (shard: number) => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  set(shard: number, owner: Owner): void {
    this.#owners.set(shard, owner);
    for (const changed of this.#listeners) changed(shard);
  }

  setAll(owner: Owner): void {
    for (let shard = 0; shard < SHARDS; shard += 1) this.set(shard, owner);
  }
}

export const at = (node: string, term = 1): Owner => ({ node, address: { host: node, port: 1 }, term });

export interface TestNode {
  name: string;
  links: Links;
  rpc: Rpc;
  view: TestView;
  engine: FakeEngine;
  router: Router;
  /** Why it is cut off from the others. */
  cutOff: string | undefined;
  faults: unknown[];
}

export class RoutingWorld {
  readonly time = new ManualTime();
  readonly network = new MemoryNetwork(this.time, 1);
  readonly nodes: TestNode[] = [];

  node(name: string, limits: Partial<RoutingLimits> = {}): TestNode {
    const random = new TestRandom(name.charCodeAt(0));
    const { time, network } = this;
    const links = new Links({
      identity: identity(name),
      security: keyed(KEY),
      network: network.at(name),
      clock: time,
      scheduler: time,
      random,
      randomBytes: (length) => random.bytes(length),
      onEvent: () => undefined,
    });
    void links.listen({ host: name, port: 1 });
    const faults: unknown[] = [];
    const rpc = new Rpc({ links, clock: time, scheduler: time, onFault: (error) => faults.push(error) });
    const view = new TestView();
    const engine = new FakeEngine();
    const router = new Router({
      self: name,
      local: engine,
      view,
      rpc,
      clock: time,
      scheduler: time,
      limits,
      shardOf,
      pageTokenOf,
      connect: (peer, address) => void links.connect(peer, address),
      cutOff: () => node.cutOff,
    });
    const node: TestNode = { name, links, rpc, view, engine, router, cutOff: undefined, faults };
    this.nodes.push(node);
    return node;
  }

  /** Nodes that are connected to each other, by name. */
  cluster(...names: string[]): TestNode[] {
    const nodes = names.map((name) => this.node(name));
    for (const from of nodes) {
      for (const to of nodes) if (from !== to) from.links.connect(to.name, { host: to.name, port: 1 });
    }
    this.time.advance(500);
    return nodes;
  }

  /** Of the usual size. */
  three(): [TestNode, TestNode, TestNode] {
    const [a, b, c] = this.cluster('a', 'b', 'c');
    if (a === undefined || b === undefined || c === undefined) throw new Error('three nodes were wanted');
    return [a, b, c];
  }

  end(): void {
    for (const { links, router } of this.nodes) {
      router.close();
      links.kill();
    }
  }
}

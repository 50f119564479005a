// One partition of a task queue at its home node: who has tasks waiting, who has credit that its own tasks do not use, and who is to fetch from whom
// (DESIGN §6). Pure and volatile: everything is announced again, on change and every few seconds, so a home that dies costs a moment and a lost message
// heals. It assigns fetches, never tasks: what is really started is decided by the shard that has the task and the worker that has the credit.

/** What waits at one node. */
export interface Waiting {
  count: number;
  /** 1 (first) .. 5: of the best waiting task. */
  priority: number;
  /** Epoch ms: of the best waiting task. */
  oldest: number;
}

/** The node `to`, which has credit, is to fetch up to `count` tasks from `from`. Numbered from 1 for each `to`. */
export interface Assignment {
  to: string;
  from: string;
  count: number;
  number: number;
}

export interface HomeLimits {
  /** An assignment that is not reported as seen is forgotten after this long, ms: it was lost, or its node has died. */
  assignmentMs: number;
  /** A node that has not announced anything for this long holds nothing and takes nothing, ms. */
  silentMs: number;
  /** Nodes one queue may hear of (I9). */
  nodes: number;
}

export const DEFAULT_HOME_LIMITS: HomeLimits = { assignmentMs: 1_000, silentMs: 15_000, nodes: 4_096 };

interface Outstanding extends Assignment {
  at: number;
}

class Node {
  waiting: Waiting | undefined;
  waitingAt = Number.NEGATIVE_INFINITY;
  /** Credit as last reported. */
  credit = 0;
  creditAt = Number.NEGATIVE_INFINITY;
  /** Made for this node and not seen by it yet, oldest first. */
  outstanding: Outstanding[] = [];
  assigned = 0;
  /** Of the last assignment. */
  number = 0;
}

export class HomeQueue {
  readonly #limits: HomeLimits;
  readonly #nodes = new Map<string, Node>();
  /** Takers in rotation: whoever was served last comes last. */
  #rotation: string[] = [];

  constructor(limits: Partial<HomeLimits> = {}) {
    this.#limits = { ...DEFAULT_HOME_LIMITS, ...limits };
  }

  get isEmpty(): boolean {
    return this.#nodes.size === 0;
  }

  /** Tasks that wait anywhere, as announced: while there are any, no new task goes ahead of them. */
  get waiting(): number {
    let count = 0;
    for (const { waiting } of this.#nodes.values()) count += waiting?.count ?? 0;
    return count;
  }

  /** What waits in a node's shards now; undefined: nothing. False: no more nodes can be heard of. */
  announce(name: string, waiting: Waiting | undefined, now: number): boolean {
    const node = this.#node(name);
    if (node === undefined) return false;
    node.waiting = waiting !== undefined && waiting.count > 0 ? { ...waiting } : undefined;
    node.waitingAt = now;
    return true;
  }

  /**
   * A node's credit beyond what its own backlog uses, and the last assignment it had seen when it said so: those up to it are in the number already.
   * False: no more nodes can be heard of.
   */
  credit(name: string, available: number, seen: number, now: number): boolean {
    const node = this.#node(name);
    if (node === undefined) return false;
    node.credit = Math.max(0, available);
    node.creditAt = now;
    this.#drop(node, (assignment) => assignment.number <= seen);
    return true;
  }

  /** Left, or dead as gossip says: it holds nothing and takes nothing until it announces again. */
  gone(name: string): void {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    this.#nodes.delete(name);
    this.#rotation = this.#rotation.filter((other) => other !== name);
    for (const other of this.#nodes.values()) this.#drop(other, ({ from }) => from === name);
  }

  /**
   * Who is to fetch what from now on. The best backlog first: by priority, then by age; a node's own backlog is its own business (local first).
   * Within one announcement this is the order of all tasks; between two it may be behind by what came in between.
   */
  assign(now: number): Assignment[] {
    this.#expire(now);
    const taken = new Map<string, number>();
    for (const { outstanding } of this.#nodes.values()) {
      for (const { from, count } of outstanding) taken.set(from, (taken.get(from) ?? 0) + count);
    }
    const sources = [...this.#nodes]
      .flatMap(([name, { waiting }]) => (waiting === undefined ? [] : [{ name, waiting }]))
      .sort((a, b) => a.waiting.priority - b.waiting.priority || a.waiting.oldest - b.waiting.oldest);
    const made: Assignment[] = [];
    for (const { name: from, waiting } of sources) {
      let left = waiting.count - (taken.get(from) ?? 0);
      // Once round the takers for each source; a source larger than one taker's credit goes on with the next.
      for (const to of [...this.#rotation]) {
        if (left <= 0) break;
        if (to === from) continue;
        const taker = this.#nodes.get(to);
        const count = Math.min(left, taker === undefined ? 0 : taker.credit - taker.assigned);
        if (taker === undefined || count <= 0) continue;
        taker.number += 1;
        const assignment = { to, from, count, number: taker.number };
        taker.outstanding.push({ ...assignment, at: now });
        taker.assigned += count;
        left -= count;
        made.push(assignment);
        this.#rotation = [...this.#rotation.filter((other) => other !== to), to];
      }
    }
    return made;
  }

  // ---------------------------------------------------------------- inside

  #node(name: string): Node | undefined {
    let node = this.#nodes.get(name);
    if (node !== undefined) return node;
    if (this.#nodes.size >= this.#limits.nodes) return undefined;
    node = new Node();
    this.#nodes.set(name, node);
    this.#rotation.push(name);
    return node;
  }

  #drop(node: Node, which: (assignment: Outstanding) => boolean): void {
    const kept = node.outstanding.filter((assignment) => !which(assignment));
    node.outstanding = kept;
    node.assigned = kept.reduce((sum, { count }) => sum + count, 0);
  }

  #expire(now: number): void {
    const { assignmentMs, silentMs } = this.#limits;
    for (const [name, node] of [...this.#nodes]) {
      this.#drop(node, ({ at }) => now - at >= assignmentMs);
      if (now - Math.max(node.waitingAt, node.creditAt) >= silentMs) this.gone(name);
    }
  }
}

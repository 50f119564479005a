// One partition of a task queue at its home node: who has tasks waiting, who has workers with credit, and who is to fetch from whom (DESIGN §6). Pure
// and volatile: everything is announced again, on change and every few seconds, so a home that dies costs a moment and a lost message heals. It assigns
// fetches, never tasks: what is really started is decided by the shard that has the task and the worker that has the credit.

/** What waits at one node. */
export interface Waiting {
  count: number;
  /** 1 (first) .. 5: of the best waiting task. */
  priority: number;
  /** Epoch ms: of the best waiting task. */
  oldest: number;
}

/** A node's workers of the queue. */
export interface Taking {
  workers: number;
  /** Tasks they would take now, less what the node is to fetch already: below zero when that is more. */
  available: number;
  /** The last assignment the node had seen when it said so: those up to it are in `available`. */
  seen: number;
}

/** The node `to` is to fetch up to `count` tasks from `from`, the best of which is so good. Later ones have greater numbers. */
export interface Assignment {
  to: string;
  from: string;
  count: number;
  number: number;
  priority: number;
  oldest: number;
}

export interface HomeLimits {
  /** An assignment that is not reported as seen is forgotten after this long, ms: it was lost, or its node has died. */
  assignmentMs: number;
  /** A node that has not announced anything for this long holds nothing and takes nothing, ms. */
  silentMs: number;
  /** Nodes one queue may hear of (I9). */
  nodes: number;
  /** Assignments that wait at a node whose workers are busy: its next credit goes to better tasks elsewhere, without asking. */
  standing: number;
  /** … of one source: it is the best of several that goes first. */
  standingOfOne: number;
}

export const DEFAULT_HOME_LIMITS: HomeLimits = {
  assignmentMs: 1_000,
  silentMs: 15_000,
  nodes: 4_096,
  standing: 16,
  standingOfOne: 4,
};

interface Dated {
  count: number;
  at: number;
}

interface Given extends Dated {
  to: string;
}

class Node {
  waiting: Waiting | undefined;
  heardAt = Number.NEGATIVE_INFINITY;
  /** Tasks others have asked it for so far, as it counts them. */
  fetched: number | undefined;
  /** Assigned to others, and not asked for as far as is known, oldest first: the tasks are spoken for. Standing ones apart. */
  given: Given[] = [];
  givenStanding: Given[] = [];
  workers = 0;
  available = 0;
  /** Made for this node and not seen by it yet, oldest first. */
  unseen: (Dated & { number: number })[] = [];
}

/** Of the last assignment. Shared by all queues of one home: a queue or node that is forgotten and heard of again must not begin anew. */
export interface Numbers {
  last: number;
}

export class HomeQueue {
  readonly #limits: HomeLimits;
  readonly #numbers: Numbers;
  readonly #nodes = new Map<string, Node>();
  /** Takers in rotation: whoever was served last comes last. */
  #rotation: string[] = [];

  constructor(limits: Partial<HomeLimits> = {}, numbers: Numbers = { last: 0 }) {
    this.#limits = { ...DEFAULT_HOME_LIMITS, ...limits };
    this.#numbers = numbers;
  }

  get isEmpty(): boolean {
    return this.#nodes.size === 0;
  }

  /** Nodes that have workers. */
  get takers(): number {
    let count = 0;
    for (const { workers } of this.#nodes.values()) if (workers > 0) count += 1;
    return count;
  }

  /** Tasks that wait anywhere, as announced. */
  get waiting(): number {
    let count = 0;
    for (const { waiting } of this.#nodes.values()) count += waiting?.count ?? 0;
    return count;
  }

  /**
   * What waits in a node's shards now (undefined: nothing), and how many tasks others have asked it for so far. False: no more nodes can be heard of.
   */
  announce(name: string, waiting: Waiting | undefined, fetched: number, now: number): boolean {
    const node = this.#node(name);
    if (node === undefined) return false;
    node.waiting = waiting !== undefined && waiting.count > 0 ? { ...waiting } : undefined;
    node.heardAt = now;
    // A node that was started again counts from nothing.
    const asked = node.fetched === undefined ? 0 : fetched >= node.fetched ? fetched - node.fetched : fetched;
    node.fetched = fetched;
    consume(node.givenStanding, consume(node.given, asked));
    return true;
  }

  /** False: no more nodes can be heard of. */
  credit(name: string, taking: Taking, now: number): boolean {
    const node = this.#node(name);
    if (node === undefined) return false;
    node.workers = taking.workers;
    node.available = taking.available;
    node.heardAt = now;
    node.unseen = node.unseen.filter(({ number }) => number > taking.seen);
    return true;
  }

  /** Left, or dead as gossip says: it holds nothing and takes nothing until it announces again. */
  gone(name: string): void {
    if (!this.#nodes.delete(name)) return;
    this.#rotation = this.#rotation.filter((other) => other !== name);
  }

  /**
   * Who is to fetch what from now on. The best backlog first: by priority, then by age; a node's own backlog comes before others' that is no better, and is
   * its own business. Within one announcement this is the order of all tasks; between two it may be behind by what came in between.
   */
  assign(now: number): Assignment[] {
    this.expire(now);
    const sources = [...this.#nodes]
      .flatMap(([name, node]) => (node.waiting === undefined ? [] : [{ name, node, waiting: node.waiting }]))
      .sort((a, b) => ranks(a.waiting, b.waiting));
    const made: Assignment[] = [];
    for (const { name, node, waiting } of sources) {
      const left = waiting.count - sum(node.given);
      this.#give(name, waiting, left, node.given, now, made, (_name, taker) => {
        const own = taker.waiting === undefined || ranks(waiting, taker.waiting) < 0 ? 0 : taker.waiting.count;
        return taker.available - sum(taker.unseen) - own;
      });
    }
    // To busy nodes: not counted against a node that has credit at once.
    for (const { name, node, waiting } of sources) {
      const left = waiting.count - sum(node.given) - sum(node.givenStanding);
      this.#give(name, waiting, left, node.givenStanding, now, made, (to, taker) => {
        if (taker.workers === 0 || (taker.waiting !== undefined && ranks(waiting, taker.waiting) >= 0)) return 0;
        const free = taker.available - sum(taker.unseen);
        const { standing, standingOfOne } = this.#limits;
        const ofThis = sum(node.givenStanding.filter((given) => given.to === to));
        return free > 0 ? 0 : Math.min(standingOfOne - ofThis, standing + free);
      });
    }
    return made;
  }

  /** Forgets assignments that were lost and nodes that are silent. */
  expire(now: number): void {
    const { assignmentMs, silentMs } = this.#limits;
    const fresh = ({ at }: Dated): boolean => now - at < assignmentMs;
    for (const [name, node] of [...this.#nodes]) {
      node.unseen = node.unseen.filter(fresh);
      node.given = node.given.filter(fresh);
      node.givenStanding = node.givenStanding.filter(fresh);
      if (now - node.heardAt >= silentMs) this.gone(name);
    }
  }

  // ---------------------------------------------------------------- inside

  /** Once round the takers for each source; a source larger than one taker's credit goes on with the next. */
  #give(
    from: string,
    { priority, oldest }: Waiting,
    count: number,
    given: Given[],
    now: number,
    made: Assignment[],
    roomOf: (name: string, taker: Node) => number,
  ): void {
    let left = count;
    for (const to of [...this.#rotation]) {
      if (left <= 0) return;
      const taker = this.#nodes.get(to);
      if (to === from || taker === undefined) continue;
      const take = Math.min(left, roomOf(to, taker));
      if (take <= 0) continue;
      this.#numbers.last += 1;
      const number = this.#numbers.last;
      taker.unseen.push({ number, count: take, at: now });
      given.push({ to, count: take, at: now });
      left -= take;
      made.push({ to, from, count: take, number, priority, oldest });
      this.#rotation = [...this.#rotation.filter((other) => other !== to), to];
    }
  }

  #node(name: string): Node | undefined {
    let node = this.#nodes.get(name);
    if (node !== undefined) return node;
    if (this.#nodes.size >= this.#limits.nodes) return undefined;
    node = new Node();
    this.#nodes.set(name, node);
    this.#rotation.push(name);
    return node;
  }
}

const ranks = (a: Waiting, b: Waiting): number => a.priority - b.priority || a.oldest - b.oldest;

const sum = (items: readonly Dated[]): number => items.reduce((total, { count }) => total + count, 0);

/** Takes `count` off the oldest; returns what there was not. */
function consume(items: Dated[], count: number): number {
  let left = count;
  for (let first = items[0]; first !== undefined && left > 0; first = items[0]) {
    const taken = Math.min(left, first.count);
    first.count -= taken;
    left -= taken;
    if (first.count === 0) items.shift();
  }
  return left;
}

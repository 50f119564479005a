// What operators and clients ask of a cluster (ports/cluster.ts), answered from what this node knows and, for all shards, from what each node says
// of those it leads. Called by the doors through cluster-node.ts.

import { type Check, integer, list, object, oneOf, string } from '../../src/frontend/validate/check.ts';
import type { Scheduler } from '../../src/ports/clock.ts';
import type {
  ClientMap,
  ClusterControl,
  ClusterMember,
  ClusterProblem,
  ClusterStatus,
  Draining,
  ShardStatus,
} from '../../src/ports/cluster.ts';
import type { Coordinator } from '../../src/ports/coordinator.ts';
import type { Done } from '../../src/ports/engine.ts';
import { shardId } from '../../src/ports/ids.ts';
import { StatusCode } from '../../src/wire/status.ts';
import type { MemberSnapshot } from '../gossip/index.ts';
import type { Rpc } from '../link/rpc.ts';
import type { SessionState } from '../ownership/session.ts';
import { decodeBody, encodeBody, encodeValue, readAnswer } from '../routing/answers.ts';
import { unavailable } from '../routing/statuses.ts';
import { ownProblemsOf, problemsOf } from './health.ts';
import type { Placement } from './placement.ts';
import { Replacing } from './replacing.ts';
import type { Roster } from './roster.ts';
import type { ShardKeeper } from './shard-keeper.ts';
import type { ShardView } from './shard-view.ts';

/** Of a shard led here, by directory ids. */
export interface LedShard {
  readonly shard: number;
  readonly term: number;
  readonly voters: readonly string[];
  readonly learners: readonly string[];
  readonly committedLsn: number;
}

export interface ControlOptions {
  clusterId: string;
  incarnation(): string | undefined;
  self: string;
  shardCount: number;
  store: ClusterStatus['store'];
  /** Why the database does not answer. */
  outage(): string | undefined;
  /** What went wrong last with the link to this node. */
  linkTrouble(node: string): string | undefined;
  /** Copies of a shard that nodes keep; the ring may name more of them, as successors. */
  replicas: number;
  members(): readonly MemberSnapshot[];
  roster: Pick<Roster, 'connected' | 'nameOf'>;
  placement: Pick<Placement, 'plan' | 'ring' | 'why' | 'forget'>;
  view: Pick<ShardView, 'leaderOf' | 'subscribe'>;
  keeper: Pick<ShardKeeper, 'rebalance' | 'confirmed'>;
  coordinator: Pick<Coordinator, 'state' | 'isListener'>;
  session(): SessionState['type'];
  rpc: Pick<Rpc, 'serve' | 'call'>;
  scheduler: Scheduler;
  draining(): Draining;
  /** This node begins or ends to drain. */
  setDraining(how: Draining): void;
}

const ASK_MS = 3_000;
/** A link to a newcomer takes a moment, ms. */
const LINK_MS = 5_000;
/** Taken from one node. */
const MOST_PROBLEMS = 64;
/** The client map is looked at this long after a change: many shards change at once. */
const MAP_MS = 50;

const drainBody = object<{ how: string }>({ how: string });
const ledShard: Check<LedShard> = object<LedShard>({
  shard: integer,
  term: integer,
  voters: list(string),
  learners: list(string),
  committedLsn: integer,
});
const ledShards = list(ledShard);
const problems = list(
  object<ClusterProblem>({ severity: oneOf('warning', 'error'), subject: string, what: string, hint: string }),
);
const count: Check<number> = integer;
const nothing: Check<undefined> = () => undefined;

const isDraining = (text: string): text is Draining => text === 'no' || text === 'leadership' || text === 'everything';

export class Control implements ClusterControl {
  readonly #options: ControlOptions;
  readonly #replacing: Replacing;
  readonly #listeners = new Set<() => void>();
  #map: ClientMap;
  #looking = false;

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#map = { version: 0, shardCount: options.shardCount, nodes: [], leaders: [] };
    const { rpc, keeper, setDraining, view } = options;
    this.#replacing = new Replacing(options);
    // Whoever says it: a node that holds no replica of a shard hears of its leader from others alone.
    view.subscribe(() => this.#changed());
    rpc.serve('cluster.shards', (call) => void this.#confirmed().then((led) => call.answer(encodeValue(led))));
    rpc.serve('cluster.problems', (call) =>
      call.answer(encodeValue(ownProblemsOf(this.status()).slice(0, MOST_PROBLEMS))),
    );
    rpc.serve('cluster.rebalance', (call) => call.answer(encodeValue(keeper.rebalance())));
    rpc.serve('cluster.drain', (call, bytes) => {
      const { how } = drainBody(decodeBody(bytes));
      if (isDraining(how)) setDraining(how);
      call.answer(encodeValue(null));
    });
  }

  /** Members, or who leads what, may be others. */
  #changed(): void {
    if (this.#looking) return;
    this.#looking = true;
    this.#options.scheduler.after(MAP_MS, () => {
      this.#looking = false;
      const next = this.#look();
      const { nodes, leaders } = this.#map;
      if (JSON.stringify([nodes, leaders]) === JSON.stringify([next.nodes, next.leaders])) return;
      this.#map = next;
      for (const listener of this.#listeners) listener();
    });
  }

  draining(): Draining {
    return this.#options.draining();
  }

  clientMap(): ClientMap {
    return this.#map;
  }

  onClientMap(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  status(): ClusterStatus {
    const { clusterId, incarnation, self, shardCount, store, replicas, placement, coordinator, session } =
      this.#options;
    const outage = this.#options.outage();
    return {
      ...{ clusterId, self, shardCount, store, replicas },
      ...(outage !== undefined && { outage }),
      incarnation: incarnation(),
      planVersion: placement.plan.version,
      planning: placement.why,
      coordinator: coordinator.state,
      ...(coordinator.isListener && { coordinatedBy: 'listener' as const }),
      session: session(),
      members: this.#members(),
    };
  }

  shards(done: Done<readonly ShardStatus[]>): void {
    const { self, roster } = this.#options;
    const found = new Map<number, { node: string; shard: LedShard }>();
    const take = (node: string, shards: readonly LedShard[]): void => {
      for (const shard of shards) {
        const known = found.get(shard.shard);
        if (known === undefined || known.shard.term < shard.term) found.set(shard.shard, { node, shard });
      }
    };
    const nodes = roster.connected();
    const asked = nodes.map((node) => this.#ask(node, 'cluster.shards', {}, ledShards));
    void Promise.all([this.#confirmed(), ...asked]).then((answers) => {
      answers.forEach((shards, i) => {
        take([self, ...nodes][i] ?? '', shards ?? []);
      });
      done(undefined, this.#statuses(found));
    });
  }

  health(done: Done<readonly ClusterProblem[]>): void {
    const asked = this.#options.roster.connected().map((node) => this.#ask(node, 'cluster.problems', {}, problems));
    this.shards((error, shards) => {
      if (shards === undefined) done(error, undefined);
      else
        void Promise.all(asked).then((found) =>
          done(
            undefined,
            problemsOf(
              this.status(),
              shards,
              found.flatMap((some) => some?.slice(0, MOST_PROBLEMS) ?? []),
            ),
          ),
        );
    });
  }

  drain(node: string, how: Draining, done: Done<undefined>): void {
    if (node === this.#options.self) {
      this.#options.setDraining(how);
      done(undefined, undefined);
      return;
    }
    if (!this.#options.roster.connected().includes(node)) {
      const isKnown = this.#members().some(
        ({ name, planned, state }) => name === node && (planned || state !== 'left'),
      );
      done(isKnown ? notTold(node) : notFound(node), undefined);
      return;
    }
    void this.#ask(node, 'cluster.drain', { how }, nothing, 'told').then((answer) => {
      if (answer === 'told') done(undefined, undefined);
      else done(unavailable(`Node ${node} did not answer: it may drain, or not. Ask again.`, 'maybe'), undefined);
    });
  }

  rebalance(done: Done<{ readonly transfers: number }>): void {
    const here = this.#options.keeper.rebalance();
    const asked = this.#options.roster.connected().map((node) => this.#ask(node, 'cluster.rebalance', {}, count));
    void Promise.all(asked).then((counts) =>
      done(undefined, { transfers: counts.reduce<number>((sum, n) => sum + (n ?? 0), here) }),
    );
  }

  replace(node: string, done: Done<undefined>): void {
    void this.#replacing.replace(node).then((problem) => done(problem, undefined));
  }

  // ---------------------------------------------------------------- inside

  async #confirmed(): Promise<LedShard[]> {
    const confirmed = await this.#options.keeper.confirmed();
    return confirmed.map(({ shard, term, commit, voters, learners }) => ({
      ...{ shard, term, committedLsn: commit, voters, learners },
    }));
  }

  #ask<T>(node: string, method: string, body: object, check: Check<T>): Promise<T | undefined>;
  #ask<T, A>(node: string, method: string, body: object, check: Check<T>, answered: A): Promise<A | undefined>;
  #ask<T, A>(node: string, method: string, body: object, check: Check<T>, answered?: A): Promise<T | A | undefined> {
    return new Promise((resolve) => {
      this.#options.rpc.call(node, method, encodeBody(body), ASK_MS, (error, bytes) => {
        const answer = error === undefined && bytes !== undefined ? readAnswer(bytes, check) : undefined;
        if (answer?.type !== 'value') resolve(undefined);
        else resolve(answered ?? answer.value);
      });
    });
  }

  #nameOf(directoryId: string): string {
    const { roster, placement } = this.#options;
    const planned = placement.plan.members.find((member) => member.directoryId === directoryId);
    return roster.nameOf(directoryId) ?? planned?.name ?? directoryId;
  }

  #statuses(found: ReadonlyMap<number, { node: string; shard: LedShard }>): ShardStatus[] {
    const { shardCount, replicas, placement, view } = this.#options;
    const { ring } = placement;
    return Array.from({ length: shardCount }, (_, shard): ShardStatus => {
      const of = found.get(shard);
      const desired = ring?.replicasOf(shardId(shard)).slice(0, replicas) ?? [];
      return {
        shard,
        leader: of?.node,
        term: of?.shard.term ?? view.leaderOf(shard)?.term ?? 0,
        voters: (of?.shard.voters ?? []).map((id) => this.#nameOf(id)),
        learners: (of?.shard.learners ?? []).map((id) => this.#nameOf(id)),
        desired: desired.map(({ name }) => name),
        committedLsn: of?.shard.committedLsn ?? 0,
      };
    });
  }

  /** Members of the plan that are there and go on holding shards. */
  #staying(): number {
    const { members, placement } = this.#options;
    const stays = new Set(
      members()
        .filter(({ state, draining }) => (state === 'alive' || state === 'suspect') && draining !== 'everything')
        .map(({ directoryId }) => directoryId),
    );
    return placement.plan.members.filter(({ directoryId }) => stays.has(directoryId)).length;
  }

  #linkOf({ name, state, inStateMs }: MemberSnapshot): Pick<ClusterMember, 'linkTrouble'> {
    const { self, roster, linkTrouble } = this.#options;
    if (name === self || state !== 'alive' || inStateMs < LINK_MS || roster.connected().includes(name)) return {};
    return { linkTrouble: linkTrouble(name) ?? 'it has not come about yet' };
  }

  #members(): ClusterMember[] {
    const { members, placement, view, shardCount, replicas } = this.#options;
    const leads = new Map<string, number>();
    for (let shard = 0; shard < shardCount; shard += 1) {
      const leader = view.leaderOf(shard)?.directoryId;
      if (leader !== undefined) leads.set(leader, (leads.get(leader) ?? 0) + 1);
    }
    const loads = new Map(placement.ring?.loads().map((load) => [load.member.directoryId, load]));
    const planned = new Map(placement.plan.members.map((member) => [member.directoryId, member]));
    const isShort = this.#staying() < replicas;
    const isPlannedToStay = (directoryId: string): boolean => {
      const member = planned.get(directoryId);
      return member !== undefined && member.drain !== 'everything';
    };
    const shared = (directoryId: string, draining: Draining) => ({
      mustStay: isShort && draining === 'everything' && isPlannedToStay(directoryId),
      planned: planned.has(directoryId),
      leads: leads.get(directoryId) ?? 0,
      shouldLead: loads.get(directoryId)?.leaderships ?? 0,
      shouldHold: (replicas === 1 ? loads.get(directoryId)?.leaderships : loads.get(directoryId)?.replicas) ?? 0,
    });
    const seen = members().map((member): ClusterMember => {
      const { name, directoryId, addresses, zone, weight, roles, version, state, inStateMs, draining, load } = member;
      return {
        ...{ name, directoryId, addresses, zone, weight, roles, version, state, inStateMs, draining, load },
        ...shared(directoryId, draining),
        ...this.#linkOf(member),
      };
    });
    const known = new Set(seen.map(({ directoryId }) => directoryId));
    const absent = [...planned.values()]
      .filter(({ directoryId }) => !known.has(directoryId))
      .map(
        ({ name, directoryId, zone, weight, drain }): ClusterMember => ({
          ...{ name, directoryId, zone, weight, draining: drain, state: 'absent', inStateMs: 0, load: 0, roles: [] },
          version: '',
          addresses: { client: '', gossip: '', link: '' },
          ...shared(directoryId, drain),
        }),
      );
    return [...seen, ...absent].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #look(): ClientMap {
    const { members, view, shardCount } = this.#options;
    const live = members()
      .filter(({ state, addresses }) => (state === 'alive' || state === 'suspect') && addresses.client !== '')
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const at = new Map(live.map(({ directoryId }, index) => [directoryId, index]));
    return {
      version: this.#map.version + 1,
      shardCount,
      nodes: live.map(({ name, addresses, draining }) => ({
        name,
        address: addresses.client,
        draining: draining !== 'no',
      })),
      leaders: Array.from({ length: shardCount }, (_, shard) => at.get(view.leaderOf(shard)?.directoryId ?? '') ?? -1),
    };
  }
}

const notFound = (node: string) => ({
  code: StatusCode.NOT_FOUND,
  message: `No node called ${JSON.stringify(node)} is of this cluster: tenuto cluster members lists them.`,
});

const notTold = (node: string) => ({
  code: StatusCode.FAILED_PRECONDITION,
  message: `Node ${node} was not told, as this node has no link to it: ask again, or at another node. If it is gone for good: tenuto cluster replace ${node}`,
});

// The first shards of a cluster: made once, by the members of the first plan, each for itself, from the same voters (DESIGN §1, Amnesia). A
// coordinator that forgets might hand out a second first plan; so a directory agrees to one for ever, durably, and makes nothing before all members
// of that plan have agreed to the same. Everybody else, a newcomer or an emptied directory, learns its shards from those that have them.

import { boolean, type Check, object, string } from '../../src/frontend/validate/check.ts';
import type { Cancelable, Scheduler } from '../../src/ports/clock.ts';
import { type ShardId, shardId } from '../../src/ports/ids.ts';
import type { Log } from '../../src/ports/log.ts';
import type { Rpc } from '../link/rpc.ts';
import { decodePlan } from '../ring/plan-codec.ts';
import { Ring } from '../ring/ring.ts';
import { decodeBody, encodeBody, encodeValue, readAnswer } from '../routing/answers.ts';
import { unavailable } from '../routing/statuses.ts';
import { RESTORED } from './state.ts';

/** What of it is kept with the directory. */
export interface BirthState {
  /** The first plan this directory agreed to; ''. */
  readonly firstPlan: string;
  readonly born: boolean;
}

export interface BirthOptions {
  self: string;
  shardCount: number;
  replicas: number;
  rpc: Pick<Rpc, 'serve' | 'call'>;
  scheduler: Scheduler;
  log: Log;
  /** Name of the node that has this directory, if it is connected. */
  nameOf(directoryId: string): string | undefined;
  /** Every node that is connected. */
  peers(): readonly string[];
  state(): BirthState;
  /** Durable when it resolves. */
  save(state: BirthState): Promise<void>;
  has(shard: ShardId): boolean;
  /** Whether there is any replica in this directory. */
  holdsAny(): boolean;
  create(shard: ShardId, voters: readonly string[]): Promise<void>;
}

const METHOD = 'cluster.firstPlan';
const WORD = 'cluster.firstPlanWord';
const RETRY_MS = 200;
const ASK_MS = 2_000;
/** Nodes named in the log for their other plan. */
const MOST_NAMED = 16;
/** Shards made at once: each is one entry. */
const AT_ONCE = 256;

type Agreement = 'same' | 'other' | 'none';
const agreement: Check<Agreement> = (value) => (value === 'same' || value === 'other' ? value : 'none');
const request = object<{ plan: string }>({ plan: string });

/** What a node says of its own first plan. */
interface Word {
  readonly plan: string;
  /** It has shards: whoever made them, a cluster is there. */
  readonly holds: boolean;
}

const word = object<Word>({ plan: string, holds: boolean });

export class Birth {
  readonly #options: BirthOptions;
  /** Nodes whose other first plan the log has named. */
  readonly #named = new Set<string>();
  #timer: Cancelable | undefined;
  /** What was agreed to last is durable when it resolves. */
  #kept: Promise<void> = Promise.resolve();
  #running = false;
  #stopped = false;

  constructor(options: BirthOptions) {
    this.#options = options;
    options.rpc.serve(WORD, (call) =>
      call.answer(encodeValue({ plan: options.state().firstPlan, holds: options.holdsAny() })),
    );
    options.rpc.serve(METHOD, (call, bytes) => {
      const { plan } = request(decodeBody(bytes));
      this.#agree(plan).then(
        (answer) => {
          call.answer(encodeValue(answer));
          if (answer === 'other') this.#contradicted(call.from, plan);
        },
        (error: unknown) => {
          options.log.error({ error: asError(error) }, 'the first plan could not be kept: this node agrees to none');
          call.refuse(unavailable('Node cannot keep a first plan: its disk refused it.', 'no'));
        },
      );
    });
  }

  get isOver(): boolean {
    return this.#options.state().born;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** A plan is in force. Only the very first one is of interest, and only to those that have none yet. */
  async planned(text: string): Promise<void> {
    const plan = decodePlan(text);
    const { self, state } = this.#options;
    if (plan === undefined || state().born) return;
    if (plan.version > 1 || !plan.members.some(({ directoryId }) => directoryId === self)) {
      // The cluster was there before this directory: it makes nothing. What it had agreed to before stays its word.
      if (plan.version > 1 && state().firstPlan === '') await this.#keep({ firstPlan: '', born: true });
      return;
    }
    if (state().firstPlan === '') this.#keep({ firstPlan: text, born: false });
    // Another may have asked just before: what it was told waits for the same write.
    await this.#kept;
    this.begin();
  }

  /** Goes on with what a crash cut short, or has just begun. */
  begin(): void {
    const { state } = this.#options;
    if (this.#running || this.#stopped || state().born || state().firstPlan === '') return;
    this.#running = true;
    void this.#round();
  }

  /**
   * Another member of a first plan asks. Whoever missed it, and has nothing yet, agrees now. A directory that came to a cluster with later plans
   * agrees to none any more: they are made only once all members of the first one have agreed (placement.ts), and it was none of them.
   */
  async #agree(text: string): Promise<Agreement> {
    const { self, state, holdsAny } = this.#options;
    const { firstPlan, born } = state();
    if (firstPlan !== '') {
      // Not before it is durable: after a crash it could agree to another.
      await this.#kept;
      return firstPlan === text ? 'same' : 'other';
    }
    const plan = decodePlan(text);
    const isMember = plan?.version === 1 && plan.members.some(({ directoryId }) => directoryId === self);
    if (!isMember) return 'none';
    if (born) return 'other';
    if (holdsAny()) return 'none';
    await this.#keep({ firstPlan: text, born: false });
    this.begin();
    return 'same';
  }

  #keep(birth: BirthState): Promise<void> {
    this.#kept = this.#options.save(birth);
    // Whoever waits for it is told.
    this.#kept.catch(() => undefined);
    return this.#kept;
  }

  async #round(): Promise<void> {
    const { scheduler, log, state } = this.#options;
    try {
      const verdict = await this.#ask();
      if (this.#stopped) return;
      if (verdict === 'agreed') {
        await this.#create(state().firstPlan);
        this.#running = false;
        return;
      }
      if (Array.isArray(verdict)) {
        await this.#options.save({ ...state(), born: true });
        await this.#explain(verdict);
        this.#running = false;
        return;
      }
    } catch (error) {
      if (!this.#stopped) log.error({ error: asError(error) }, 'the first shards cannot be made');
    }
    if (!this.#stopped) this.#timer = scheduler.after(RETRY_MS, () => void this.#round());
  }

  /** All members of the plan must have agreed, and nobody else may have agreed to another: names of those that have. */
  async #ask(): Promise<'agreed' | 'not yet' | readonly string[]> {
    const { self, nameOf, peers, state } = this.#options;
    const text = state().firstPlan;
    const plan = decodePlan(text);
    if (plan === undefined) return 'not yet';
    const others = plan.members
      .filter(({ directoryId }) => directoryId !== self)
      .map(({ directoryId }) => nameOf(directoryId));
    if (others.includes(undefined)) return 'not yet';
    const asked = [...new Set([...others, ...peers()])].filter((name) => name !== undefined);
    const answers = new Map<string, Agreement | undefined>();
    await Promise.all(asked.map(async (name) => answers.set(name, await this.#askOne(name, text))));
    const refusing = [...answers].filter(([, answer]) => answer === 'other').map(([name]) => name);
    if (refusing.length > 0) return refusing;
    return others.every((name) => answers.get(name ?? '') === 'same') ? 'agreed' : 'not yet';
  }

  #askOne(node: string, plan: string): Promise<Agreement | undefined> {
    return new Promise((resolve) => {
      this.#options.rpc.call(node, METHOD, encodeBody({ plan }), ASK_MS, (error, bytes) => {
        const answer = error === undefined && bytes !== undefined ? readAnswer(bytes, agreement) : undefined;
        resolve(answer?.type === 'value' ? answer.value : undefined);
      });
    });
  }

  /** Another asks this node to agree to its plan, and this one has given its word on a different one. */
  #contradicted(node: string, plan: string): void {
    const { state, holdsAny } = this.#options;
    // Shards that were there before any plan: who asks learns them.
    if (!isBeforePlans(state().firstPlan)) this.#name(node, { plan, holds: false }, holdsAny());
  }

  /** Why this node makes no shards: others have theirs, or have agreed to something else. */
  async #explain(nodes: readonly string[]): Promise<void> {
    const { log, holdsAny } = this.#options;
    for (const node of nodes) {
      const answer = await this.#wordOf(node);
      if (answer !== undefined && isBeforePlans(answer.plan)) {
        log.info(
          { node },
          'the shards of this cluster were made before its first plan, as by a restore: this node learns them from those that have them',
        );
      } else this.#name(node, answer, holdsAny());
    }
  }

  #name(node: string, other: Word | undefined, holdsHere: boolean): void {
    const { log, state } = this.#options;
    if (this.#named.has(node) || this.#named.size >= MOST_NAMED) return;
    this.#named.add(node);
    const fields = { node, here: described(state().firstPlan), there: described(other?.plan ?? '') };
    const wayOut =
      other?.holds === true && !holdsHere
        ? `the other one has shards: stop this node, empty its data directory and start it again, and it joins node ${node}`
        : holdsHere
          ? `this one has shards: stop node ${node}, empty its data directory and start it again, and it joins`
          : 'neither has shards, so nothing is lost: stop the nodes of both plans, empty their data directories, and start them again';
    log.error(
      fields,
      `node ${node} has agreed to another first plan of this cluster, as happens when Redis forgets in the cluster's first seconds. Here: ${fields.here}; there: ${fields.there}. No shards are made while both stand. Way out: ${wayOut}`,
    );
  }

  #wordOf(node: string): Promise<Word | undefined> {
    return new Promise((resolve) => {
      this.#options.rpc.call(node, WORD, encodeBody({}), ASK_MS, (error, bytes) => {
        const answer = error === undefined && bytes !== undefined ? readAnswer(bytes, word) : undefined;
        resolve(answer?.type === 'value' ? answer.value : undefined);
      });
    });
  }

  async #create(text: string): Promise<void> {
    const { self, shardCount, replicas, has, create, save, log } = this.#options;
    const plan = decodePlan(text);
    if (plan === undefined) return;
    const ring = new Ring({ members: plan.members, shardCount, replicas });
    let made = 0;
    for (let from = 0; from < shardCount; from += AT_ONCE) {
      if (this.#stopped) return;
      const some: Promise<void>[] = [];
      for (let n = from; n < Math.min(shardCount, from + AT_ONCE); n += 1) {
        const shard = shardId(n);
        const voters = ring.replicasOf(shard).map(({ directoryId }) => directoryId);
        if (voters.includes(self) && !has(shard)) some.push(create(shard, voters));
      }
      made += some.length;
      await Promise.all(some);
    }
    await save({ firstPlan: text, born: true });
    log.info({ shards: made, members: plan.members.length }, 'the first shards of the cluster were made');
  }
}

/** Of who has shards: they were made before the cluster had plans. */
const isBeforePlans = (firstPlan: string): boolean => firstPlan === '' || firstPlan === RESTORED;

/** For people: who made it, and for which nodes. */
function described(text: string): string {
  const plan = decodePlan(text);
  if (plan === undefined) return 'a plan this node cannot tell';
  const names = plan.members.map(({ name }) => name);
  const proposer = plan.members.find(({ directoryId }) => directoryId === plan.proposer)?.name ?? plan.proposer;
  return `by ${proposer}, for ${names.join(', ')}, in force from ${new Date(plan.validFromMs).toISOString()}`;
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

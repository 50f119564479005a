// Leaders say of themselves what they lead, to every node they are connected with and to the coordinator, so that requests go straight to
// them. A hint: what is lost or late costs a redirect. Called by cluster-node.ts.

import { type Check, integer, list, object } from '../../src/frontend/validate/check.ts';
import type { Cancelable, Scheduler } from '../../src/ports/clock.ts';
import { type Coordinator, type LeaderHint, MAX_HINTS } from '../../src/ports/coordinator.ts';
import { type ShardId, shardId, term } from '../../src/ports/ids.ts';
import type { Rpc } from '../link/rpc.ts';
import { decodeBody, encodeBody, encodeValue } from '../routing/answers.ts';
import type { ShardView } from './shard-view.ts';

export interface LeaderNewsOptions {
  self: string;
  view: ShardView;
  rpc: Pick<Rpc, 'serve' | 'call'>;
  coordinator: Coordinator;
  scheduler: Scheduler;
  /** Names of the nodes that are connected, and the directory of one. */
  peers(): readonly string[];
  directoryOf(node: string): string | undefined;
  /** Shards led here, and their terms. */
  led(): readonly { shard: ShardId; term: number }[];
}

const METHOD = 'cluster.leaders';
/** Changes are told together, so often at most, ms. */
const TELL_MS = 20;
/** The coordinator is told of those that changed, ms. */
const PUBLISH_MS = 2_000;
/** Who did not hear is told again, everything, after so long, ms. */
const RETELL_MS = 2_000;
/** Shards in one message. */
const MOST = 65_536;

const word: Check<{ shards: number[]; terms: number[] }> = object<{ shards: number[]; terms: number[] }>({
  shards: list(integer),
  terms: list(integer),
});

export class LeaderNews {
  readonly #options: LeaderNewsOptions;
  #fresh = new Map<ShardId, number>();
  #unpublished = new Map<ShardId, number>();
  #telling: Cancelable | undefined;
  /** Nodes that may lack something: as many as are connected. */
  #unsure = new Set<string>();
  #retelling: Cancelable | undefined;
  #publishing: Cancelable | undefined;
  #stopped = false;

  constructor(options: LeaderNewsOptions) {
    this.#options = options;
    options.rpc.serve(METHOD, (call, bytes) => {
      const { shards, terms } = word(decodeBody(bytes));
      call.answer(encodeValue(null));
      const directoryId = options.directoryOf(call.from);
      if (directoryId === undefined) return;
      for (let i = 0; i < Math.min(shards.length, MOST); i += 1) {
        const shard = shards[i];
        const inTerm = terms[i];
        if (shard === undefined || inTerm === undefined || inTerm < 1) continue;
        if (shard < 0 || shard >= options.view.shardCount) continue;
        options.view.heard(shardId(shard), inTerm, directoryId);
      }
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#telling?.cancel();
    this.#retelling?.cancel();
    this.#publishing?.cancel();
  }

  /** This node leads a shard since just now. */
  leading(shard: ShardId, inTerm: number): void {
    if (this.#stopped) return;
    this.#fresh.set(shard, inTerm);
    this.#unpublished.set(shard, inTerm);
    this.#telling ??= this.#options.scheduler.after(TELL_MS, () => this.#tell());
    this.#publishing ??= this.#options.scheduler.after(PUBLISH_MS, () => void this.#publish());
  }

  /** A node has just been connected: it hears of everything. */
  greet(node: string): void {
    this.#say(node, this.#options.led());
  }

  /** What the coordinator last heard, for a node that has just started. */
  async learn(): Promise<void> {
    const outcome = await this.#options.coordinator.readLeaders();
    if (outcome.type !== 'ok' || this.#stopped) return;
    for (const { shard, term: inTerm, directoryId } of outcome.value)
      this.#options.view.heard(shard, inTerm, directoryId);
  }

  #tell(): void {
    this.#telling = undefined;
    const news = [...this.#fresh].map(([shard, inTerm]) => ({ shard, term: inTerm }));
    this.#fresh = new Map();
    for (const node of this.#options.peers()) this.#say(node, news);
  }

  #say(node: string, news: readonly { shard: ShardId; term: number }[]): void {
    if (news.length === 0) return;
    const body = encodeBody({ shards: news.map(({ shard }) => shard), terms: news.map(({ term: t }) => t) });
    this.#options.rpc.call(node, METHOD, body, 5_000, (error) => {
      if (error !== undefined) this.#notHeard(node);
    });
  }

  /** A node that holds no replica of a shard has this word alone: an old one would send it to a leader that is gone, for ever. */
  #notHeard(node: string): void {
    if (this.#stopped) return;
    this.#unsure.add(node);
    this.#retelling ??= this.#options.scheduler.after(RETELL_MS, () => {
      this.#retelling = undefined;
      const nodes = this.#unsure;
      this.#unsure = new Set();
      const { peers, led } = this.#options;
      // One that went is greeted when it comes again.
      for (const one of peers()) if (nodes.has(one)) this.#say(one, led());
    });
  }

  async #publish(): Promise<void> {
    this.#publishing = undefined;
    const { self, coordinator, scheduler } = this.#options;
    const news = [...this.#unpublished].slice(0, MAX_HINTS);
    for (const [shard] of news) this.#unpublished.delete(shard);
    const hints = news.map(([shard, inTerm]): LeaderHint => ({ shard, term: term(inTerm), directoryId: self }));
    const outcome = await coordinator.publishLeaders(hints);
    if (this.#stopped) return;
    // Whoever asks there meanwhile is redirected.
    if (outcome.type === 'unavailable')
      for (const [shard, inTerm] of news) if (!this.#unpublished.has(shard)) this.#unpublished.set(shard, inTerm);
    if (this.#unpublished.size > 0) this.#publishing ??= scheduler.after(PUBLISH_MS, () => void this.#publish());
  }
}

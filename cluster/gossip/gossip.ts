// Gossip as a node uses it: start, see who is there, hear of changes, say what changed here, leave, stop. It says who is *probably* alive; it
// hints placement and never grants ownership (DESIGN §7). Made by the composition root (src/node.ts); several may live in one process.

import type { Draining } from '../../src/ports/cluster.ts';
import { parseAddress } from './core/address.ts';
import { type GossipConfig, GossipConfigError, LAN } from './core/config.ts';
import { GossipCore } from './core/core.ts';
import type { MemberSnapshot } from './core/member.ts';
import { metaProblem, type NodeMeta } from './core/meta.ts';
import { Limiter, type Notice } from './core/notices.ts';
import type { JoinOutcome, MemberChange } from './core/outputs.ts';
import { explainToRefused, isTaken, isTemporary, type RefusalReason } from './core/refusal.ts';
import { DirectoryPoll } from './directory-poll.ts';
import { Envelopes } from './envelope.ts';
import { Host } from './host.ts';
import { metaOf } from './identity.ts';
import { checkOptions, DEFAULT_GOSSIP_PORT, type GossipOptions, type MetaChanges } from './options.ts';
import type { AnnouncedNode } from './peer-directory.ts';
import { SocketTransport } from './sockets.ts';
import type { Transport } from './transport.ts';

/** The cluster does not take this node in, and time will not change it. */
export class GossipRefusedError extends Error {
  override readonly name = 'GossipRefusedError';
  readonly reason: RefusalReason;
  /** What is to be done says the message: it depends on the reason. */
  readonly hint = 'Nothing was changed, and the cluster goes on without it.';

  constructor(reason: RefusalReason, by: string) {
    super(`the cluster does not let this node in (${by} says): ${explainToRefused(reason)}`);
    this.reason = reason;
  }
}

export interface StartOptions {
  /**
   * ms for which a start waits when another node seems to have its name or directory: where something else (a lease) says that this one ended, it was
   * killed just now, and is about to be found dead. Default 0.
   */
  readonly patienceMs?: number;
  /** What this node says of its draining from its first word on: said a moment later, it might never be. Default 'no'. */
  readonly draining?: Draining;
}

type State = 'new' | 'starting' | 'running' | 'stopped';

export class Gossip {
  readonly #options: GossipOptions;
  readonly #config: GossipConfig;
  readonly #transport: Transport;
  readonly #host: Host;
  readonly #listeners = new Set<(change: MemberChange) => void>();
  readonly #noticeListeners = new Set<(notice: Notice) => void>();
  readonly #limiter = new Limiter();
  #state: State = 'new';
  #meta: NodeMeta | undefined;
  #core: GossipCore | undefined;
  #poll: DirectoryPoll | undefined;
  #onRound: ((outcome: JoinOutcome) => void) | undefined;
  #onDeparted: (() => void) | undefined;
  #stopping: Promise<void> | undefined;
  /** Until when a start waits for who has its name or directory, ms, monotonic. */
  #patientUntilMs = Number.NEGATIVE_INFINITY;

  /** @throws GossipConfigError for options that cannot be meant. */
  constructor(options: GossipOptions) {
    checkOptions(options);
    const { clusterId, clock, scheduler, listen = {}, keyring } = options;
    this.#options = options;
    this.#config = options.config ?? LAN;
    this.#transport =
      options.transport ??
      new SocketTransport({
        ip: listen.ip ?? '127.0.0.1',
        port: listen.port ?? DEFAULT_GOSSIP_PORT,
        envelopes: new Envelopes(clusterId, keyring),
        clock,
        scheduler,
        streamTimeoutMs: this.#config.streamTimeoutMs,
        maxStreams: this.#config.maxStreams,
      });
    this.#host = new Host(this.#transport, clock, scheduler, {
      change: (change) => this.#changed(change),
      notice: (notice) => this.#noticed(notice),
      joinRound: (outcome) => this.#onRound?.(outcome),
      departed: () => this.#onDeparted?.(),
    });
  }

  /**
   * Listens, and calls the seeds once. Resolves with `joined`, or with `alone` when none answered: it goes on calling by itself, and a lone
   * first node is fine.
   *
   * @throws GossipStartError when it cannot listen. @throws GossipConfigError. @throws GossipRefusedError when a seed refuses us for good and none
   * takes us in; refusals that time cures (a name just died) are waited for.
   */
  async start({ patienceMs = 0, draining = 'no' }: StartOptions = {}): Promise<'joined' | 'alone'> {
    if (this.#state !== 'new') throw new Error(`gossip was started before: it is ${this.#state}`);
    this.#state = 'starting';
    this.#patientUntilMs = this.#options.clock.monotonic() + patienceMs;
    try {
      const bound = await this.#transport.open(this.#host);
      const meta = await metaOf(this.#options, { bound, draining });
      this.#meta = meta;
      const { random, directory, scheduler, seeds = [] } = this.#options;
      let peers: readonly string[] = [];
      if (directory !== undefined) {
        this.#poll = new DirectoryPoll({
          directory,
          scheduler,
          self: () => this.#announced(),
          alone: () => this.members().filter(({ state }) => state === 'alive').length <= 1,
          onPeers: (addresses) => {
            peers = addresses.filter((address) => parseAddress(address) !== undefined);
            if (this.#core !== undefined) this.#host.do(this.#core.setSeeds(this.#host.now, [...seeds, ...peers]));
          },
          onFailure: (message) => this.#trouble(message),
        });
        await this.#poll.start();
      }
      this.#mustNotBeStopped();
      this.#core = new GossipCore({ meta, config: this.#config, random, seeds: [...seeds, ...peers] }, this.#host.now);
      const outcome = await this.#firstRound(this.#core);
      this.#mustNotBeStopped();
      this.#state = 'running';
      return outcome;
    } catch (error) {
      const stopped = this.#stopping !== undefined;
      await this.stop();
      // Stopped while it opened its sockets, it has closed none of those that came after.
      await this.#transport.close();
      throw stopped ? new Error('gossip was stopped while it started') : error;
    }
  }

  /** Where others reach this node's gossip: `ip:port`. @throws Error before it started */
  get address(): string {
    return this.#self.addresses.gossip;
  }

  /** All members known, this one and the dead and departed included; see `state`. */
  members(): MemberSnapshot[] {
    return this.#core?.members(this.#host.now.monotonicMs) ?? [];
  }

  member(name: string): MemberSnapshot | undefined {
    return this.#core?.member(name, this.#host.now.monotonicMs);
  }

  /** How sick this node finds itself: 0 (well) to `awarenessMax` - 1. For metrics. */
  get healthScore(): number {
    return this.#core?.healthScore ?? 0;
  }

  /** Hears of every change, in order, from the moment it happens here. @returns stops listening */
  onChange(listener: (change: MemberChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Hears of refusals, clocks that differ, and trouble; each subject at most every ten seconds. All are logged as well. */
  onNotice(listener: (notice: Notice) => void): () => void {
    this.#noticeListeners.add(listener);
    return () => void this.#noticeListeners.delete(listener);
  }

  /** Tells the others what changed here, at most once per `metaIntervalMs`. @throws GossipConfigError for what cannot be meant */
  setMeta(changes: MetaChanges): void {
    const self = this.#self;
    const { clientAddress: client, linkAddress: link, ...rest } = changes;
    const addresses = {
      ...self.addresses,
      ...(client !== undefined && { client }),
      ...(link !== undefined && { link }),
    };
    const meta: NodeMeta = { ...self, ...rest, addresses };
    const problem = metaProblem(meta);
    if (problem !== undefined) throw new GossipConfigError(problem);
    this.#meta = meta;
    if (this.#core !== undefined) this.#host.do(this.#core.setMeta(this.#host.now, meta));
  }

  /** @param load percent of this node's capacity, 0..100; told when it moved by `loadStep`, at a bounded rate. */
  setLoad(load: number): void {
    if (!(load >= 0 && load <= 100)) throw new RangeError(`load ${load} must be from 0 to 100`);
    if (this.#core !== undefined) this.#host.do(this.#core.setLoad(this.#host.now, Math.round(load)));
  }

  /** Says goodbye, so that the others need not find out; then stops. Resolves when it was told, or after `leaveTimeoutMs`. */
  async leave(): Promise<void> {
    const core = this.#core;
    if (core !== undefined && this.#state === 'running') {
      this.#poll?.stop();
      await new Promise<void>((resolve) => {
        this.#onDeparted = resolve;
        this.#host.do(core.leave(this.#host.now));
      });
    }
    await this.stop();
  }

  /** At once, without a word: the others will find out. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#state = 'stopped';
    this.#poll?.stop();
    this.#host.stop();
    await this.#transport.close();
    this.#onDeparted?.();
    // Whoever waits for the first round waits in vain now.
    this.#onRound?.({ type: 'alone' });
  }

  get #self(): NodeMeta {
    if (this.#meta === undefined) throw new Error('gossip has not been started');
    return this.#meta;
  }

  #mustNotBeStopped(): void {
    if (this.#state === 'stopped') throw new Error('stopped');
  }

  #firstRound(core: GossipCore): Promise<'joined' | 'alone'> {
    return new Promise((resolve, reject) => {
      this.#onRound = (outcome) => {
        if (outcome.type === 'refused' && this.#waitsOut(outcome.reason) && this.#state !== 'stopped') return;
        this.#onRound = undefined;
        if (outcome.type === 'refused') reject(new GossipRefusedError(outcome.reason, outcome.by));
        else resolve(outcome.type);
      };
      this.#host.run(core);
    });
  }

  #waitsOut(reason: RefusalReason): boolean {
    return isTemporary(reason) || (isTaken(reason) && this.#isPatient);
  }

  get #isPatient(): boolean {
    return this.#state === 'starting' && this.#options.clock.monotonic() < this.#patientUntilMs;
  }

  #announced(): AnnouncedNode {
    const { name, directoryId, addresses } = this.#self;
    return { name, directoryId, gossipAddress: addresses.gossip, clientAddress: addresses.client };
  }

  #changed(change: MemberChange): void {
    const { log } = this.#options;
    const { name, addresses, incarnation, zone } = change.member;
    const fields = { member: name, address: addresses.gossip, incarnation, zone };
    // What happens to this node by its own doing is no news to who reads its log.
    if (change.type === 'updated' || name === this.#options.node.name) log.debug(fields, 'member updated');
    else if (change.type === 'died') log.warn(fields, 'member died');
    else log.info(fields, `member ${change.type === 'suspect' ? 'is suspect' : change.type}`);
    for (const listener of this.#listeners) this.#call(() => listener(change));
  }

  #noticed(notice: Notice): void {
    const { log } = this.#options;
    if (notice.kind === 'refused' && isTaken(notice.reason) && this.#isPatient) {
      const { reason, by } = notice;
      log.info(
        { reason },
        `${by} still takes a run of this node, or of its name, for alive: waiting until it is found dead`,
      );
      return;
    }
    if (notice.kind === 'refused' && notice.severity === 'stop') log.error({ reason: notice.reason }, notice.message);
    else log.warn({ notice: notice.kind }, notice.message);
    for (const listener of this.#noticeListeners) this.#call(() => listener(notice));
  }

  #trouble(message: string): void {
    if (!this.#limiter.allow('trouble', this.#options.clock.monotonic())) return;
    this.#noticed({ kind: 'trouble', message });
  }

  /** A listener that throws is its own problem: gossip goes on, and the others hear. */
  #call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#options.log.error({ error: error instanceof Error ? error : String(error) }, 'a gossip listener threw');
    }
  }
}

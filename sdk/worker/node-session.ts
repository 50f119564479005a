// A worker's standing with one node: registered with its share of the credit, over reconnects, with grants collected per tick. What runs and what
// is answered is the worker's business (session.ts).
//
// On every reconnect it registers anew with the tokens the worker holds; what was started for the worker and never arrived is pushed again, same
// attempt. The same is asked for, without registering, when the node says that it leads further shards.

import { StatusCode } from '../../src/wire/status.ts';
import type { RegisterWorkerRequest } from '../../src/wire/worker-session.ts';
import type { Logger } from '../common/logger.ts';
import { isTransient, statusCodeOf } from './answer-errors.ts';
import { Share } from './credit.ts';
import type { WorkerNode } from './ports.ts';
import type { TaskKind } from './session.ts';

const REGISTER_TIMEOUT_MS = 10_000;
/** A worker that stops, or leaves a node, does not wait long for a server that is not there. */
const UNREGISTER_TIMEOUT_MS = 3_000;
const WITHDRAW_TIMEOUT_MS = 3_000;
/** Back-off between registrations: 50 ms doubling to 5 s. */
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 5_000;

export type NodeSessionState =
  /** Its registration is on its way. */
  | 'registering'
  | 'registered'
  /** There is no link, or the last one is about to go. */
  | 'away'
  /** The node is not served any more. */
  | 'left';

export interface NodeSessionOwner {
  readonly workerId: string;
  readonly logger: Logger;
  /** What to register with now: everything granted to this node before is void. */
  registration(session: NodeSession): RegisterWorkerRequest;
  heldTokens(): Uint8Array[];
  registered(session: NodeSession): void;
  lost(session: NodeSession, reason: string): void;
  back(session: NodeSession): void;
  /** The registration was refused for good. */
  refused(session: NodeSession, error: unknown): void;
}

export class NodeSession {
  readonly node: WorkerNode;
  readonly shares: Readonly<Record<TaskKind, Share>> = { workflow: new Share(), activity: new Share() };
  state: NodeSessionState = 'away';
  /** Subscriptions to the node, ended with this session. */
  readonly subscriptions: (() => void)[] = [];
  readonly #owner: NodeSessionOwner;
  readonly #grants: Record<TaskKind, number> = { workflow: 0, activity: 0 };
  /** The rate limit that the node is still to be told of; 0: none. */
  #rate: number | undefined;
  #grantsScheduled = false;
  /** Counts registrations, so that a late answer to an older one changes nothing. */
  #generation = 0;
  /** Takes no tasks any more, on any node. */
  #draining = false;

  constructor(node: WorkerNode, owner: NodeSessionOwner) {
    this.node = node;
    this.#owner = owner;
  }

  /** Registers as soon as there is a link, and over every new one. */
  start(): void {
    this.subscriptions.push(
      this.node.onLinked(() => {
        if (this.state === 'left') return;
        this.#owner.back(this);
        void this.#register();
      }),
      this.node.onDisconnected((reason) => {
        if (this.state === 'left') return;
        this.#generation++;
        this.state = 'away';
        this.#owner.lost(this, reason);
      }),
      this.node.onLeads(() => {
        if (this.state === 'registered') this.#resume();
      }),
    );
    if (this.node.isLinked) void this.#register();
  }

  /** Tells the node of credit that its share has been given already. */
  grant(kind: TaskKind, count: number): void {
    if (this.#draining || this.state === 'away' || this.state === 'left') return;
    this.#grants[kind] += count;
    this.#flushSoon();
  }

  /** Activities per second from now on; undefined: unlimited. A registration to come says it, too. */
  limitActivities(perSecond: number | undefined): void {
    if (this.#draining || this.state === 'away' || this.state === 'left') return;
    this.#rate = perSecond ?? 0;
    this.#flushSoon();
  }

  #flushSoon(): void {
    // What comes while a registration is on its way it has not counted: it goes after it.
    if (this.#grantsScheduled || this.state !== 'registered') return;
    this.#grantsScheduled = true;
    queueMicrotask(() => this.#flushGrants());
  }

  /** Takes credit back; how much the node had left. 0 when it does not answer, or knows no withdrawing. */
  async withdraw(kind: TaskKind, count: number): Promise<number> {
    const generation = this.#generation;
    const { workerId } = this.#owner;
    try {
      const taken = await this.node.request(
        'withdrawCredit',
        { workerId, [kind]: count },
        { timeoutMs: WITHDRAW_TIMEOUT_MS },
      );
      return generation === this.#generation ? taken[kind] : 0;
    } catch (error) {
      // Taken or not: registering again states the credit. A node that refuses has taken nothing.
      if (generation === this.#generation && isTransient(error)) void this.#register();
      else this.#owner.logger.debug('Credit could not be taken back', { node: this.node.name, error });
      return 0;
    }
  }

  /** No new tasks from here on. Resolves when the node knows, or cannot be asked. */
  async drain(): Promise<void> {
    this.#draining = true;
    // What registers over a later link registers without credit.
    if (!this.node.isLinked) return;
    try {
      await this.#unregister();
    } catch (error) {
      this.#owner.logger.debug('The server could not be told that the worker stops', { node: this.node.name, error });
    }
  }

  /** The node is not served any more: takes its leave. What it pushed may still come. */
  leave(): void {
    this.#end();
    this.#unregister().then(
      () => this.#unsubscribe(),
      () => this.#unsubscribe(),
    );
  }

  /** Forgets everything at once. */
  close(): void {
    this.#end();
    this.#unsubscribe();
  }

  #end(): void {
    this.state = 'left';
    this.#generation++;
  }

  #unsubscribe(): void {
    for (const off of this.subscriptions.splice(0)) off();
  }

  async #unregister(): Promise<void> {
    const { workerId } = this.#owner;
    await this.node.request('unregisterWorker', { workerId }, { timeoutMs: UNREGISTER_TIMEOUT_MS });
  }

  async #register(): Promise<void> {
    const generation = ++this.#generation;
    this.state = 'registering';
    for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(delayMs * 2, MAX_RETRY_MS)) {
      try {
        this.#grants.workflow = 0;
        this.#grants.activity = 0;
        this.#rate = undefined;
        const stated = this.#owner.registration(this);
        const registration = this.#draining ? { ...stated, workflowCredit: 0, activityCredit: 0 } : stated;
        await this.node.request('registerWorker', registration, {
          timeoutMs: REGISTER_TIMEOUT_MS,
          // What comes behind the answer is spent of this registration's credit.
          answered: () => {
            if (generation === this.#generation) this.state = 'registered';
          },
        });
        if (generation !== this.#generation) return;
        this.#owner.registered(this);
        this.#flushGrants();
        return;
      } catch (error) {
        if (generation !== this.#generation) return;
        if (!isTransient(error)) {
          this.#owner.refused(this, error);
          return;
        }
        // A node of several that cannot be reached is no trouble.
        const level = this.node.name === undefined ? 'WARN' : 'DEBUG';
        const { name: node } = this.node;
        this.#owner.logger.log(level, 'The worker could not be registered; trying again', { node, delayMs, error });
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        if (generation !== this.#generation) return;
      }
    }
  }

  #flushGrants(): void {
    this.#grantsScheduled = false;
    const { workflow, activity } = this.#grants;
    const rate = this.#rate;
    if ((workflow + activity === 0 && rate === undefined) || this.state !== 'registered') return;
    this.#grants.workflow = 0;
    this.#grants.activity = 0;
    this.#rate = undefined;
    const generation = this.#generation;
    const { workerId, logger } = this.#owner;
    this.node
      .request('grantCredit', {
        ...{ workerId, workflow: workflow || undefined, activity: activity || undefined },
        ...(rate !== undefined && { maxActivitiesPerSecond: rate }),
      })
      .catch((error: unknown) => {
        // A grant may have been applied or not: registering again states the credit instead of adding to it.
        if (generation !== this.#generation || this.#draining) return;
        logger.debug('Credit could not be granted; registering again', { error });
        void this.#register();
      });
  }

  #resume(): void {
    const { workerId, logger } = this.#owner;
    const generation = this.#generation;
    this.node
      .request('resumeWorker', { workerId, heldTokens: this.#owner.heldTokens() }, { timeoutMs: REGISTER_TIMEOUT_MS })
      .catch((error: unknown) => {
        // A lost link is made again, and the registration over it asks for the same.
        if (generation !== this.#generation || statusCodeOf(error) === StatusCode.UNIMPLEMENTED) return;
        logger.debug('What the worker is owed could not be asked for; registering again', { error });
        void this.#register();
      });
  }
}

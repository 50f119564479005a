// Outbox messages on their way to whoever leads their target's shard: here, or one hop away. In order per target: one is under way at a time, and
// when it has to wait, so do those behind it. Repeats are dropped by their number where they arrive (DESIGN §5, exactly once).

import type { Message } from '../../src/core/workflow/message.ts';
import { SENT_TYPES } from '../../src/core/workflow/sent-message.ts';
import { type Check, integer, object, string } from '../../src/frontend/validate/check.ts';
import type { Scheduler } from '../../src/ports/clock.ts';
import type { LedShards, ShardMessage, ShardMessageOutcome } from '../../src/ports/led-shards.ts';
import { StatusCode } from '../../src/wire/status.ts';
import type { Rpc } from '../link/rpc.ts';
import { decodeBody, encodeBody, encodeRedirect, encodeValue, readAnswer } from '../routing/answers.ts';
import { isRemote, type OwnershipView, type RemoteOwner } from '../routing/ownership.ts';

export interface OutboxRelayOptions {
  /** Name of this node. */
  self: string;
  engine(): Pick<LedShards, 'receive'>;
  view: OwnershipView;
  rpc: Pick<Rpc, 'serve' | 'call' | 'reaches'>;
  scheduler: Scheduler;
  shardOf(namespace: string, workflowId: string): number;
  /** While a backup cuts the shards: nothing is applied, and nothing that was is said to be. */
  pause: { readonly isPaused: boolean };
  /** A link to this node is wanted. */
  connect(owner: RemoteOwner): void;
}

type Done = (outcome: ShardMessageOutcome) => void;

const METHOD = 'outbox.receive';
/** How long the other node may take, ms. */
const ATTEMPT_MS = 5_000;
/** While a shard moves, its next owner is looked for this often and this long, ms. */
const LOOK_MS = 20;
const LOOKS = 100;

/** What one shard may say to another's actors. */
const TYPES: ReadonlySet<string> = new Set(SENT_TYPES);

/** The envelope; what is inside was decided by a shard, and a node of another version that means something else is refused by the core. */
const message: Check<Message> = (value) => {
  const { type } = object<{ type: string }>({ type: string })(value);
  if (!TYPES.has(type)) throw new Error(`no shard says ${JSON.stringify(type.slice(0, 40))} to another`);
  return value as Message; // of a type that travels; the core refuses what it cannot decide
};

const body = object<ShardMessage>({ source: integer, seq: integer, namespace: string, workflowId: string, message });
const outcome: Check<ShardMessageOutcome> = (value) => (value === 'applied' ? 'applied' : 'later');

export class OutboxRelay {
  readonly #options: OutboxRelayOptions;
  /** By target: the one under way, and who waits behind it. */
  readonly #lanes = new Map<string, { item: ShardMessage; done: Done }[]>();
  #stopped = false;

  constructor(options: OutboxRelayOptions) {
    this.#options = options;
    options.rpc.serve(METHOD, (call, bytes) => {
      let item: ShardMessage;
      try {
        item = body(decodeBody(bytes));
        // Each source and each gap of its numbers is kept with the shard for ever (I9).
        if (item.source < 0 || item.source >= options.view.shardCount) throw new Error(`no shard ${item.source}`);
        if (item.seq < 1) throw new Error(`no number ${item.seq}`);
      } catch (error) {
        const what = error instanceof Error ? error.message : String(error);
        call.refuse({
          code: StatusCode.INTERNAL,
          message: `Node ${call.from} sent an outbox message of another shape than expected: ${what.slice(0, 300)}`,
        });
        return;
      }
      if (options.pause.isPaused) {
        call.answer(encodeValue('later'));
        return;
      }
      const shard = options.shardOf(item.namespace, item.workflowId);
      const owner = options.view.ownerOf(shard);
      if (owner === 'local') options.engine().receive(item, (said) => call.answer(encodeValue(said)));
      else call.answer(encodeRedirect(owner, 'notAsked'));
    });
  }

  /** Of messages that wait for the one before. */
  get waiting(): number {
    let count = 0;
    for (const lane of this.#lanes.values()) count += lane.length - 1;
    return count;
  }

  /** What is under way ends where it is; nothing is looked for any more. */
  stop(): void {
    this.#stopped = true;
  }

  readonly relay = (item: ShardMessage, done: Done): void => {
    const target = `${item.namespace}\0${item.workflowId}`;
    const lane = this.#lanes.get(target);
    if (lane !== undefined) {
      lane.push({ item, done });
      return;
    }
    this.#lanes.set(target, [{ item, done }]);
    this.#next(target);
  };

  #next(target: string): void {
    const lane = this.#lanes.get(target);
    const first = lane?.[0];
    if (lane === undefined || first === undefined) {
      this.#lanes.delete(target);
      return;
    }
    this.#send(first.item, LOOKS, (outcome) => {
      // What was applied just before a pause stays in the outbox: its receipt may be in no cut yet. It is said again, and dropped by its number.
      const said = this.#options.pause.isPaused ? 'later' : outcome;
      lane.shift();
      first.done(said);
      if (said === 'later') for (const { done } of lane.splice(0)) done('later');
      this.#next(target);
    });
  }

  #send(item: ShardMessage, looks: number, done: Done): void {
    const { view, engine, scheduler, shardOf, pause } = this.#options;
    if (this.#stopped || pause.isPaused) {
      done('later');
      return;
    }
    const owner = view.ownerOf(shardOf(item.namespace, item.workflowId));
    if (owner === 'local') engine().receive(item, done);
    else if (isRemote(owner)) this.#ask(owner, item, 'redirect', done);
    else if (looks > 0) scheduler.after(LOOK_MS, () => this.#send(item, looks - 1, done));
    else done('later');
  }

  #ask(owner: RemoteOwner, item: ShardMessage, may: 'redirect' | 'answer', done: Done): void {
    const { self, rpc, connect } = this.#options;
    if (!rpc.reaches(owner.node)) connect(owner);
    const { source, seq, namespace, workflowId, message: said } = item;
    const request = encodeBody({ source, seq, namespace, workflowId, message: said });
    rpc.call(owner.node, METHOD, request, ATTEMPT_MS, (error, bytes) => {
      if (error !== undefined || bytes === undefined) {
        done('later');
        return;
      }
      const answer = readAnswer(bytes, outcome);
      if (answer.type === 'value') done(answer.value);
      // Who is told that this node leads the shard hears it before the node does: it is tried again, by then as one's own.
      else if (may === 'redirect' && answer.type === 'redirect' && isOther(answer.owner, self))
        this.#ask(answer.owner, item, 'answer', done);
      else done('later');
    });
  }
}

const isOther = (owner: RemoteOwner | undefined, self: string): owner is RemoteOwner =>
  owner !== undefined && owner.node !== self;

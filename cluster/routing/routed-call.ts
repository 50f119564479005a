// One call of the engine on its way to the shard's owner: asked here or over a link, redirected, held while the shard moves, and tried again when that
// is safe. Answers its caller exactly once.
//
// What may be tried again (I5): a refusal that says "not applied" always; an unknown outcome only where a repeat is the same request (its request
// id) or changes nothing. Once an outcome was unknown, the last refusal says "maybe applied", whatever the last attempt said.
//
// What this node cannot mend it does not wait for: an owner that leaves it without an answer, though others may reach it, or being cut off itself.
// The caller hears of that within seconds, and asks another node under the same request id.

import type { Cancelable, Clock } from '../../src/ports/clock.ts';
import type { Done, Engine, Waiting } from '../../src/ports/engine.ts';
import { type Status, StatusCode } from '../../src/wire/status.ts';
import { NO_TIMEOUT, type RpcCall, type RpcDone, type RpcSpeaker } from '../link/rpc.ts';
import { encodeBody, readAnswer } from './answers.ts';
import type { RoutingLimits } from './limits.ts';
import { linkMethod, type Operation } from './operations.ts';
import { isRemote, type LearnedView, type RemoteOwner } from './ownership.ts';
import type { Parking } from './parking.ts';
import { exhausted, misunderstood, retryable, unavailable } from './statuses.ts';

/** What calls share. */
export interface RouteContext {
  local: Engine;
  view: LearnedView;
  parking: Parking;
  clock: Clock;
  limits: RoutingLimits;
  ask(owner: RemoteOwner, method: string, body: Uint8Array, timeoutMs: number, done: RpcDone): RpcCall;
  /** Why this node will hear of no owner while it stays so; undefined: it is among the others. */
  cutOff(): string | undefined;
  /** While it is anywhere but in the local engine for a plain answer, a call is told when its shard's owner changes. */
  watch(shard: number, call: { ownerChanged(): void }): void;
  unwatch(shard: number, call: { ownerChanged(): void }): void;
}

type Stage =
  | { at: 'idle' }
  | { at: 'local'; waiting: Waiting | undefined }
  | { at: 'remote'; owner: RemoteOwner; call: RpcCall | undefined }
  | { at: 'parked'; cancelable: Cancelable }
  | { at: 'over' };

const IDLE: Stage = { at: 'idle' };
const OVER: Stage = { at: 'over' };

export class RoutedCall<T> implements Waiting {
  readonly #context: RouteContext;
  #operation: Operation<T>;
  readonly #shard: number;
  readonly #done: Done<T>;
  #stage: Stage = IDLE;
  /** Grows with each attempt: what comes of an earlier one is dropped. */
  #attempt = 0;
  #redirects = 0;
  #pauseMs: number;
  /** The wait for an owner began. Waits for events begin it anew after each attempt that got through to one. */
  #since: number;
  #attemptAt: number;
  /** The owner that was asked last and from which nothing comes, and since when. */
  #silent: { node: string; sinceMs: number } | undefined;
  #maybeApplied = false;
  #lastRefusal: Status | undefined;
  #body: Uint8Array | undefined;

  constructor(context: RouteContext, shard: number, operation: Operation<T>, done: Done<T>) {
    this.#context = context;
    this.#operation = operation;
    this.#shard = shard;
    this.#done = done;
    this.#pauseMs = context.limits.pauseMs;
    this.#since = context.clock.monotonic();
    this.#attemptAt = this.#since;
  }

  begin(): void {
    this.#context.watch(this.#shard, this);
    this.#try();
  }

  /** For a call that the local engine has refused already. */
  beginAfter(refusal: Status, applied: 'no' | 'maybe'): void {
    this.#context.watch(this.#shard, this);
    this.#refused(refusal, applied);
  }

  /** The caller gave up. */
  abandon(): void {
    if (this.#leave()) this.#attempt += 1;
  }

  ownerChanged(): void {
    const { view } = this.#context;
    const stage = this.#stage;
    switch (stage.at) {
      case 'idle':
      case 'over':
      case 'parked':
        // Parked calls are woken by the parking itself.
        return;
      case 'local':
        if (this.#operation.waits === 'forEvents' && view.ownerOf(this.#shard) !== 'local') this.#elsewhere();
        return;
      case 'remote': {
        const owner = view.ownerOf(this.#shard);
        if (owner !== 'local' && !isRemote(owner)) return;
        if (isRemote(owner) && owner.node === stage.owner.node) return;
        // Its answer may never come. What has no request id waits for it all the same, as long as an attempt may take.
        if (this.#operation.effect === 'perhapsTwice') return;
        this.#elsewhere();
      }
    }
  }

  // ---------------------------------------------------------------- attempts

  /** What the attempt asked for may be applied: only what comes of it was waited for. */
  #elsewhere(): void {
    if (this.#operation.effect === 'once') this.#maybeApplied = true;
    this.#gotThrough();
    this.#stop();
    this.#try();
  }

  #try(): void {
    const { again } = this.#operation;
    if (this.#maybeApplied && again !== undefined) {
      this.#operation = again;
      this.#body = undefined;
    }
    this.#attemptAt = this.#context.clock.monotonic();
    const owner = this.#context.view.ownerOf(this.#shard);
    if (owner === 'local') this.#askHere();
    else if (isRemote(owner)) this.#askThere(owner);
    else this.#park();
  }

  #askHere(): void {
    this.#attempt += 1;
    const attempt = this.#attempt;
    const stage: Stage = { at: 'local', waiting: undefined };
    this.#stage = stage;
    stage.waiting = this.#operation.local(this.#context.local, (error, value) => {
      if (attempt !== this.#attempt) return;
      if (error === undefined) this.#finish(undefined, value);
      else this.#failed(error);
    });
  }

  #askThere(owner: RemoteOwner): void {
    this.#attempt += 1;
    const attempt = this.#attempt;
    const { limits } = this.#context;
    const { method, waits, body, answer } = this.#operation;
    this.#body ??= encodeBody(body);
    const left = Math.max(1, this.#since + limits.waitMs - this.#context.clock.monotonic());
    const timeoutMs = waits === 'forEvents' ? NO_TIMEOUT : Math.ceil(Math.min(left, limits.attemptMs));
    const stage: Stage = { at: 'remote', owner, call: undefined };
    this.#stage = stage;
    stage.call = this.#context.ask(owner, linkMethod(method), this.#body, timeoutMs, (error, bytes, speaker) => {
      if (attempt !== this.#attempt) return;
      if (error !== undefined) {
        this.#heard(owner, speaker);
        this.#failed(error);
        return;
      }
      this.#silent = undefined;
      const answered = readAnswer(bytes ?? new Uint8Array(0), answer);
      if (answered.type === 'value') this.#finish(undefined, answered.value);
      else if (answered.type === 'garbage') this.#finish(misunderstood(owner.node, method, answered.what), undefined);
      else {
        if (answered.asked && this.#operation.effect === 'once') this.#maybeApplied = true;
        this.#redirected(owner, answered.owner);
      }
    });
  }

  /** Not served there, or not any more: at once to the owner of a newer term that was named, else after a pause. */
  #redirected(asked: RemoteOwner, owner: RemoteOwner | undefined): void {
    const { view, limits } = this.#context;
    const news = owner !== undefined && view.learn(this.#shard, owner, asked.term);
    this.#redirects += 1;
    if (news && this.#redirects <= limits.redirects) this.#try();
    else this.#park();
  }

  /** A wait for events was answered by the link's being there, until it ended. */
  #heard({ node }: RemoteOwner, speaker: RpcSpeaker): void {
    if (speaker === 'peer') this.#silent = undefined;
    else if (this.#silent?.node !== node) {
      const { waits } = this.#operation;
      this.#silent = { node, sinceMs: waits === 'forEvents' ? this.#context.clock.monotonic() : this.#attemptAt };
    }
  }

  #failed(error: Status): void {
    // "Not now" of a repeat says nothing of the first attempt.
    const applied =
      retryable(error) ?? (this.#maybeApplied && error.code === StatusCode.RESOURCE_EXHAUSTED ? 'no' : undefined);
    if (applied === undefined) this.#finish(error, undefined);
    else this.#refused(error, applied);
  }

  #refused(refusal: Status, applied: 'no' | 'maybe'): void {
    const { effect } = this.#operation;
    this.#lastRefusal = refusal;
    if (applied === 'maybe' && effect !== 'nothing') this.#maybeApplied = true;
    if (applied === 'maybe' && effect === 'perhapsTwice') this.#finish(refusal, undefined);
    else this.#park();
  }

  #park(): void {
    const { clock, limits, parking } = this.#context;
    this.#gotThrough();
    this.#attempt += 1;
    this.#redirects = 0;
    const now = clock.monotonic();
    const why = this.#vain(now) ?? (now - this.#since >= limits.waitMs ? this.#notServed() : undefined);
    if (why !== undefined) {
      this.#finish(unavailable(why, this.#maybeApplied ? 'maybe' : 'no'), undefined);
      return;
    }
    const cancelable = parking.park(this.#shard, this.#pauseMs, () => {
      this.#stage = IDLE;
      this.#try();
    });
    if (cancelable === undefined) {
      const { workflowId } = this.#operation.to;
      const what = `${limits.parked} requests wait for shards that move; that for workflow ${workflowId} finds no room: try again later.`;
      this.#finish(this.#maybeApplied ? unavailable(what, 'maybe') : exhausted('MOVING_SHARDS', what), undefined);
      return;
    }
    this.#stage = { at: 'parked', cancelable };
    this.#pauseMs = Math.min(limits.pauseMaxMs, 2 * this.#pauseMs);
  }

  /** An attempt that lasted longer than a node holds a call for a shard on its way to it was a wait for an event, no more for an owner. */
  #gotThrough(): void {
    const { clock, limits } = this.#context;
    const now = clock.monotonic();
    if (this.#operation.waits !== 'forEvents' || now - this.#attemptAt < 2 * limits.holdMs) return;
    this.#since = now;
    this.#pauseMs = limits.pauseMs;
  }

  #notServed(): string {
    const { workflowId } = this.#operation.to;
    const why = this.#lastRefusal === undefined ? 'it has no owner' : this.#lastRefusal.message;
    return `Shard ${this.#shard}, which holds workflow ${workflowId}, was not served for ${this.#context.limits.waitMs} ms: ${why}`;
  }

  /** Why another node is more likely to have an answer than this one. */
  #vain(now: number): string | undefined {
    const { cutOff, limits, view } = this.#context;
    const { workflowId } = this.#operation.to;
    const alone = cutOff();
    if (alone !== undefined)
      return `Shard ${this.#shard}, which holds workflow ${workflowId}, is not served by this node, and ${alone}: ask another node.`;
    const owner = view.ownerOf(this.#shard);
    const silent = this.#silent;
    if (silent === undefined || !isRemote(owner) || owner.node !== silent.node) return undefined;
    if (now - silent.sinceMs < limits.attemptMs) return undefined;
    return `Node ${silent.node}, which has shard ${this.#shard} and workflow ${workflowId}, left this node without an answer for ${limits.attemptMs} ms: ask another node.`;
  }

  // ---------------------------------------------------------------- ends

  /** Ends what is under way; its outcome will be dropped. */
  #stop(): void {
    const stage = this.#stage;
    this.#attempt += 1;
    this.#stage = IDLE;
    switch (stage.at) {
      case 'local':
        stage.waiting?.abandon();
        break;
      case 'remote':
        stage.call?.abandon();
        break;
      case 'parked':
        stage.cancelable.cancel();
        break;
      case 'idle':
      case 'over':
        break;
    }
  }

  #leave(): boolean {
    if (this.#stage.at === 'over') return false;
    this.#stop();
    this.#stage = OVER;
    this.#context.unwatch(this.#shard, this);
    return true;
  }

  #finish(error: Status | undefined, value: T | undefined): void {
    if (this.#stage.at === 'over') return;
    this.#stage = OVER;
    this.#attempt += 1;
    this.#context.unwatch(this.#shard, this);
    // Whatever the last attempt says of itself: an earlier one may have been applied.
    const applied = error && this.#maybeApplied ? retryable(error) : undefined;
    if (error !== undefined && applied === 'no') this.#done(unavailable(error.message, 'maybe'), undefined);
    else this.#done(error, value);
  }
}

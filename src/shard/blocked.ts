// Actors that refused an outbox message for now: full mailboxes, damaged rows. What else is sent to them waits behind it, in order, and the
// first is tried again every so often. Bounded (I9): past a few messages of one target the others wait on disk.

import type { Cancelable, Scheduler } from '../ports/clock.ts';
import type { OutboxMessage } from './outbox.ts';

/** Messages of one target kept in memory while it is blocked. */
const HELD_PER_TARGET = 64;

interface Target {
  /** Oldest first, once it is sorted: refusals may come in any order. */
  items: OutboxMessage[];
  /** Some wait on disk. */
  more: boolean;
  /** Tried again at present. */
  probing: OutboxMessage | undefined;
  timer: Cancelable | undefined;
}

/** Who wait no longer; of the targets in `onDisk` (as `targetOf` names them) others wait on disk, and come before what is sent later. */
export interface Freed {
  items: OutboxMessage[];
  onDisk: ReadonlySet<string>;
}

export const targetOf = ({ namespace, workflowId }: OutboxMessage): string => `${namespace}\0${workflowId}`;
const inOrder = (a: OutboxMessage, b: OutboxMessage): number => a.source - b.source || a.seq - b.seq;

export class Blocked {
  readonly #scheduler: Scheduler;
  readonly #retryMs: number;
  readonly #probe: (item: OutboxMessage) => void;
  readonly #targets = new Map<string, Target>();
  #stopped = false;

  constructor(scheduler: Scheduler, retryMs: number, probe: (item: OutboxMessage) => void) {
    this.#scheduler = scheduler;
    this.#retryMs = retryMs;
    this.#probe = probe;
  }

  /** Undefined: nothing is in its way. Else it waits here, or on disk: what comes after one on disk waits there, too. */
  hold(item: OutboxMessage): 'here' | 'on disk' | undefined {
    if (this.#targets.size === 0) return undefined;
    const target = this.#targets.get(targetOf(item));
    if (target === undefined) return undefined;
    if (target.more || target.items.length >= HELD_PER_TARGET) {
      target.more = true;
      return 'on disk';
    }
    target.items.push(item);
    return 'here';
  }

  /** Its target refused it. */
  block(item: OutboxMessage): void {
    const id = targetOf(item);
    let target = this.#targets.get(id);
    if (target === undefined) {
      target = { items: [], more: false, probing: undefined, timer: undefined };
      this.#targets.set(id, target);
    }
    target.items.push(item);
    if (target.probing === item) target.probing = undefined;
    if (target.probing === undefined) this.#arm(target);
  }

  /** It was applied: when its target was blocked, and is so no longer, those that waited. */
  free(item: OutboxMessage): Freed | undefined {
    if (this.#targets.size === 0) return undefined;
    const id = targetOf(item);
    const target = this.#targets.get(id);
    if (target === undefined || target.probing !== item) return undefined;
    this.#targets.delete(id);
    return { items: target.items.sort(inOrder), onDisk: new Set(target.more ? [id] : []) };
  }

  /** What a source's shard sent is forgotten. Returns what waited behind the attempt that is forgotten with it. */
  drop(source: number): Freed {
    const items: OutboxMessage[] = [];
    const onDisk = new Set<string>();
    for (const [id, target] of this.#targets) {
      target.items = target.items.filter((item) => item.source !== source);
      const probeGone = target.probing?.source === source;
      if (!probeGone && (target.items.length > 0 || target.probing !== undefined)) continue;
      target.timer?.cancel();
      this.#targets.delete(id);
      items.push(...target.items.sort(inOrder));
      if (target.more) onDisk.add(id);
    }
    return { items, onDisk };
  }

  /** Also of what is refused later: an attempt may be under way. */
  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#targets.values()) timer?.cancel();
  }

  #arm(target: Target): void {
    if (this.#stopped) return;
    target.timer ??= this.#scheduler.after(this.#retryMs, () => {
      target.timer = undefined;
      target.probing = target.items.sort(inOrder).shift();
      if (target.probing !== undefined) this.#probe(target.probing);
    });
  }
}

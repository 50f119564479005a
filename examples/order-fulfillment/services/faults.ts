// What goes wrong with a request, decided by seed, request and how often it has been made: a repeat meets other luck.

import { randomOf } from '../random.ts';

export type Fault =
  | { kind: 'none' }
  /** 503 before anything was done. */
  | { kind: 'unavailable' }
  /** Connection reset before anything was done. */
  | { kind: 'reset' }
  /** Done and durable, then the connection is reset: the caller cannot know. */
  | { kind: 'lost answer' }
  /** Done and durable, then a 502, as from a proxy that gave up waiting. */
  | { kind: 'false failure' }
  /** Late, but within the caller's patience. */
  | { kind: 'slow'; delayMs: number }
  /** So late that the caller has given up; the request is then performed all the same. */
  | { kind: 'stalled'; delayMs: number };

export type FaultKind = Fault['kind'];

/** Shares of all mutations; reads only meet those that come before the work, at half the rate. */
const SHARES: readonly (readonly [FaultKind, number])[] = [
  ['unavailable', 0.05],
  ['reset', 0.03],
  ['lost answer', 0.04],
  ['false failure', 0.02],
  ['slow', 0.05],
  ['stalled', 0.008],
];

const SLOW_MS = { least: 150, most: 900 };
const STALLED_MS = 2_600;

export class Faults {
  readonly #seed: number;
  readonly #scale: number;
  readonly #seen = new Map<string, number>();

  /** @param scale multiplies every share: 0 is a service that never fails, 5 one that nearly always does. */
  constructor(seed: number, scale: number) {
    this.#seed = seed;
    this.#scale = scale;
  }

  /** @param request what identifies the request across repeats: its idempotency key, or its path when it only reads */
  next(request: string, does: 'mutate' | 'read'): Fault {
    const times = (this.#seen.get(request) ?? 0) + 1;
    this.#seen.set(request, times);
    const name = `${request}#${times}`;
    let luck = randomOf(this.#seed, name);
    for (const [kind, share] of SHARES) {
      const scaled = share * this.#scale * (does === 'mutate' ? 1 : 0.5);
      if (luck < scaled) return does === 'read' && comesAfter(kind) ? { kind: 'none' } : faultOf(kind, luck / scaled);
      luck -= scaled;
    }
    return { kind: 'none' };
  }
}

function comesAfter(kind: FaultKind): boolean {
  return kind === 'lost answer' || kind === 'false failure';
}

/** @param where a number in [0, 1), for faults that have a size */
function faultOf(kind: FaultKind, where: number): Fault {
  switch (kind) {
    case 'slow':
      return { kind, delayMs: Math.round(SLOW_MS.least + where * (SLOW_MS.most - SLOW_MS.least)) };
    case 'stalled':
      return { kind, delayMs: STALLED_MS };
    default:
      return { kind };
  }
}

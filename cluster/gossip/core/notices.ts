// What an operator should hear of, beside who is a member: refusals both ways, paths that half work, clocks that differ. Each subject is
// reported at most every ten seconds, however often it happens (I9): hostile traffic must not fill a disk with log lines.

import { explain, explainToRefused, type RefusalReason } from './refusal.ts';

export type Notice =
  /** We do not let somebody in. */
  | {
      readonly kind: 'refusedPeer';
      readonly reason: RefusalReason;
      readonly address: string;
      /** Undefined when it did not come to names. */
      readonly name: string | undefined;
      readonly message: string;
    }
  /** Somebody does not let us in. `stop`: an older twin holds our name or directory, and one of the two must go. */
  | {
      readonly kind: 'refused';
      readonly reason: RefusalReason;
      readonly by: string;
      readonly severity: 'stop' | 'warn';
      readonly message: string;
    }
  /** A member answers on TCP and not on UDP. */
  | { readonly kind: 'streamOnly'; readonly name: string; readonly message: string }
  /** Positive: the member's clock is ahead of ours. */
  | { readonly kind: 'clockSkew'; readonly name: string; readonly skewMs: number; readonly message: string }
  /** Bytes no member would send. */
  | { readonly kind: 'garbage'; readonly address: string; readonly message: string }
  /** A socket, the resolver or the peer directory failed; gossip goes on as far as it can. */
  | { readonly kind: 'trouble'; readonly message: string };

export function refusedPeer(reason: RefusalReason, address: string, name: string | undefined, detail?: string): Notice {
  const who = name === undefined ? `a node at ${address}` : `node ${JSON.stringify(name)} at ${address}`;
  return { kind: 'refusedPeer', reason, address, name, message: `${who} is not let in: ${explain(reason, detail)}` };
}

export function refusedBy(reason: RefusalReason, by: string, severity: 'stop' | 'warn'): Notice {
  return {
    kind: 'refused',
    reason,
    by,
    severity,
    message: `${by} does not let this node in: ${explainToRefused(reason)}`,
  };
}

const PAUSE_MS = 10_000;
const MAX_SUBJECTS = 128;

export class Limiter {
  readonly #lastMs = new Map<string, number>();

  /** Whether this subject may be spoken of again. */
  allow(subject: string, nowMs: number): boolean {
    const last = this.#lastMs.get(subject);
    if (last !== undefined && nowMs - last < PAUSE_MS) return false;
    this.#lastMs.delete(subject);
    if (this.#lastMs.size >= MAX_SUBJECTS) {
      // All of them spoke within the pause: somebody makes subjects up. The oldest may go when its pause is over.
      const [oldest] = this.#lastMs;
      if (oldest === undefined || nowMs - oldest[1] < PAUSE_MS) return false;
      this.#lastMs.delete(oldest[0]);
    }
    this.#lastMs.set(subject, nowMs);
    return true;
  }
}

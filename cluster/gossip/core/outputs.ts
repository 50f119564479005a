// What the protocol asks of the world, as data: packets and streams to send, and what listeners should hear. The host (host.ts, or a
// simulator) carries it out in order.

import { type Member, type MemberSnapshot, snapshotOf } from './member.ts';
import type { Notice } from './notices.ts';
import type { RefusalReason } from './refusal.ts';

/** When something happens: durations and deadlines by the first, what people read by the second. */
export interface Instant {
  /** Monotonic ms. */
  readonly monotonicMs: number;
  /** Wall clock, epoch ms. */
  readonly wallMs: number;
}

export type MemberChange =
  /** Up, for the first time or again. */
  | { readonly type: 'joined'; readonly member: MemberSnapshot }
  /** Metadata or load changed, a suspicion was refuted, or the process restarted (another `instance`). */
  | { readonly type: 'updated'; readonly member: MemberSnapshot }
  /** Does not answer; has a while to say otherwise. Still counts as up. */
  | { readonly type: 'suspect'; readonly member: MemberSnapshot }
  /** Said goodbye. */
  | { readonly type: 'left'; readonly member: MemberSnapshot }
  /** Did not answer and did not refute. May come back: `joined`. */
  | { readonly type: 'died'; readonly member: MemberSnapshot };

/** How calling all seeds once ended. */
export type JoinOutcome =
  | { readonly type: 'joined' }
  /** Nobody answered, or there is nobody to call. Goes on trying. */
  | { readonly type: 'alone' }
  /** Somebody answered and does not want us. Goes on trying when time may cure it. */
  | { readonly type: 'refused'; readonly reason: RefusalReason; readonly by: string };

export type Output =
  /** One UDP payload, not yet sealed. */
  | { readonly type: 'packet'; readonly to: string; readonly body: Uint8Array }
  /** Open a stream, send the body, and give the answer, or its lack, back under this id (`dialed`, `dialFailed`). */
  | { readonly type: 'dial'; readonly id: number; readonly to: string; readonly body: Uint8Array }
  | { readonly type: 'change'; readonly change: MemberChange }
  | { readonly type: 'notice'; readonly notice: Notice }
  | { readonly type: 'joinRound'; readonly outcome: JoinOutcome }
  /** Everybody has been told that we leave, or there was no more time. */
  | { readonly type: 'departed' };

export class Outputs {
  #list: Output[] = [];

  push(output: Output): void {
    this.#list.push(output);
  }

  change(type: MemberChange['type'], member: Member, nowMs: number): void {
    this.#list.push({ type: 'change', change: { type, member: snapshotOf(member, nowMs) } });
  }

  drain(): readonly Output[] {
    const list = this.#list;
    if (list.length > 0) this.#list = [];
    return list;
  }
}

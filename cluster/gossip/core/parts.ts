// What the parts of the protocol share: the table, the news, our health, and the way out. Made by core.ts, one per node.

import type { Random } from '../../../src/ports/clock.ts';
import type { Awareness } from './awareness.ts';
import type { Broadcasts } from './broadcasts.ts';
import type { GossipConfig } from './config.ts';
import type { Member } from './member.ts';
import type { Limiter, Notice } from './notices.ts';
import type { Outputs } from './outputs.ts';
import type { MemberTable } from './table.ts';

export interface Parts {
  readonly config: GossipConfig;
  readonly random: Random;
  /** Our own entry, also in the table. */
  readonly self: Member;
  readonly table: MemberTable;
  readonly broadcasts: Broadcasts;
  readonly awareness: Awareness;
  readonly limiter: Limiter;
  readonly out: Outputs;
}

/** A part that has something to do by itself, some time. */
export interface Timed {
  /** Monotonic ms; Infinity: nothing to do. */
  readonly dueAtMs: number;
  run(nowMs: number): void;
}

/** Unless it was just said. */
export function report(parts: Parts, subject: string, nowMs: number, notice: Notice): void {
  if (parts.limiter.allow(subject, nowMs)) parts.out.push({ type: 'notice', notice });
}

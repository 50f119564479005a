// What an append means for a log: pure judgement, no change (Raft §5.3). Every entry's chain is computed again, so bytes damaged at the leader,
// on the way or here are never taken; and nothing committed is ever up for truncation. Called by Replica.

import { chainOf } from '../../../src/ports/chain.ts';
import { type Lsn, lsn, type Term } from '../../../src/ports/ids.ts';
import type { LogEntry } from '../../../src/ports/store.ts';
import type { LogView, Position } from './log.ts';
import type { LogEnd } from './message.ts';

export type AppendVerdict =
  /** The log agrees up to `match` once `truncateAfter` and `entries` are done. */
  | { kind: 'agrees'; match: Lsn; truncateAfter: Lsn | undefined; entries: readonly LogEntry[]; damagedFrom?: Lsn }
  | { kind: 'refused'; hint: LogEnd }
  /** Same lsn and term, another chain; or the leader's log lacks what is committed. */
  | { kind: 'damaged'; lsn: Lsn; what: string };

export interface ReceivedAppend {
  readonly term: Term;
  readonly previous: Position;
  readonly entries: readonly LogEntry[];
}

export function judgeAppend(log: LogView, commit: Lsn, append: ReceivedAppend): AppendVerdict {
  const { previous } = append;
  // What is committed here is in every leader's log: of an older message only the part beyond counts.
  if (previous.lsn < commit) {
    const at = append.entries.findIndex((entry) => entry.lsn === commit);
    const entry = append.entries[at];
    if (entry === undefined) return { kind: 'agrees', match: commit, truncateAfter: undefined, entries: [] };
    const rest = append.entries.slice(at + 1);
    return judgeFrom(log, commit, { term: append.term, previous: entry, entries: rest });
  }
  return judgeFrom(log, commit, append);
}

function judgeFrom(log: LogView, commit: Lsn, { term, previous, entries }: ReceivedAppend): AppendVerdict {
  const own = log.positionAt(previous.lsn);
  if (own === undefined || own.term !== previous.term) {
    if (previous.lsn === commit && own !== undefined) return differs(previous.lsn, own, previous);
    const hint = log.lastOfTermAtMost(previous.lsn, previous.term);
    return { kind: 'refused', hint: { term: hint.term, lsn: hint.lsn } };
  }
  if (own.chain !== previous.chain) return differs(previous.lsn, own, previous);
  let before: Position = previous;
  const fresh: LogEntry[] = [];
  let truncateAfter: Lsn | undefined;
  for (const entry of entries) {
    const follows = entry.lsn === before.lsn + 1 && entry.term >= before.term && entry.term <= term;
    if (!follows || chainOf(before.chain, entry.term, entry.lsn, entry.entry) !== entry.chain) {
      return { kind: 'agrees', match: before.lsn, truncateAfter, entries: fresh, damagedFrom: lsn(before.lsn + 1) };
    }
    const held = fresh.length === 0 ? log.positionAt(entry.lsn) : undefined;
    if (held !== undefined && held.term === entry.term) {
      if (held.chain !== entry.chain) return differs(entry.lsn, held, entry);
    } else {
      if (held !== undefined) truncateAfter = before.lsn;
      fresh.push(entry);
    }
    before = entry;
  }
  return { kind: 'agrees', match: before.lsn, truncateAfter, entries: fresh };
}

function differs(at: Lsn, own: Position, leaders: Position): AppendVerdict {
  const what = `entry ${at} is of term ${own.term} with chain ${own.chain} here, of term ${leaders.term} with chain ${leaders.chain} at the leader`;
  return { kind: 'damaged', lsn: at, what };
}

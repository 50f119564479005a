// Bugs planted from outside, around the real parts: the simulator has to find each. Never a switch in production code.

import type { LogAppend, RowWrite, ShardFlush } from '../../src/ports/store.ts';
import { decodeEntry, encodeEntry } from '../../src/shard/entry.ts';
import { shardMetaKey } from '../../src/shard/keys.ts';
import { decode, encode } from '../../src/wire/codec.ts';
import { DOOR_BUGS, FOUND_BY as DOOR_FOUND_BY } from './grpc/bugs.ts';
import type { Plant } from './node.ts';
import { OPERATION_BUGS, FOUND_BY as OPERATION_FOUND_BY } from './operations/bugs.ts';
import { wrapped } from './wrapped.ts';

export const BUGS = {
  /** The store says that an entry is durable when it has only been asked to make it so. */
  'ack-before-commit': {
    store: (inner) =>
      wrapped(inner, {
        append: (entries) => {
          inner.append(entries).catch(() => undefined);
          return Promise.resolve({ fenced: [] });
        },
      }),
  },
  /** A flush takes along the rows of an entry that is still on its way to the disk. */
  'flush-uncommitted': {
    store: (inner) => {
      let underWay: readonly LogAppend[] = [];
      return wrapped(inner, {
        append: async (entries) => {
          underWay = entries;
          try {
            return await inner.append(entries);
          } finally {
            underWay = [];
          }
        },
        flush: (flushes) => inner.flush(flushes.map((flush) => withRowsOf(underWay, flush))),
      });
    },
  },
  /** Rows leave the overlay when their flush begins, not when it is durable: the flush claims to be done at once. */
  'overlay-dropped-early': {
    store: (inner) =>
      wrapped(inner, {
        flush: (flushes) => {
          inner.flush(flushes).catch(() => undefined);
          return Promise.resolve({ fenced: [] });
        },
      }),
  },
  /** Which outbox messages were applied is forgotten with the process: what was not acknowledged by then is applied twice. */
  'outbox-applied-twice': {
    store: (inner) =>
      wrapped(inner, {
        append: (entries) =>
          inner.append(
            entries.map((append) => ({
              ...append,
              entry: encodeEntry({ ...decodeEntry(append.entry), receipts: [] }),
            })),
          ),
        flush: (flushes) => inner.flush(flushes.map(withoutReceived)),
      }),
  },
  /** A completion counts for whatever start its task has now, also when a crash took back the one its token names. */
  'stale-completion': {
    core: (inner) => ({
      ...inner,
      decide: (state, message, context) => {
        const startId = state.run?.row.task?.startId;
        if (message.type !== 'completeWorkflowTask' || startId === undefined)
          return inner.decide(state, message, context);
        return inner.decide(state, { ...message, task: { ...message.task, startId } }, context);
      },
    }),
  },
  /** A key counts one permit less than it has given. */
  'permit-too-many': {
    core: (inner) => ({
      ...inner,
      decide: (state, message, context) => {
        const head = state.flow?.head;
        if (state.flow === undefined || head === undefined) return inner.decide(state, message, context);
        const fewer = { ...state.flow, head: { ...head, holders: head.holders - 1 } };
        const decision = inner.decide({ ...state, flow: fewer }, message, context);
        if (decision.ok)
          for (const { id, value } of decision.rows) if (id === 'h' && value !== undefined) correct(value);
        return decision;
      },
    }),
  },
  ...OPERATION_BUGS,
  ...DOOR_BUGS,
} as const satisfies Record<string, Plant>;

export type BugName = keyof typeof BUGS;

/** What is said when it is found, and the first seed that finds it: a slice of the tests begins there instead of looking for it each time. */
export const FOUND_BY: { readonly [B in BugName]: { readonly says: RegExp; readonly from: number } } = {
  'ack-before-commit': { says: /^I1: .* is not durable/, from: 1 },
  'flush-uncommitted': { says: /^flush: .* on disk (is|are) not th/, from: 9 },
  'overlay-dropped-early': { says: /^(liveness|I1|I4): |NOT_FOUND/, from: 76 },
  'outbox-applied-twice': { says: /^I5: .* is there 2 times|^I7: /, from: 2_060 },
  'stale-completion': { says: /^I6: .* was completed with the token of start/, from: 145 },
  'permit-too-many': { says: /^flow: \d+ permits of key .* are given/, from: 2 },
  ...OPERATION_FOUND_BY,
  ...DOOR_FOUND_BY,
};

export const isBug = (name: string): name is BugName => Object.hasOwn(BUGS, name);

/** The row itself stays right: only what was decided is wrong. */
function correct(head: object): void {
  if ('holders' in head && typeof head.holders === 'number') head.holders += 1;
}

export function withRowsOf(underWay: readonly LogAppend[], flush: ShardFlush): ShardFlush {
  const append = underWay.find(({ shard }) => shard === flush.shard);
  if (append === undefined) return flush;
  const rows = new Map(flush.rows);
  for (const [key, value] of decodeEntry(append.entry).rows) rows.set(key, value);
  return { ...flush, rows: [...rows] };
}

export function withoutReceived(flush: ShardFlush): ShardFlush {
  const meta = shardMetaKey(flush.shard);
  const rows = flush.rows.map(([key, value]): RowWrite => {
    if (key !== meta || value === undefined) return [key, value];
    const [time, sent] = decode(value) as unknown[];
    return [key, encode([time, sent, []])];
  });
  return { ...flush, rows };
}

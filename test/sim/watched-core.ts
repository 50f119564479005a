// The pure core with a witness beside it: what a state would be if it were rebuilt from its rows, compared at random moments and at every
// activation (I4). One per incarnation of the node: what it never made durable, the next one need not know. Nor need a leader know what it last knew of
// a shard before another led it.

import type { Outcome } from '../../src/core/workflow/outcome.ts';
import { packRow, unpackRow } from '../../src/core/workflow/row-codec.ts';
import { START_ROW_ID } from '../../src/core/workflow/rows.ts';
import type { ActorState, StoredRow } from '../../src/shard/core.ts';
import { type ActorCore, workflowCore } from '../../src/shard/core.ts';
import { decode, encode } from '../../src/wire/codec.ts';
import { same } from './flush-watch.ts';
import { Violation } from './kernel.ts';
import type { SeededRandom } from './random.ts';

interface Witness {
  state: ActorState;
  /** By table, run and id: encoded, as the store would hold them. */
  rows: Map<string, { table: StoredRow['table']; runId: string; id: string; bytes: Uint8Array }>;
}

export interface CoreStats {
  comparisons: number;
  activations: number;
}

const rowId = ({ table, runId, id }: { table: string; runId: string; id: string }): string => `${table} ${runId} ${id}`;

/** What rows determine of a state: no waiting queries, no indexes of deadlines, no earlier runs that were looked at. */
function canonical(state: ActorState): unknown {
  const { chain, requests, applied, pace, run, flow, schedule } = state;
  const sorted = <K, V>(map: ReadonlyMap<K, V>): [K, V][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return decode(
    encode({
      chain: chain && packRow('chain', '', chain),
      requests: sorted(requests),
      applied: [...applied.entries()].map(([number, { runId, at, ids }]) => [number, runId, at, ids]),
      // At some time after all of them, and a rate so low that the oldest counts: it differs if any time or number does.
      pace: pace?.level(4e12, 1e-9) ?? 0,
      flow: flow && {
        ...{ head: flow.head, settling: flow.settling },
        holders: sorted(flow.holders),
        waiters: sorted(flow.waiters),
        lines: sorted(flow.lines).map(([priority, line]) => [priority, [...line]]),
      },
      // What is derived of it is left out.
      schedule: schedule && {
        ...{ head: schedule.head, definition: schedule.definition, last: schedule.last },
        buffered: [...schedule.buffered],
        starting: [...schedule.starting],
        requests: sorted(schedule.requests),
      },
      run: run && {
        runId: run.runId,
        start: packRow('run', START_ROW_ID, run.start),
        row: packRow('run', '', run.row),
        activities: sorted(run.activities).map(([id, row]) => [id, packRow('activity', String(id), row)]),
        timers: sorted(run.timers),
        children: sorted(run.children),
        externals: sorted(run.externals),
        operations: sorted(run.operations),
        buffered: sorted(run.buffered),
        updates: sorted(run.updates ?? new Map()),
        updateIds: sorted(run.updateIds ?? new Map()),
        activityIds: sorted(run.activityIds),
        timerIds: sorted(run.timerIds),
      },
    }),
  );
}

export interface WatchedCore {
  readonly core: ActorCore;
  /** Of these workflows others may have decided since. */
  forget(concerns: (namespace: string, workflowId: string) => boolean): void;
}

/** @param leads whether nobody else leads the workflow now: rows that all share may be those of the next leader already */
export function watchedCore(
  random: SeededRandom,
  stats: CoreStats,
  fail: (error: unknown) => void,
  leads: (namespace: string, workflowId: string) => boolean = () => true,
): WatchedCore {
  const witnesses = new Map<string, Witness>();

  const remember = (state: ActorState, rows: Iterable<StoredRow>): Witness => {
    const witness: Witness = { state, rows: new Map() };
    for (const { table, runId, id, value } of rows) {
      witness.rows.set(rowId({ table, runId, id }), { table, runId, id, bytes: encode(packRow(table, id, value)) });
    }
    witnesses.set(state.workflowId, witness);
    return witness;
  };
  const rebuilt = ({ state, rows }: Witness): ActorState => {
    const current = state.chain?.currentRunId;
    const stored = [...rows.values()]
      .filter(({ table, runId }) => table === 'chain' || runId === current)
      .map(
        ({ table, runId, id, bytes }): StoredRow => ({ table, runId, id, value: unpackRow(table, id, decode(bytes)) }),
      );
    return workflowCore.load(state.namespace, state.workflowId, stored);
  };
  const compare = (live: ActorState, other: ActorState, what: string): void => {
    stats.comparisons += 1;
    const a = canonical(live);
    const b = canonical(other);
    if (!same(a, b)) {
      fail(new Violation('I4', `workflow ${live.workflowId}: the live state is not ${what}:\n${text(a)}\n${text(b)}`));
    }
  };

  const core: ActorCore = {
    ...workflowCore,
    empty: (namespace, workflowId) => {
      const state = workflowCore.empty(namespace, workflowId);
      const before = witnesses.get(workflowId);
      // An actor begins empty and stays so only when it has no rows.
      if (before === undefined) remember(state, []);
      return state;
    },
    load: (namespace, workflowId, rows) => {
      const stored = [...rows];
      const state = workflowCore.load(namespace, workflowId, stored);
      // Rows of an earlier run alone: a description, not an activation.
      if (!stored.some(({ table, id }) => table === 'chain' && id === '')) return state;
      stats.activations += 1;
      const before = witnesses.get(workflowId);
      const isKnown = before?.state.chain !== undefined || before?.state.schedule?.head !== undefined;
      if (before !== undefined && isKnown && leads(namespace, workflowId))
        compare(before.state, state, 'what its rows said when it was activated');
      remember(state, stored);
      return state;
    },
    evolve: (state, outcome: Outcome) => {
      let witness = witnesses.get(state.workflowId);
      if (
        state.chain === undefined &&
        witness !== undefined &&
        witness.state !== state &&
        witness.state.chain !== undefined
      ) {
        fail(new Violation('I4', `workflow ${state.workflowId} is decided on as if it had never been`));
      }
      const next = workflowCore.evolve(state, outcome);
      if (witness === undefined) witness = remember(next, []);
      witness.state = next;
      for (const { table, runId, id, value } of outcome.rows) {
        const at = rowId({ table, runId, id });
        if (value === undefined) witness.rows.delete(at);
        else witness.rows.set(at, { table, runId, id, bytes: encode(packRow(table, id, value)) });
      }
      if (random.chance(0.05)) compare(next, rebuilt(witness), 'what its rows say');
      return next;
    },
  };
  return {
    core,
    forget: (concerns) => {
      for (const [workflowId, { state }] of witnesses)
        if (concerns(state.namespace, workflowId)) witnesses.delete(workflowId);
    },
  };
}

const text = (value: unknown): string => JSON.stringify(value).slice(0, 2_000);

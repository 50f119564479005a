// What the disk says of flow control, entry by entry: at no instant have more chains of runs of a key begun and not ended than its limit (of a
// singleton: one), no more permits are given than that, no period of a throttle holds more starts than it may, and of starts that follow each other
// only the last one runs, once it has been quiet. At the end nobody has a permit, and nobody waits.

import { isFlowAddress } from '../../src/core/flow/address.ts';
import type { HolderRow, WaiterRow } from '../../src/core/flow/rows.ts';
import { decode } from '../../src/wire/codec.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import type { GrantedFlowControl } from '../../src/wire/flow-control.ts';
import { Violation } from './kernel.ts';

interface Key {
  /** As starts ask for it; of one key all ask the same. */
  flow: GrantedFlowControl | undefined;
  readonly running: Set<string>;
  /** Ids of rows. */
  readonly rows: Set<string>;
  /** Those of permits that a door keeps for a start which has not come. */
  readonly reserved: Set<string>;
  /** Of the throttle, by row. */
  readonly starts: Map<number, readonly number[]>;
  /** When each permit was given, in order; so many of them are held against the throttle. */
  readonly given: number[];
  held: number;
  /** Those that wait for their quiet period, by row. */
  readonly quiet: Map<string, Quiet>;
  /** Permits that are never given: another start came before theirs. */
  readonly superseded: Set<string>;
}

interface Quiet {
  readonly permit: string;
  /** When it came to the key. */
  readonly at: number;
  /** When the first of those came that have followed each other up to it. */
  readonly firstAt: number;
  readonly dueAt: number;
}

const limitOf = (flow: GrantedFlowControl | undefined): number =>
  flow?.singleton !== undefined ? 1 : (flow?.concurrency?.limit ?? Number.POSITIVE_INFINITY);

export class FlowWatch {
  readonly #keys = new Map<string, Key>();
  /** Runs that have a permit, or wait for one. */
  readonly #runs = new Map<string, GrantedFlowControl>();
  /** Chains that were let begin. */
  granted = 0;
  readonly seen = new Set<string>();
  /** Keys of which the entry at hand has rows. */
  readonly #touched = new Map<string, { over: Quiet[] }>();

  #key(name: string): Key {
    let key = this.#keys.get(name);
    if (key === undefined) {
      key = {
        flow: undefined,
        running: new Set(),
        rows: new Set(),
        reserved: new Set(),
        starts: new Map(),
        given: [],
        held: 0,
        quiet: new Map(),
        superseded: new Set(),
      };
      this.#keys.set(name, key);
    }
    return key;
  }

  event(runId: string, event: HistoryEvent): void {
    if (event.eventType === EventType.WORKFLOW_EXECUTION_STARTED) {
      const { flowControl } = event.attributes;
      if (flowControl === undefined) return;
      this.#runs.set(runId, flowControl);
      this.#key(flowControl.key).flow = flowControl;
      return;
    }
    const flow = this.#runs.get(runId);
    if (flow === undefined) return;
    const { running } = this.#key(flow.key);
    if (event.eventType === EventType.WORKFLOW_TASK_SCHEDULED && !running.has(flow.permit)) {
      running.add(flow.permit);
      this.granted += 1;
      const limit = limitOf(flow);
      if (running.size > limit)
        throw new Violation(
          'flow',
          `run ${runId} begins as one of ${running.size} of key ${flow.key}, whose limit is ${limit}`,
        );
    } else if (endsChain(event)) {
      running.delete(flow.permit);
      this.#runs.delete(runId);
    }
  }

  /** `rest`: of a row's key behind the workflow id. */
  row(workflowId: string, rest: string, value: Uint8Array | undefined): void {
    if (!isFlowAddress(workflowId) || !rest.startsWith('c')) return;
    const name = workflowId.slice(workflowId.lastIndexOf(':') + 1);
    const key = this.#key(name);
    const id = rest.slice(1);
    let touched = this.#touched.get(name);
    if (touched === undefined) this.#touched.set(name, (touched = { over: [] }));
    const over = key.quiet.get(id);
    if (over !== undefined) {
      key.quiet.delete(id);
      touched.over.push(over);
    }
    if (id.startsWith('p')) this.#holds(key, id, value === undefined ? undefined : (decode(value) as HolderRow)); // as well
    if (id.startsWith('w') && value !== undefined) this.#waits(key, id, decode(value) as WaiterRow); // written by the key's own core
    if (value === undefined) key.rows.delete(id);
    else key.rows.add(id);
    if (id.startsWith('s')) this.#starts(key, Number(id.slice(1)), value);
  }

  /** Once an entry is applied as a whole. */
  applied(time: number): void {
    for (const [name, { over }] of this.#touched) {
      const key = this.#key(name);
      const { flow, rows } = key;
      for (const one of over) this.#quietIsOver(name, key, one, time);
      const given = [...rows].filter((id) => id.startsWith('p')).length;
      const limit = limitOf(flow);
      if (given > limit) throw new Violation('flow', `${given} permits of key ${name} are given, of ${limit}`);
      this.#throttled(name, key);
      if (key.quiet.size > 1)
        throw new Violation('flow', `${key.quiet.size} starts of key ${name} wait for their quiet period`);
      const never = [...key.superseded].find((permit) => rows.has(`p${permit}`));
      if (never !== undefined) throw new Violation('flow', `a start of key ${name} begins that another one followed`);
    }
    this.#touched.clear();
  }

  checkEnds(): void {
    for (const [name, { rows, running }] of this.#keys) {
      const left = [...rows].filter((id) => id.startsWith('p') || id.startsWith('w'));
      if (left.length > 0 || running.size > 0)
        throw new Violation('flow', `of key ${name} these are left: ${left.join(', ')}; ${[...running].join(', ')}`);
    }
  }

  /** A start that was made before under its request id leaves its reservation to lapse. */
  get hasReservations(): boolean {
    return [...this.#keys.values()].some(({ reserved }) => reserved.size > 0);
  }

  #holds(key: Key, id: string, row: HolderRow | undefined): void {
    if (row?.reserved === undefined) key.reserved.delete(id);
    else key.reserved.add(id);
    if (row !== undefined && !key.rows.has(id)) key.given.push(row.at);
  }

  /** What the key itself remembers of its starts is another thing. */
  #throttled(name: string, key: Key): void {
    const { flow, given } = key;
    if (flow?.throttle === undefined) return;
    const { limit, periodMs } = flow.throttle;
    for (; key.held < given.length; key.held += 1) {
      const withinMs = (given[key.held] ?? 0) - (given[key.held - limit] ?? Number.NEGATIVE_INFINITY);
      if (withinMs < periodMs)
        throw new Violation(
          'flow',
          `${limit + 1} permits of key ${name} are given within ${withinMs} ms, of ${periodMs}`,
        );
      this.seen.add('a throttle let a start through');
    }
  }

  #waits(key: Key, id: string, { permit, at, settling, takeover }: WaiterRow): void {
    if (takeover !== undefined) this.seen.add('a singleton was taken over');
    if (settling === undefined) this.seen.add('a start waited for its permit');
    else key.quiet.set(id, { permit, at, ...settling });
  }

  /**
   * It has its permit now, or waits in the queue; otherwise another start came, or it stopped to wait. What comes once its quiet period was over follows
   * it no more, though a key that a node had kept from its clock ends the period only in the entry of that start.
   */
  #quietIsOver(name: string, key: Key, { permit, firstAt, dueAt }: Quiet, time: number): void {
    const next = [...key.quiet.values()].find((other) => other.permit !== permit);
    if (next !== undefined && (next.at < dueAt || next.firstAt === firstAt)) {
      key.superseded.add(permit);
      this.seen.add('a start was followed by another within its quiet period');
      if (next.at >= dueAt) this.seen.add('a start was followed by another that was held up');
      return;
    }
    if (!key.rows.has(`p${permit}`)) return;
    this.seen.add('a quiet period came to its end');
    if (time < dueAt)
      throw new Violation('flow', `a start of key ${name} begins ${dueAt - time} ms before it is quiet`);
  }

  #starts({ starts, flow }: Key, row: number, value: Uint8Array | undefined): void {
    if (value === undefined) {
      starts.delete(row);
      return;
    }
    // Written by the key's own core alone.
    starts.set(row, decode(value) as number[]);
    const times = [...starts].sort(([a], [b]) => a - b).flatMap(([, some]) => some);
    const { throttle } = flow ?? {};
    if (throttle === undefined) return;
    for (let i = throttle.limit; i < times.length; i += 1) {
      const within = (times[i] ?? 0) - (times[i - throttle.limit] ?? 0);
      if (within < throttle.periodMs)
        throw new Violation('flow', `${throttle.limit + 1} starts lie within ${within} ms, of ${throttle.periodMs}`);
    }
  }
}

/** Closed, and no run follows. */
function endsChain(event: HistoryEvent): boolean {
  switch (event.eventType) {
    case EventType.WORKFLOW_EXECUTION_COMPLETED:
    case EventType.WORKFLOW_EXECUTION_FAILED:
    case EventType.WORKFLOW_EXECUTION_TIMED_OUT:
      return event.attributes.newExecutionRunId === undefined;
    case EventType.WORKFLOW_EXECUTION_TERMINATED:
    case EventType.WORKFLOW_EXECUTION_CANCELED:
      return true;
    default:
      return false;
  }
}

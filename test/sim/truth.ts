// What is durable, read off the disk as it becomes so: every log entry is decoded once and applied to a shadow of all rows. Nothing else in
// the simulator says what the truth is. Checked here as entries arrive: event ids (I5), closings and completions (I5, I6), timers and
// shard time (I7), open runs (I8), terms and lsns (I2); and on every flush: rows on disk are exactly those of one lsn (DESIGN §5).

import { decodeBatch } from '../../src/shard/batches.ts';
import { decodeEntry, type Entry } from '../../src/shard/entry.ts';
import { decodeLogRecord, decodePosition, LOG, POSITION, ROW, unframe } from '../../src/store/framing.ts';
import { decode, encode } from '../../src/wire/codec.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { Violation } from './kernel.ts';

type Rows = Map<string, Uint8Array>;

/** One run's durable history. */
export interface TrueRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly events: HistoryEvent[];
  /** Of activities and workflow tasks: closing event by scheduled event. */
  readonly closings: Map<number, HistoryEvent>;
  /** Timers: started event → time it is due. */
  readonly timers: Map<string, { dueAt: number; ended: boolean }>;
  closed: HistoryEvent | undefined;
}

interface TrueShard {
  /** Entries by lsn, from 1. */
  readonly entries: Entry[];
  lastTerm: number;
  appliedLsn: number;
  /** Rows as of appliedLsn. */
  readonly applied: Rows;
}

/** Rows that are no part of an entry: counters and positions a flush adds. */
const isDerived = (key: string): boolean => key.startsWith('n') || key.startsWith('m');
const isEvents = (key: string): boolean => key.startsWith('e');

/** Both parts of an id in a key: namespace and workflow id follow the shard, each ended by 00 01. */
function partsOf(key: string): string[] {
  return key.slice(3).split('\x00\x01');
}

const CLOSING: ReadonlySet<number> = new Set([
  EventType.WORKFLOW_EXECUTION_COMPLETED,
  EventType.WORKFLOW_EXECUTION_FAILED,
  EventType.WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.WORKFLOW_EXECUTION_TERMINATED,
  EventType.WORKFLOW_EXECUTION_CANCELED,
  EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
]);

export class Truth {
  /** Rows as of everything durable. */
  readonly rows: Rows = new Map();
  /** By run id. */
  readonly runs = new Map<string, TrueRun>();
  /** By workflow id: its runs, in order. */
  readonly workflows = new Map<string, TrueRun[]>();
  /** Signals by the unique text they carry: how often they are in histories. */
  readonly signals = new Map<string, number>();
  readonly #shards = new Map<number, TrueShard>();
  readonly #seenLogs = new Set<string>();
  /** Durable entries so far. */
  entries = 0;

  /** One batch has become durable: `writes` are raw records. */
  written(writes: readonly (readonly [key: string, value: Uint8Array | undefined])[]): void {
    for (const [key, value] of writes) {
      if (key.startsWith(LOG) && value !== undefined) this.#logged(key, unframe(key, value, 'the simulated disk'));
    }
    for (const [key, value] of writes) {
      if (key.startsWith(POSITION) && value !== undefined) this.#flushed(key, value, writes);
    }
  }

  run(runId: string): TrueRun | undefined {
    return this.runs.get(runId);
  }

  /** The value of a row of a run's table, decoded. */
  row(workflowId: string, runId: string, letter: string, id: string): unknown {
    const suffix = `\x00\x01${workflowId}\x00\x01r${runId}\x00\x01${letter}${id}`;
    for (const [key, value] of this.rows) if (key.startsWith('a') && key.endsWith(suffix)) return decode(value);
    return undefined;
  }

  /** Events that wait for their ids. */
  buffered(workflowId: string, runId: string): HistoryEvent[] {
    const part = `\x00\x01${workflowId}\x00\x01r${runId}\x00\x01b`;
    const found: HistoryEvent[] = [];
    for (const [key, value] of this.rows) {
      // Written by the core alone.
      if (key.startsWith('a') && key.includes(part)) found.push((decode(value) as { event: HistoryEvent }).event);
    }
    return found;
  }

  #shard(id: number): TrueShard {
    let shard = this.#shards.get(id);
    if (shard === undefined) {
      shard = { entries: [], lastTerm: 0, appliedLsn: 0, applied: new Map() };
      this.#shards.set(id, shard);
    }
    return shard;
  }

  #logged(key: string, record: Uint8Array): void {
    if (this.#seenLogs.has(key)) throw new Violation('I2', `log record ${JSON.stringify(key)} was written twice`);
    this.#seenLogs.add(key);
    for (const { shard: id, lsn, term, entry: bytes } of decodeLogRecord(record)) {
      const shard = this.#shard(id);
      if (lsn !== shard.entries.length + 1) {
        throw new Violation('I2', `shard ${id}: entry ${lsn} became durable after entry ${shard.entries.length}`);
      }
      if (term < shard.lastTerm) throw new Violation('I2', `shard ${id}: term fell from ${shard.lastTerm} to ${term}`);
      const entry = decodeEntry(Uint8Array.from(bytes));
      const before = shard.entries.at(-1);
      if (before !== undefined && entry.time < before.time) {
        throw new Violation('I7', `shard ${id}: shard time fell from ${before.time} to ${entry.time} at entry ${lsn}`);
      }
      shard.lastTerm = term;
      shard.entries.push(entry);
      this.entries += 1;
      this.#apply(entry);
    }
  }

  #apply(entry: Entry): void {
    for (const [key, value] of entry.rows) {
      if (value === undefined) this.rows.delete(key);
      else {
        this.rows.set(key, value);
        if (isEvents(key)) this.#grow(key, decodeBatch(value), entry.time);
      }
    }
    for (const [key, value] of entry.rows) {
      if (value === undefined || !key.startsWith('a')) continue;
      const [, workflowId = '', rest = ''] = partsOf(key);
      if (rest === 'c') this.#oneOpenRun(workflowId);
    }
  }

  #grow(key: string, events: HistoryEvent[], time: number): void {
    const [, workflowId = '', runId = ''] = partsOf(key);
    let run = this.runs.get(runId);
    if (run === undefined) {
      run = { workflowId, runId, events: [], closings: new Map(), timers: new Map(), closed: undefined };
      this.runs.set(runId, run);
      const runs = this.workflows.get(workflowId);
      if (runs === undefined) this.workflows.set(workflowId, [run]);
      else runs.push(run);
    }
    for (const event of events) this.#event(run, event, time);
  }

  #event(run: TrueRun, event: HistoryEvent, time: number): void {
    const where = `workflow ${run.workflowId}, run ${run.runId}, event ${event.eventId}`;
    if (event.eventId !== run.events.length + 1) {
      throw new Violation('I5', `${where} follows event ${run.events.length}`);
    }
    if (run.closed !== undefined) throw new Violation('I5', `${where} comes after the run has closed`);
    if (event.eventTime > time) throw new Violation('I7', `${where} is of ${event.eventTime}, its entry of ${time}`);
    run.events.push(event);
    if (CLOSING.has(event.eventType)) run.closed = event;
    switch (event.eventType) {
      case EventType.WORKFLOW_EXECUTION_STARTED:
        if (event.eventId !== 1) throw new Violation('I5', `${where} starts the run again`);
        break;
      case EventType.WORKFLOW_EXECUTION_SIGNALED: {
        const id = event.attributes.signalName;
        const unique = `${run.workflowId} ${id} ${Buffer.from(event.attributes.input?.payloads?.[0]?.data ?? []).toString()}`;
        const count = (this.signals.get(unique) ?? 0) + 1;
        this.signals.set(unique, count);
        if (count > 1) throw new Violation('I5', `${where}: the signal ${unique} is there ${count} times`);
        break;
      }
      case EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED:
        if (run.events.filter(({ eventType }) => eventType === event.eventType).length > 1) {
          throw new Violation('I5', `${where} requests cancellation a second time`);
        }
        break;
      case EventType.WORKFLOW_TASK_COMPLETED:
      case EventType.WORKFLOW_TASK_FAILED:
      case EventType.WORKFLOW_TASK_TIMED_OUT:
      case EventType.ACTIVITY_TASK_COMPLETED:
      case EventType.ACTIVITY_TASK_FAILED:
      case EventType.ACTIVITY_TASK_TIMED_OUT:
      case EventType.ACTIVITY_TASK_CANCELED: {
        const { scheduledEventId = 0 } = event.attributes;
        const before = run.closings.get(scheduledEventId);
        if (before !== undefined) {
          throw new Violation(
            'I6',
            `${where} ends the task of event ${scheduledEventId}, which event ${before.eventId} ended`,
          );
        }
        run.closings.set(scheduledEventId, event);
        break;
      }
      case EventType.TIMER_STARTED: {
        const { timerId = '', startToFireTimeout = 0 } = event.attributes;
        run.timers.set(timerId, { dueAt: event.eventTime + startToFireTimeout, ended: false });
        break;
      }
      case EventType.TIMER_FIRED: {
        const timer = run.timers.get(event.attributes.timerId ?? '');
        if (timer === undefined || timer.ended) throw new Violation('I7', `${where} fires a timer that does not run`);
        if (event.eventTime < timer.dueAt) {
          throw new Violation('I7', `${where} fires at ${event.eventTime}, ${timer.dueAt - event.eventTime} ms early`);
        }
        timer.ended = true;
        break;
      }
      case EventType.TIMER_CANCELED: {
        const timer = run.timers.get(event.attributes.timerId ?? '');
        if (timer === undefined || timer.ended) throw new Violation('I7', `${where} cancels a timer that does not run`);
        timer.ended = true;
        break;
      }
    }
  }

  #oneOpenRun(workflowId: string): void {
    const open = this.workflows.get(workflowId)?.filter((run) => run.closed === undefined) ?? [];
    if (open.length > 1) {
      throw new Violation('I8', `workflow ${workflowId} has open runs ${open.map(({ runId }) => runId).join(', ')}`);
    }
  }

  /** A flush of one shard: its rows on disk are now those of one lsn, and no others have changed. */
  #flushed(key: string, framed: Uint8Array, writes: readonly (readonly [string, Uint8Array | undefined])[]): void {
    const id = key.charCodeAt(1) * 256 + key.charCodeAt(2);
    const shard = this.#shard(id);
    const { appliedLsn } = decodePosition(unframe(key, framed, 'the simulated disk'));
    if (appliedLsn > shard.entries.length) {
      throw new Violation(
        'flush',
        `shard ${id} is flushed to lsn ${appliedLsn}, its durable log ends at ${shard.entries.length}`,
      );
    }
    const wanted = new Map<string, Uint8Array | undefined>();
    for (const { rows } of shard.entries.slice(shard.appliedLsn, appliedLsn)) {
      for (const [rowKey, value] of rows) wanted.set(rowKey, value);
    }
    const written = new Map<string, Uint8Array | undefined>();
    for (const [rowKey, value] of writes) {
      if (!rowKey.startsWith(ROW) || shardOfRow(rowKey.slice(1)) !== id) continue;
      written.set(rowKey.slice(1), value === undefined ? undefined : unframe(rowKey, value, 'the simulated disk'));
    }
    const batches = [...wanted].filter(([rowKey, value]) => isEvents(rowKey) && value !== undefined);
    const flushed = [...written].filter(([rowKey, value]) => isEvents(rowKey) && value !== undefined);
    const flat = (rows: [string, Uint8Array | undefined][]) =>
      rows
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([rowKey, value]) =>
          value === undefined ? [] : decodeBatch(value).map((event) => [rowKey.slice(0, -4), event]),
        );
    if (!same(flat(batches), flat(flushed))) {
      throw new Violation('flush', `shard ${id}: the events on disk are not those of lsn ${appliedLsn}`);
    }
    for (const [rowKey, value] of written) {
      if (isDerived(rowKey) || (isEvents(rowKey) && value !== undefined)) continue;
      const right = wanted.has(rowKey) ? wanted.get(rowKey) : shard.applied.get(rowKey);
      if (!sameBytes(right, value)) {
        throw new Violation(
          'flush',
          `shard ${id}: row ${JSON.stringify(rowKey)} on disk is not that of lsn ${appliedLsn}`,
        );
      }
    }
    for (const [rowKey, value] of wanted) {
      if (isEvents(rowKey) || written.has(rowKey)) continue;
      if (!sameBytes(shard.applied.get(rowKey), value)) {
        const there = value === undefined ? 'stays' : 'is missing';
        throw new Violation(
          'flush',
          `shard ${id}: row ${JSON.stringify(rowKey)} ${there} on disk at lsn ${appliedLsn}`,
        );
      }
    }
    for (const [rowKey, value] of wanted) {
      if (value === undefined) shard.applied.delete(rowKey);
      else shard.applied.set(rowKey, value);
    }
    shard.appliedLsn = appliedLsn;
  }
}

/** The shard a row belongs to, as far as its key says. */
function shardOfRow(key: string): number | undefined {
  const u16 = (at: number): number => key.charCodeAt(at) * 256 + key.charCodeAt(at + 1);
  switch (key.charAt(0)) {
    case 'a':
    case 'e':
    case 'n':
    case 'o':
    case 'q':
      return u16(1);
    case 't':
      return u16(7);
    case 's':
      return u16(key.indexOf('\x00\x01', 1) + 3);
    case 'b':
      // queue, kind, priority, pass, time, then the actor's base.
      return u16(key.indexOf('\x00\x01', key.indexOf('\x00\x01', 1) + 2) + 2 + 1 + 1 + 6 + 6);
    case 'm':
      return key.startsWith('ms') ? u16(2) : undefined;
    case 'v':
      return u16(key.length - 2);
    default:
      return undefined;
  }
}

/** Whether both are the same value; what kind of byte array holds them does not matter. */
export const same = (a: unknown, b: unknown): boolean => sameBytes(encode(a), encode(b));

export function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

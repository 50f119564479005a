// What is durable, read off the disk as it becomes so: every log entry is decoded once and applied to a shadow of all rows. Nothing else in
// the simulator says what the truth is. Checked here as entries arrive: event ids (I5), closings and completions (I5, I6), timers and
// shard time (I7), open runs (I8), terms and lsns (I2); and on every flush: rows on disk are exactly those of one lsn (DESIGN §5).

import { key } from '../../src/ports/ids.ts';
import { storedRow } from '../../src/shard/actors.ts';
import { decodeBatch } from '../../src/shard/batches.ts';
import { decodeEntry, type Entry } from '../../src/shard/entry.ts';
import { decodeLogRecord, LOG, POSITION, unframe } from '../../src/store/framing.ts';
import { decode } from '../../src/wire/codec.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { FlowWatch } from './flow-watch.ts';
import { FlushWatch, NOTHING_INSTALLED } from './flush-watch.ts';
import { Violation } from './kernel.ts';
import { NexusWatch } from './nexus-watch.ts';
import { type Origin, originOf, pointOf } from './operations/reset-watch.ts';
import { Watches } from './operations/watches.ts';
import { outcomeText, Relations, textOf } from './relations.ts';
import { VersionWatch } from './version-watch.ts';

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
  /** Of a run that a reset began: so many events are those of an earlier one, and so many signals after them are repeated. */
  inherited: number;
  repeated: number;
}

interface TrueShard {
  /** Entries by lsn, from 1. */
  readonly entries: Entry[];
  lastTerm: number;
}

const nothing = (time: number): Entry => ({ time, rows: new Map(), receipts: [], counts: [], rewritten: [] });

const isOutbox = (key: string): boolean => key.startsWith('o');
const isEvents = (key: string): boolean => key.startsWith('e');

/** Both parts of an id in a key: namespace and workflow id follow the shard, each ended by 00 01. */
function partsOf(key: string): string[] {
  return key.slice(3).split('\x00\x01');
}

function newRun(workflowId: string, runId: string, { inherited, repeated }: Origin = NOT_RESET): TrueRun {
  const nothing = { events: [], closings: new Map(), timers: new Map(), closed: undefined };
  return { workflowId, runId, ...nothing, inherited, repeated };
}

const NOT_RESET: Origin = { inherited: 0, repeated: 0 };

/** Whether an entry's events of the run that one of its keys names say that a reset began it. A long history comes in several rows. */
function isReset(runId: string, key: string, { rows }: Entry): boolean {
  const prefix = key.slice(0, -4);
  for (const [other, value] of rows)
    if (value !== undefined && other.startsWith(prefix) && pointOf(runId, decodeBatch(value)) >= 0) return true;
  return false;
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
  /** Accepted updates by workflow and update id, and whether they are completed. */
  readonly updates = new Map<string, 'accepted' | 'completed'>();
  /** Of completed ones: the text they came to, or of how they failed. */
  readonly outcomes = new Map<string, string>();
  readonly #shards = new Map<number, TrueShard>();
  readonly #seenLogs = new Set<string>();
  readonly #sent = new Set<string>();
  /** Of applied messages: the term they were applied in. */
  readonly #receipts = new Map<string, number>();
  readonly relations = new Relations(this);
  readonly flows = new FlowWatch();
  readonly nexus = new NexusWatch();
  readonly versions = new VersionWatch();
  readonly watches = new Watches(this);
  readonly #flushes = new FlushWatch({ entriesOf: (shard) => this.entriesOf(shard) });
  /** Outbox messages that are not acknowledged. */
  readonly undelivered = new Set<string>();
  /** Runs that have not closed. */
  openRuns = 0;
  /** Durable entries so far. */
  entries = 0;

  /** One batch has become durable: `writes` are raw records. */
  written(writes: readonly (readonly [key: string, value: Uint8Array | undefined])[]): void {
    for (const [key, value] of writes) {
      if (key.startsWith(LOG) && value !== undefined) this.#logged(key, unframe(key, value, 'the simulated disk'));
    }
    for (const [key, value] of writes) {
      if (key.startsWith(POSITION) && value !== undefined) this.#flushes.flushed(key, value, writes, NOTHING_INSTALLED);
    }
  }

  entriesOf(id: number): readonly Entry[] {
    return this.#shard(id).entries;
  }

  run(runId: string): TrueRun | undefined {
    return this.runs.get(runId);
  }

  /** The value of a row of a run's table, decoded. */
  row(workflowId: string, runId: string, letter: string, id: string): unknown {
    const suffix = `\x00\x01${workflowId}\x00\x01r${runId}\x00\x01${letter}${id}`;
    for (const [rowKey, value] of this.rows) {
      if (!rowKey.startsWith('a') || !rowKey.endsWith(suffix)) continue;
      return storedRow(key(rowKey), rowKey.slice(0, rowKey.length - letter.length - id.length), runId, value).value;
    }
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
      shard = { entries: [], lastTerm: 0 };
      this.#shards.set(id, shard);
    }
    return shard;
  }

  #logged(key: string, record: Uint8Array): void {
    if (this.#seenLogs.has(key)) throw new Violation('I2', `log record ${JSON.stringify(key)} was written twice`);
    this.#seenLogs.add(key);
    for (const { shard, lsn, term, entry } of decodeLogRecord(record)) this.commit(shard, lsn, term, entry);
  }

  /** The next entry of a shard's log; `undefined`: one of the replication's own, which changes nothing. */
  commit(id: number, lsn: number, term: number, bytes: Uint8Array | undefined): void {
    const shard = this.#shard(id);
    if (lsn !== shard.entries.length + 1) {
      throw new Violation('I2', `shard ${id}: entry ${lsn} became durable after entry ${shard.entries.length}`);
    }
    if (term < shard.lastTerm) throw new Violation('I2', `shard ${id}: term fell from ${shard.lastTerm} to ${term}`);
    const before = shard.entries.at(-1);
    const entry = bytes === undefined ? nothing(before?.time ?? 0) : decodeEntry(new Uint8Array(bytes));
    if (before !== undefined && entry.time < before.time) {
      throw new Violation('I7', `shard ${id}: shard time fell from ${before.time} to ${entry.time} at entry ${lsn}`);
    }
    shard.lastTerm = term;
    shard.entries.push(entry);
    this.entries += 1;
    for (const { source, seq } of entry.receipts) this.#received(id, source, seq, term);
    this.#apply(entry);
  }

  /** How far a shard's log goes. */
  lastLsn(id: number): number {
    return this.#shards.get(id)?.entries.length ?? 0;
  }

  lastTerm(id: number): number {
    return this.#shards.get(id)?.lastTerm ?? 0;
  }

  /** The term in which shard `id` applied the message with this number of `source`, if it did. */
  receivedIn(id: number, source: number, seq: number): number | undefined {
    return this.#receipts.get(`${id} ${source} ${seq}`);
  }

  #received(id: number, source: number, seq: number, term: number): void {
    const receipt = `${id} ${source} ${seq}`;
    if (this.#receipts.has(receipt)) {
      throw new Violation('I5', `shard ${id} applies message ${seq} of shard ${source} a second time`);
    }
    this.#receipts.set(receipt, term);
  }

  #apply(entry: Entry): void {
    const reset = new Map<string, { workflowId: string; events: HistoryEvent[] }>();
    for (const [key, value] of entry.rows) {
      if (isOutbox(key)) this.#outbox(key, value);
      if (key.startsWith('a')) {
        const [, workflowId = '', rest = ''] = partsOf(key);
        this.flows.row(workflowId, rest, value);
      }
      if (value === undefined) this.rows.delete(key);
      else {
        this.rows.set(key, value);
        if (isEvents(key)) this.#eventRow(key, decodeBatch(value), entry, reset);
      }
      this.watches.row(key, value);
    }
    for (const [runId, { workflowId, events }] of reset) this.#grow(workflowId, runId, events, entry.time);
    this.watches.entered(entry.time);
    for (const [key, value] of entry.rows) {
      if (value === undefined || !key.startsWith('a')) continue;
      const [, workflowId = '', rest = ''] = partsOf(key);
      if (rest === 'c') this.#oneOpenRun(workflowId);
    }
    this.flows.applied(entry.time);
  }

  /** A run that a reset began takes over what others got in the same entry: it comes last, with all its rows. */
  #eventRow(
    key: string,
    events: HistoryEvent[],
    entry: Entry,
    reset: Map<string, { workflowId: string; events: HistoryEvent[] }>,
  ): void {
    const [, workflowId = '', runId = ''] = partsOf(key);
    const known = reset.get(runId);
    if (known !== undefined) known.events.push(...events);
    else if (!this.runs.has(runId) && isReset(runId, key, entry)) reset.set(runId, { workflowId, events });
    else this.#grow(workflowId, runId, events, entry.time);
  }

  /** Each number is used once; its message goes once. */
  #outbox(key: string, value: Uint8Array | undefined): void {
    if (value !== undefined && this.#sent.has(key)) {
      throw new Violation('I5', `outbox row ${JSON.stringify(key)} is written a second time`);
    }
    if (value === undefined) this.undelivered.delete(key);
    else {
      this.#sent.add(key);
      this.undelivered.add(key);
    }
  }

  #grow(workflowId: string, runId: string, events: HistoryEvent[], time: number): void {
    let run = this.runs.get(runId);
    if (run === undefined) {
      run = newRun(
        workflowId,
        runId,
        originOf(runId, events, (id) => this.run(id)),
      );
      if (run.inherited > 0) this.watches.seen('a run was reset');
      this.runs.set(runId, run);
      this.openRuns += 1;
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
    if (event.eventType === EventType.WORKFLOW_TASK_STARTED && isHeld(run.events))
      throw new Violation('pause', `${where} starts a workflow task of a paused run`);
    this.flows.event(run.runId, event);
    if (event.eventTime > time) throw new Violation('I7', `${where} is of ${event.eventTime}, its entry of ${time}`);
    run.events.push(event);
    this.versions.event(run, event);
    if (CLOSING.has(event.eventType)) {
      run.closed = event;
      this.openRuns -= 1;
    }
    if (event.eventId > run.inherited) {
      this.relations.event(run, event);
      this.nexus.event(run, event);
      this.watches.event(run, event);
    }
    switch (event.eventType) {
      case EventType.WORKFLOW_EXECUTION_STARTED:
        if (event.eventId !== 1) throw new Violation('I5', `${where} starts the run again`);
        break;
      case EventType.WORKFLOW_EXECUTION_SIGNALED: {
        if (event.eventId <= run.inherited) break;
        if (run.repeated > 0) {
          run.repeated -= 1;
          break;
        }
        const id = event.attributes.signalName;
        const unique = `${run.workflowId} ${id} ${textOf(event.attributes.input)}`;
        const count = (this.signals.get(unique) ?? 0) + 1;
        this.signals.set(unique, count);
        if (count > 1) throw new Violation('I5', `${where}: the signal ${unique} is there ${count} times`);
        break;
      }
      case EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED: {
        const unique = `${run.workflowId} ${event.attributes.protocolInstanceId}`;
        if (this.updates.has(unique)) throw new Violation('I5', `${where}: the update ${unique} is accepted again`);
        this.updates.set(unique, 'accepted');
        break;
      }
      case EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED: {
        const unique = `${run.workflowId} ${event.attributes.meta?.updateId}`;
        if (this.updates.get(unique) !== 'accepted')
          throw new Violation('I5', `${where}: the update ${unique} is completed and was ${this.updates.get(unique)}`);
        this.updates.set(unique, 'completed');
        this.outcomes.set(unique, outcomeText(event.attributes.outcome));
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
}

/** Paused, and not unpaused since. */
function isHeld(events: readonly HistoryEvent[]): boolean {
  const last = events.findLast(
    ({ eventType }) =>
      eventType === EventType.WORKFLOW_EXECUTION_PAUSED || eventType === EventType.WORKFLOW_EXECUTION_UNPAUSED,
  );
  return last?.eventType === EventType.WORKFLOW_EXECUTION_PAUSED;
}

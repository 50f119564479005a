// Schedules as their durable rows tell it, entry by entry: each due time is taken once, and one that is not taken is counted or was due while the
// schedule was not to act; nothing begins while it is paused; a run that must not be overlapped is not. What is due is worked out here by itself
// (interval-times.ts). Truth feeds it, for one node and for clusters.

import { isScheduleAddress, scheduleIdOf } from '../../../src/core/schedule/address.ts';
import { MIN_CATCHUP_WINDOW_MS } from '../../../src/core/schedule/limits.ts';
import {
  applyRow,
  type BufferedRow,
  type DefinitionRow,
  emptySchedule,
  type HeadRow,
  type ScheduleActor,
} from '../../../src/core/schedule/rows.ts';
import type { Message } from '../../../src/core/workflow/message.ts';
import { storedRow } from '../../../src/shard/actors.ts';
import { chainPrefix } from '../../../src/shard/keys.ts';
import { decode } from '../../../src/wire/codec.ts';
import { EventType, ScheduleOverlapPolicy, WorkflowIdReusePolicy } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { DescribeScheduleResponse, SchedulePatch } from '../../../src/wire/schedule.ts';
import { Violation } from '../kernel.ts';
import type { TrueRun } from '../truth.ts';
import { dueBetween, nextDue } from './interval-times.ts';
import type { ActorsRow } from './watches.ts';

type StartScheduled = Extract<Message, { type: 'startScheduled' }>;

/** What a turn may be late: an entry's time is that of its last turn. */
const SLACK_MS = 5_000;

/** What this needs to know of the runs. */
export interface KnownRuns {
  run(runId: string): TrueRun | undefined;
  lastOf(first: TrueRun): TrueRun;
}

/** One life of a schedule. */
interface Life {
  readonly scheduleId: string;
  readonly incarnation: string;
  actor: ScheduleActor;
  /** Nominal times that were started, or wait. */
  readonly taken: Set<number>;
  /** Actions sent: workflow id, and the nominal time of those nobody asked for by hand. */
  readonly sent: Map<number, { workflowId: string; nominal: number; manual: boolean; overlaps: boolean }>;
  /** First runs of actions that may not be overlapped, as they were heard of. */
  readonly heard: Map<number, string>;
  deleted: boolean;
}

interface Touched {
  readonly rows: { id: string; value: object | undefined }[];
  readonly sends: StartScheduled[];
}

export class ScheduleWatch {
  readonly #known: KnownRuns;
  /** By address: the life that goes on. */
  readonly #alive = new Map<string, Life>();
  readonly #lives: Life[] = [];
  #touched = new Map<string, Touched>();
  /** First runs by workflow id, of all that schedules started. */
  readonly #runs = new Map<string, number>();
  /** Ids of those that were asked to begin something by hand which ends what goes on. */
  readonly #ending = new Set<string>();
  /** What was seen of it, for those who ask whether a run of the simulator was worth it. */
  readonly seen = new Set<string>();

  constructor(known: KnownRuns) {
    this.#known = known;
  }

  /** Somebody asks so of the one with this id. */
  patched(scheduleId: string, { triggerImmediately, backfillRequest = [] }: SchedulePatch): void {
    const policies = [triggerImmediately, ...backfillRequest].map((asked) => asked?.overlapPolicy);
    if (policies.some(ends)) this.#ending.add(scheduleId);
  }

  /** A row of the entry that is being applied. */
  row({ key, value, namespace, address, end }: ActorsRow): void {
    if (!isScheduleAddress(address)) return;
    const prefix = chainPrefix(key.slice(1, end));
    const id = key.slice(prefix.length);
    const row = value === undefined ? { id, value } : storedRow(key, prefix, '', value);
    this.#touch(`${namespace}/${address}`).rows.push(row);
  }

  /** An outbox row of it. */
  message(value: Uint8Array): void {
    if (!Buffer.from(value.buffer, value.byteOffset, value.length).includes('startScheduled')) return;
    const [namespace, , message] = decode(value) as [string, string, Message]; // written by the outbox
    if (message.type === 'startScheduled') this.#touch(`${namespace}/${message.by.workflowId}`).sends.push(message);
  }

  #touch(address: string): Touched {
    let touched = this.#touched.get(address);
    if (touched === undefined) this.#touched.set(address, (touched = { rows: [], sends: [] }));
    return touched;
  }

  /** A first run of a chain has begun. */
  began(run: TrueRun, event: HistoryEvent): void {
    if (event.eventType !== EventType.WORKFLOW_EXECUTION_STARTED) return;
    if (event.attributes.searchAttributes?.indexedFields?.TemporalScheduledById === undefined) return;
    if ((event.attributes.firstExecutionRunId ?? run.runId) !== run.runId) return;
    this.#runs.set(run.workflowId, (this.#runs.get(run.workflowId) ?? 0) + 1);
  }

  /** The entry is applied, its events too. */
  entered(time: number): void {
    if (this.#touched.size === 0) return;
    const touched = this.#touched;
    this.#touched = new Map();
    for (const [address, changes] of touched) this.#changed(address, changes, time);
  }

  #changed(address: string, { rows, sends }: Touched, time: number): void {
    const before = this.#alive.get(address);
    const head = rows.find(({ id }) => id === 'h');
    // Every turn that begins an action writes the head.
    if (head === undefined) return;
    const next = head.value as HeadRow | undefined; // the id says so
    let life = before;
    if (life !== undefined && life.incarnation !== next?.incarnation) {
      life.deleted = true;
      this.#send(life, sends);
      this.#alive.delete(address);
      life = undefined;
    }
    if (next === undefined) return;
    if (life === undefined) {
      life = born(address, next.incarnation);
      this.#lives.push(life);
      this.#alive.set(address, life);
    }
    const was = life.actor;
    life.actor = grown(was, rows);
    this.#look(life, was, sends, time);
  }

  #look(life: Life, was: ScheduleActor, sends: StartScheduled[], time: number): void {
    const { head, definition, buffered, starting } = life.actor;
    const where = `schedule ${life.scheduleId}`;
    if (head === undefined || definition === undefined) throw new Violation('I4', `${where} has no head or definition`);
    if (head.buffered !== buffered.size || head.starting !== starting.size)
      throw new Violation('I4', `${where} counts other rows than it has: ${JSON.stringify(head)}`);
    const started = this.#send(life, sends);
    if (head.action - (was.head?.action ?? 0) !== sends.filter(({ by }) => by.incarnation === life.incarnation).length)
      throw new Violation('I5', `${where} counts ${head.action} actions, and did not send as many`);
    this.#overlaps(life, where);
    const byHand = sends.some(({ by, reusePolicy }) => by.incarnation === life.incarnation && isManual(reusePolicy));
    this.#dueTimes(life, was, { started, byHand }, time, where);
  }

  /** Each action is sent once; nominal times of those nobody asked for. */
  #send(life: Life, sends: StartScheduled[]): Set<number> {
    const started = new Set<number>();
    for (const message of sends) {
      const { by, reusePolicy } = message;
      if (by.incarnation !== life.incarnation) continue;
      const workflowId = workflowIdOf(message, life);
      const nominal = Date.parse(workflowId.slice(-20));
      const manual = isManual(reusePolicy);
      if (life.sent.has(by.action))
        throw new Violation('I5', `schedule ${life.scheduleId} sends action ${by.action} a second time`);
      const overlaps = life.actor.starting.get(by.action)?.overlaps ?? true;
      life.sent.set(by.action, { workflowId, nominal, manual, overlaps });
      this.seen.add(manual ? 'a schedule was triggered or backfilled' : 'a schedule fired');
      if (!manual) started.add(nominal);
    }
    return started;
  }

  /** Whatever began before is over before another begins that may not overlap it. */
  #overlaps(life: Life, where: string): void {
    const { head, starting } = life.actor;
    for (const { action, runId } of head?.running ?? []) life.heard.set(action, runId);
    const alone = [...starting].filter(([, { overlaps }]) => !overlaps);
    if (alone.length + (head?.running.length ?? 0) > 1)
      throw new Violation('end', `${where} has several runs that may not overlap: ${JSON.stringify(head?.running)}`);
    const [action] = alone[0] ?? [];
    if (action === undefined) return;
    for (const [other, runId] of life.heard) {
      const first = this.#known.run(runId);
      if (other >= action || first === undefined || this.#known.lastOf(first).closed !== undefined) continue;
      throw new Violation('end', `${where} begins action ${action} while that of action ${other}, ${runId}, goes on`);
    }
  }

  #dueTimes(
    life: Life,
    was: ScheduleActor,
    { started, byHand }: { started: ReadonlySet<number>; byHand: boolean },
    time: number,
    where: string,
  ): void {
    const { head, definition, buffered } = life.actor;
    if (head === undefined || definition === undefined) return;
    const from = was.head?.through ?? head.createTime;
    if (head.through < from)
      throw new Violation('I5', `${where} deals with times again: ${head.through} after ${from}`);
    const specs = [was.definition ?? definition, definition];
    const due = new Set(specs.flatMap(({ spec }) => dueBetween(spec, from, head.through)));
    const waited = waiting(was.buffered.values());
    const waits = waiting(buffered.values());
    for (const nominal of [...waits, ...started]) {
      if (waited.has(nominal)) continue;
      if (!due.has(nominal)) throw new Violation('I5', `${where} takes ${at(nominal)}, which is not due now`);
      if (life.taken.has(nominal)) throw new Violation('I5', `${where} takes ${at(nominal)} a second time`);
      life.taken.add(nominal);
      if (!was.head) continue;
      if (was.head.state.paused === true && head.state.paused === true && was.head.version === head.version)
        throw new Violation('end', `${where} takes ${at(nominal)} and is paused`);
      if (time - nominal - SLACK_MS > windowOf(specs))
        throw new Violation('end', `${where} takes ${at(nominal)} at ${at(time)}, beyond its catch-up window`);
    }
    const missed = head.counts.missed - (was.head?.counts.missed ?? 0);
    const late = [...due].filter(
      (nominal) => nominal < time - Math.min(...specs.map(({ policies }) => policies.catchupWindow)),
    );
    if (missed > late.length)
      throw new Violation(
        'end',
        `${where} counts ${missed} as missed, ${late.length} were due beyond its catch-up window`,
      );
    if (missed > 0) this.seen.add('a schedule missed what was due beyond its catch-up window');
    if (mayPassOver(was, life.actor)) {
      this.seen.add('a schedule passed over what was due');
      return;
    }
    const gone = [...due, ...waited].filter((nominal) => !waits.has(nominal) && !started.has(nominal));
    // Also to one that was asked for by hand.
    const others = buffered.size > 0 || head.action > (was.head?.action ?? 0);
    // It may have come, waited and begun within this very entry.
    const mayGiveWay =
      specs.some(givesWay) ||
      [...was.buffered.values()].some(({ overlapPolicy }) => ends(overlapPolicy)) ||
      (byHand && this.#ending.has(life.scheduleId));
    const gaveWay = mayGiveWay && others ? gone.length : 0;
    const counted = countOf(head) - (was.head === undefined ? 0 : countOf(was.head));
    if (gone.length > counted + gaveWay)
      throw new Violation(
        'I7',
        `${where} has lost ${gone.map(at).join(', ')}: ${counted} were counted in ${JSON.stringify(head)}`,
      );
    if (counted > missed) this.seen.add('a schedule skipped or dropped what was due');
  }

  /** A client was told so of the one with this id. */
  described(scheduleId: string, { info, conflictToken }: DescribeScheduleResponse): void {
    const version = Number(Buffer.from(conflictToken).toString());
    const isDurable = this.#lives.some(({ scheduleId: other, actor: { head } }) => {
      return (
        other === scheduleId && head !== undefined && info.actionCount <= head.counts.taken && version <= head.version
      );
    });
    if (!isDurable)
      throw new Violation(
        'I1',
        `schedule ${scheduleId} was told as of version ${version}, with ${info.actionCount} actions`,
      );
  }

  /** Nothing waits, nothing is due: all schedules came to their end, by what is durable. */
  get quiet(): boolean {
    for (const { actor } of this.#alive.values()) if (!isQuiet(actor)) return false;
    return true;
  }

  /** What goes on, for people. */
  get busy(): string[] {
    return [...this.#alive.values()].filter(({ actor }) => !isQuiet(actor)).map(({ scheduleId }) => scheduleId);
  }

  checkEnds(): void {
    for (const scheduleId of new Set(this.#lives.map((life) => life.scheduleId)))
      this.#checkEnd(
        scheduleId,
        this.#lives.filter((life) => life.scheduleId === scheduleId),
      );
  }

  #checkEnd(scheduleId: string, lives: readonly Life[]): void {
    const asked = new Map<string, { manual: number; due: number }>();
    for (const { workflowId, manual } of lives.flatMap(({ sent }) => [...sent.values()])) {
      const counts = asked.get(workflowId) ?? { manual: 0, due: 0 };
      counts[manual ? 'manual' : 'due'] += 1;
      asked.set(workflowId, counts);
    }
    let runs = 0;
    for (const [workflowId, { manual, due }] of asked) {
      const began = this.#runs.get(workflowId) ?? 0;
      runs += began;
      // Who asks for a time by hand may have been quicker than the time itself.
      if (began > manual + due || (began < 1 && due > 0))
        throw new Violation(
          'I5',
          `${workflowId} of schedule ${scheduleId} was started ${began} times, asked for ${due}, by hand ${manual}`,
        );
    }
    const [life, other] = lives;
    const taken = life?.actor.head?.counts.taken ?? 0;
    // One that was deleted does not hear of all it began.
    if (other === undefined && life?.deleted === false && taken !== runs)
      throw new Violation('I5', `schedule ${scheduleId} counts ${taken} actions taken, ${runs} runs began`);
  }
}

function born(address: string, incarnation: string): Life {
  const scheduleId = scheduleIdOf(address.slice(address.indexOf('/') + 1));
  const life = { scheduleId, incarnation, actor: emptySchedule(), deleted: false };
  return { ...life, taken: new Set(), sent: new Map(), heard: new Map() };
}

function grown(was: ScheduleActor, rows: Touched['rows']): ScheduleActor {
  const actor = {
    ...was,
    buffered: new Map(was.buffered),
    starting: new Map(was.starting),
    requests: new Map(was.requests),
  };
  for (const row of rows) applyRow(actor, row);
  return actor;
}

function workflowIdOf(message: StartScheduled, life: Life): string {
  const row = life.actor.starting.get(message.by.action);
  if (row !== undefined) return row.workflowId;
  // It was answered in the very entry that sent it, or the schedule is gone.
  const recent = life.actor.head?.recent.find(({ action }) => action === message.by.action);
  const stamp = message.searchAttributes?.indexedFields?.TemporalScheduledStartTime?.data ?? new Uint8Array();
  const time = JSON.parse(Buffer.from(stamp).toString() || '""') as string; // the schedule's own
  const base = life.actor.definition?.action.startWorkflow?.workflowId ?? '';
  return recent?.startWorkflowResult.workflowId ?? `${base}-${time}`;
}

const waiting = (rows: Iterable<BufferedRow>): Set<number> =>
  new Set([...rows].filter(({ manual }) => !manual).map(({ nominal }) => nominal));

const countOf = ({ counts: { missed, skipped, dropped } }: HeadRow): number => missed + skipped + dropped;

const windowOf = (specs: readonly DefinitionRow[]): number =>
  Math.max(MIN_CATCHUP_WINDOW_MS, ...specs.map(({ policies, spec }) => policies.catchupWindow + (spec.jitter ?? 0)));

/** Of several that are due before anything runs the last one is taken, uncounted, as on the reference server. */
const givesWay = ({ policies: { overlapPolicy } }: DefinitionRow): boolean => ends(overlapPolicy);

/** A due time is started once; what is asked for by hand may be again. */
const isManual = (reusePolicy: WorkflowIdReusePolicy): boolean =>
  reusePolicy !== WorkflowIdReusePolicy.REJECT_DUPLICATE;

const ends = (overlapPolicy: ScheduleOverlapPolicy | undefined): boolean =>
  overlapPolicy === ScheduleOverlapPolicy.CANCEL_OTHER || overlapPolicy === ScheduleOverlapPolicy.TERMINATE_OTHER;

/** Whether it was not to act for a while within this entry, or began to be another. */
function mayPassOver(was: ScheduleActor, is: ScheduleActor): boolean {
  const states = [was.head?.state, is.head?.state];
  if (states.some((state) => state?.paused === true || state?.limitedActions === true)) return true;
  return was.head !== undefined && (was.definition !== is.definition || was.head.version !== is.head?.version);
}

function isQuiet({ head, definition, buffered, starting }: ScheduleActor): boolean {
  if (head === undefined || definition === undefined) return true;
  if (starting.size > 0 || head.running.length > 0 || head.backfills.length > 0 || buffered.size > 0) return false;
  const { paused, limitedActions, remainingActions = 0 } = head.state;
  return (
    paused === true ||
    (limitedActions === true && remainingActions <= 0) ||
    nextDue(definition.spec, head.through) === undefined
  );
}

const at = (ms: number): string => new Date(ms).toISOString();

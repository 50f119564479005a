// A schedule with a clock, and the workflow ids it speaks to: what it starts is kept, and answered when the test says so.

import { decode, encode } from '../../wire/codec.ts';
import { type ScheduleOverlapPolicy, WorkflowExecutionStatus } from '../../wire/enums.ts';
import type { Schedule, ScheduleInfo } from '../../wire/schedule.ts';
import { DEFAULT_LIMITS } from '../workflow/limits.ts';
import type { Message } from '../workflow/message.ts';
import type { Decision } from '../workflow/outcome.ts';
import { packRow, unpackRow } from '../workflow/row-codec.ts';
import type { StoredRow } from '../workflow/rows.ts';
import { scheduleAddress } from './address.ts';
import { decideSchedule } from './decide.ts';
import { nextScheduleDeadline } from './due.ts';
import type { ScheduledClosedMessage, StartScheduledMessage } from './message.ts';
import { applyRow, emptySchedule, loadSchedule, type ScheduleActor } from './rows.ts';
import { canonicalSpec } from './spec.ts';

export const MINUTE = 60_000;
const SCHEDULE_ID = 'nightly';
const address = { namespace: 'default', workflowId: scheduleAddress(SCHEDULE_ID) };

export interface Started {
  /** Nominal time, ms. */
  at: number;
  workflowId: string;
  message: StartScheduledMessage;
}

export class ScheduleWorld {
  now = 0;
  actor: ScheduleActor = emptySchedule();
  /** In order. */
  readonly starts: Started[] = [];
  readonly asked: ('cancel' | 'terminate')[] = [];
  readonly rows = new Map<string, StoredRow>();
  #requests = 0;
  #answered = 0;
  /** Whether starts are answered in the turn after them. */
  answering = true;

  /** Every minute unless the schedule says otherwise. */
  create(schedule: Schedule = {}, overlapPolicy?: ScheduleOverlapPolicy, requestId = this.requestId()): this {
    const { spec = { interval: [{ interval: MINUTE }] }, action, policies, state } = schedule;
    this.say({
      type: 'createSchedule',
      requestId,
      incarnation: `life-${this.now}`,
      schedule: {
        spec: canonicalSpec(spec),
        action: action ?? { startWorkflow: { workflowId: 'run', workflowType: 'W', taskQueue: 'q' } },
        policies: { overlapPolicy, ...policies },
        state: state ?? {},
      },
    });
    return this;
  }

  requestId(): string {
    this.#requests += 1;
    return `request-${this.#requests}`;
  }

  /** One turn; throws what was refused. */
  say(message: Message): Decision {
    const context = { now: this.now, spareRunId: '', limits: DEFAULT_LIMITS, namespaces: new Map() };
    const decision = decideSchedule(address, this.actor, message, context);
    if (!decision.ok) throw new Error(decision.status.message);
    for (const change of decision.rows) {
      applyRow(this.actor, change);
      const { table, runId, id, value } = change;
      if (value === undefined) this.rows.delete(id);
      else {
        const stored = unpackRow(table, id, decode(encode(packRow(table, id, value))));
        this.rows.set(id, { table, runId, id, value: stored });
      }
    }
    for (const effect of decision.effects) if (effect.type === 'send') this.#sent(effect.workflowId, effect.message);
    if (this.answering) this.answer();
    return decision;
  }

  /** The runs that were asked for begin. */
  answer(): void {
    while (this.#answered < this.starts.length) {
      const started = this.starts[this.#answered];
      this.#answered += 1;
      if (started === undefined) return;
      const { by } = started.message;
      this.say({ type: 'scheduledStarted', by, runId: `run of ${started.workflowId}`, startTime: this.now });
    }
  }

  /** Time passes, timers fire as they are due. */
  until(time: number): this {
    for (;;) {
      const due = this.deadline;
      if (due === undefined || due > time) break;
      this.now = Math.max(this.now, due);
      this.say({ type: 'timer' });
    }
    this.now = time;
    return this;
  }

  /** Nobody was there: the timer fires once, late. */
  late(time: number): this {
    this.now = time;
    while ((this.deadline ?? Number.POSITIVE_INFINITY) <= time) this.say({ type: 'timer' });
    return this;
  }

  end(n: number, how: Partial<ScheduledClosedMessage> = {}): this {
    const started = this.starts[n];
    if (started === undefined) throw new Error(`nothing was started as number ${n}`);
    const { by } = started.message;
    const runId = `run of ${started.workflowId}`;
    const status = WorkflowExecutionStatus.COMPLETED;
    this.say({ type: 'scheduledClosed', by, runId, startTime: this.now, status, ...how });
    return this;
  }

  get deadline(): number | undefined {
    return nextScheduleDeadline(address, this.actor);
  }

  get times(): number[] {
    return this.starts.map(({ at }) => at / MINUTE);
  }

  get info(): ScheduleInfo {
    return this.described.info;
  }

  get described() {
    const decision = this.say({ type: 'describeSchedule' });
    if (!decision.ok || decision.reply.type !== 'scheduleDescribed') throw new Error('it is not described');
    return decision.reply.response;
  }

  reloaded(): ScheduleActor {
    return loadSchedule(address.workflowId, this.rows.values());
  }

  #sent(workflowId: string, message: Message): void {
    if (message.type === 'startScheduled') {
      const at = Date.parse(workflowId.slice(workflowId.indexOf('-') + 1));
      this.starts.push({ at, workflowId, message });
    } else if (message.type === 'requestCancel') this.asked.push('cancel');
    else if (message.type === 'terminate') this.asked.push('terminate');
  }
}

// A key's actor for tests: messages in, what it sends out; a checker that looks at every turn.

import { decode, encode } from '../../wire/codec.ts';
import type { FlowControl } from '../../wire/flow-control.ts';
import { DEFAULT_LIMITS } from '../workflow/limits.ts';
import type { Message } from '../workflow/message.ts';
import type { Decision, Outcome } from '../workflow/outcome.ts';
import { flowAddress } from './address.ts';
import { decideFlow } from './decide.ts';
import type { Claimant, FlowAnswer } from './message.ts';
import { applyRow, emptyFlow, type FlowActor, loadFlow } from './rows.ts';
import { nextFlowDeadline } from './settle.ts';

export const claimant = (workflowId: string): Claimant => ({ workflowId, runId: `run of ${workflowId}` });

export class Key {
  now = 1_000_000;
  actor: FlowActor = emptyFlow();
  readonly address = { namespace: 'default', workflowId: flowAddress({ key: 'tenant', scope: 'namespace' }) };
  readonly rows = new Map<string, object>();
  readonly sent: FlowAnswer[] = [];
  #uuid = 0;

  decide(message: Message): Decision {
    const context = {
      now: this.now,
      spareRunId: `life-${++this.#uuid}`,
      limits: DEFAULT_LIMITS,
      namespaces: new Map(),
    };
    return decideFlow(this.address, this.actor, message, context);
  }

  /** What it sent in this turn. */
  tell(message: Message): FlowAnswer[] {
    const outcome = this.decide(message);
    if (!outcome.ok) throw new Error(outcome.status.message);
    return this.take(outcome);
  }

  take(outcome: Outcome): FlowAnswer[] {
    for (const change of outcome.rows) {
      if (change.value === undefined) this.rows.delete(change.id);
      else this.rows.set(change.id, decode(encode(change.value)) as object);
      applyRow(this.actor, change);
    }
    const answers = outcome.effects.map((effect) => {
      if (effect.type !== 'send') throw new Error(`a key has the effect ${effect.type}`);
      // A key says nothing else.
      return effect.message as FlowAnswer;
    });
    this.sent.push(...answers);
    return answers;
  }

  acquire(name: string, flow: Omit<FlowControl, 'key'>, priority = 3, permit = name, askedAt = this.now): FlowAnswer[] {
    return this.tell({
      type: 'flowAcquire',
      permit,
      claimant: claimant(name),
      flow: { key: 'tenant', ...flow },
      priority,
      askedAt,
    });
  }

  release(name: string, permit = name): FlowAnswer[] {
    return this.tell({ type: 'flowRelease', permit, claimant: claimant(name) });
  }

  reserve(name: string, flow: Omit<FlowControl, 'key'>, requestId = `start of ${name}`) {
    const outcome = this.decide({
      ...{ type: 'flowReserve', permit: name, requestId, claimant: claimant(name) },
      ...{ flow: { key: 'tenant', ...flow }, priority: 3 },
    });
    if (!outcome.ok) throw new Error(outcome.status.message);
    this.take(outcome);
    if (outcome.reply.type !== 'flowReserved') throw new Error(`a reservation is answered by ${outcome.reply.type}`);
    return outcome.reply.verdict;
  }

  /** Fires what is due until then. */
  advance(ms: number): FlowAnswer[] {
    const until = this.now + ms;
    const sent: FlowAnswer[] = [];
    for (let turns = 0; turns < 10_000; turns += 1) {
      const due = nextFlowDeadline(this.actor);
      if (due === undefined || due > until) {
        this.now = until;
        return sent;
      }
      this.now = Math.max(this.now, due);
      sent.push(...this.tell({ type: 'timer' }));
    }
    throw new Error('the timer fires for ever');
  }

  describe(permit?: string) {
    const outcome = this.decide({ type: 'describeFlow', permit });
    if (!outcome.ok || outcome.reply.type !== 'flowDescribed') throw new Error('it is not described');
    return outcome.reply.response;
  }

  /** As after a crash: from rows. */
  reload(): void {
    const rows = [...this.rows].map(([id, value]) => ({ table: 'chain' as const, runId: '', id, value }));
    this.actor = loadFlow(this.address.workflowId, rows);
  }
}

/** For short expectations: `granted a`, `refused b`, `terminate c`. */
export const said = (answers: readonly FlowAnswer[]): string[] =>
  answers.map((answer) => {
    const name = answer.claimant.workflowId;
    if (answer.type === 'flowEnd') return `${answer.how} ${name}`;
    return answer.type === 'flowGranted' ? `granted ${name}` : `refused ${name}`;
  });

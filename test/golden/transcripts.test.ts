// Golden transcripts: what the actor is told and what comes of it (events, effects, reply, rows), as text one can read and review.
// After a change on purpose: `npx vitest run test/golden/transcripts.test.ts -u`, and read the difference.
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/core/workflow/decide.ts';
import type { Message } from '../../src/core/workflow/message.ts';
import type { Decision, Effect, Outcome } from '../../src/core/workflow/outcome.ts';
import { applicationFailure, command, eventName, payloads, World } from '../../src/core/workflow/testing.ts';

class Scribe extends World {
  readonly lines: string[] = [];

  override decide(message: Message): Decision {
    const decision = decide(this.state, message, this.context());
    this.lines.push('', `${(this.now - 1_000_000).toString().padStart(6)} ms  ${message.type}`);
    if (!decision.ok) this.lines.push(`  refused  ${decision.status.message}`);
    else this.#outcome(decision);
    return decision;
  }

  #outcome({ events, effects, rows, reply, refusal }: Outcome): void {
    for (const { runId, events: written } of events) {
      for (const event of written) this.lines.push(`  event    ${runId} ${event.eventId} ${eventName(event)}`);
    }
    for (const effect of effects) this.lines.push(`  effect   ${effectLine(effect)}`);
    this.lines.push(
      `  rows     ${rows.map(({ table, id, value }) => `${value === undefined ? '-' : '+'}${table}${id && `:${id}`}`).join(' ') || 'none'}`,
    );
    this.lines.push(`  reply    ${reply.type}${refusal === undefined ? '' : `, refused: ${refusal.message}`}`);
  }

  text(): string {
    return `${this.lines.join('\n').replace(/^\n/, '')}\n`;
  }
}

function effectLine(effect: Effect): string {
  switch (effect.type) {
    case 'offerTask':
    case 'withdrawTask': {
      const { kind, scheduledEventId, attempt, sticky } = effect.offer;
      return `${effect.type} ${kind} ${scheduledEventId} attempt ${attempt}${sticky === undefined ? '' : ' sticky'}`;
    }
    case 'taskSettled':
    case 'taskKept':
      return `${effect.type} ${effect.kind} ${effect.scheduledEventId}`;
    case 'cancelActivity':
      return `cancelActivity ${effect.scheduledEventId} ${effect.reason}`;
    case 'runClosed':
      return `runClosed ${effect.runId} status ${effect.status}${effect.nextRunId === undefined ? '' : `, next ${effect.nextRunId}`}`;
    case 'dispatchQuery':
    case 'answerQuery':
      return `${effect.type} ${effect.queryId}`;
    case 'answerUpdate':
      return `${effect.type} ${effect.callId}`;
    case 'deliverCallback':
      return `deliverCallback ${effect.callbackId} attempt ${effect.attempt}`;
    case 'destinationNoted':
      return `destinationNoted ${effect.note}`;
    case 'send':
      return `send ${effect.message.type} to ${effect.workflowId}`;
  }
}

const STORIES: Record<string, (world: Scribe) => void> = {
  'an-order-is-charged': (world) => {
    world.start({ runId: 'run', input: payloads({ total: 100 }) });
    world.work(command.activity('charge', { retryPolicy: { initialInterval: 1_000 } }));
    world.failActivity(world.takeActivity().ref, applicationFailure('card service is down'));
    world.pass(1_000);
    world.completeActivity(world.takeActivity().ref);
    world.work(command.complete('charged'));
  },
  'an-approval-that-comes-too-late': (world) => {
    world.start({ runId: 'run' });
    world.accept(
      world.completeMessage(world.takeWorkflowTask().ref, [command.timer('deadline', 60_000)], { sticky: true }),
    );
    world.pass(60_000);
    const { ref } = world.takeWorkflowTask();
    world.signal('approve');
    world.complete(ref, command.fail(applicationFailure('too late')));
    world.work(command.cancelActivity(99));
    world.work(command.complete('approved after all'));
  },
  'a-worker-that-dies': (world) => {
    world.start({ runId: 'run' });
    world.takeWorkflowTask();
    world.pass(10_000);
    world.work(command.activity('ship', { startToCloseTimeout: 5_000, heartbeatTimeout: 2_000 }));
    const { ref } = world.takeActivity();
    world.accept({
      type: 'heartbeatActivityTask',
      activity: { task: ref },
      identity: 'worker',
      details: payloads('packed'),
    });
    world.pass(2_000);
    world.send({ type: 'completeActivityTask', activity: { task: ref }, identity: 'worker' });
    world.pass(1_000);
    world.completeActivity(world.takeActivity().ref);
    world.query('q1');
    world.work(command.continueAsNew());
    world.terminate();
  },
};

describe('transcripts', () => {
  it.each(Object.entries(STORIES))('%s', async (name, story) => {
    const world = new Scribe();
    story(world);
    await expect(world.text()).toMatchFileSnapshot(`./transcripts/${name}.txt`);
  });
});

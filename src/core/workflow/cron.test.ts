// Cron workflows: when the next run is due, and what it is told of the one before.
import { describe, expect, it } from 'vitest';
import { EventType, WorkflowExecutionStatus } from '../../wire/enums.ts';
import { cronBackoff } from './cron.ts';
import { applicationFailure, command, payloads, World } from './testing.ts';

const NOW = Date.UTC(2026, 0, 1, 0, 16, 40);
const MINUTE = 60_000;

describe('the next run is due', () => {
  it.each([
    ['every minute, at its start', '* * * * *', NOW, NOW, 20_000],
    ['at the next full hour', '@hourly', NOW, NOW, 43 * MINUTE + 20_000],
    ['in its time zone', 'CRON_TZ=Asia/Kolkata 47 5 * * *', NOW, NOW, 20_000],
    ['every so often after the run before', '@every 90s', NOW - 80_500, NOW, 9_000],
    ['not more often than the run took', '@every 10s', NOW - 25_000, NOW, 5_000],
    ['when it was due anyway, if that is still to come', '@every 10s', NOW + 3_000, NOW, 3_000],
    ['in whole seconds', '* * * * *', NOW, NOW + 500, 20_000],
  ])('%s', (_how, text, scheduled, now, backoff) => {
    expect(cronBackoff(text, scheduled, now)).toBe(backoff);
  });
});

/** Its first run waits for its time, and then for a worker. */
function cron(over: Parameters<World['start']>[0] = {}): World {
  const w = new World();
  w.now = NOW;
  w.start({ cronSchedule: '* * * * *', input: payloads('in'), ...over });
  return w;
}

const started = (w: World, runId?: string) => {
  const [event] = w.history(runId);
  if (event?.eventType !== EventType.WORKFLOW_EXECUTION_STARTED) throw new Error('no run');
  return event.attributes;
};

describe('a cron workflow', () => {
  it('waits for its time from the first run on', () => {
    const w = cron();
    expect(started(w)).toMatchObject({ cronSchedule: '* * * * *', initiator: 3, firstWorkflowTaskBackoff: 20_000 });
    w.signal('early');
    w.pass(19_999);
    expect(w.types()).not.toContain('WORKFLOW_TASK_SCHEDULED');
    w.pass(1);
    expect(w.types()).toContain('WORKFLOW_TASK_SCHEDULED');
  });

  it('runs again after it has completed, and is told what it returned', () => {
    const w = cron();
    w.pass(20_000);
    const first = w.state.run?.runId;
    w.work(command.complete('one'));
    expect(w.history(first).at(-1)?.attributes).toMatchObject({ newExecutionRunId: w.state.run?.runId });
    expect(started(w)).toMatchObject({
      input: payloads('in'),
      lastCompletionResult: payloads('one'),
      continuedExecutionRunId: first,
      firstWorkflowTaskBackoff: 60_000,
      initiator: 3,
    });
    expect(started(w).continuedFailure).toBeUndefined();
  });

  it('runs again after it has failed, and is told why beside the last result there was', () => {
    const w = cron();
    w.pass(20_000);
    w.work(command.complete('one'));
    w.pass(MINUTE);
    w.work(command.fail(applicationFailure('no')));
    expect(started(w)).toMatchObject({
      lastCompletionResult: payloads('one'),
      continuedFailure: { message: 'no' },
      attempt: 1,
    });
  });

  it('is retried first where its policy says so, and then waits for the next time', () => {
    const w = cron({ retryPolicy: { maximumAttempts: 2, initialInterval: 1_000 } });
    w.pass(20_000);
    w.work(command.fail(applicationFailure('no')));
    expect(started(w)).toMatchObject({ attempt: 2, initiator: 2, cronSchedule: '* * * * *' });
    w.pass(2_000);
    w.work(command.fail(applicationFailure('no')));
    expect(started(w)).toMatchObject({ attempt: 1, initiator: 3 });
  });

  it('runs again after a run has timed out, not after the execution has', () => {
    const w = cron({ workflowRunTimeout: 5_000, workflowExecutionTimeout: 100_000 });
    w.pass(25_000);
    expect(started(w)).toMatchObject({ initiator: 3, continuedFailure: { message: 'workflow timeout' } });
    w.pass(200_000);
    expect(w.state.run?.row.facts.status).toBe(WorkflowExecutionStatus.TIMED_OUT);
    expect(w.state.run?.row.facts.nextRunId).toBeUndefined();
  });

  it('goes on with its schedule after it continued as new', () => {
    const w = cron();
    w.pass(20_000);
    w.work(command.continueAsNew());
    expect(started(w)).toMatchObject({ cronSchedule: '* * * * *', initiator: 1 });
    w.pass(1_000);
    w.work(command.complete('two'));
    expect(started(w)).toMatchObject({ initiator: 3, lastCompletionResult: payloads('two') });
  });

  it('ends when it is cancelled or terminated', () => {
    const w = cron();
    w.pass(20_000);
    w.work(command.cancel());
    expect(w.state.run?.row.facts.status).toBe(WorkflowExecutionStatus.CANCELED);
    const t = cron();
    t.terminate();
    expect(t.state.run?.row.facts.status).toBe(WorkflowExecutionStatus.TERMINATED);
  });
});

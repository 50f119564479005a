// Two features together, where neither's own tests look: what a pause, a reset, a deletion or another chain of runs does to what the other began.
import { describe, expect, it } from 'vitest';
import { VersioningBehavior, WorkflowExecutionStatus } from '../../wire/enums.ts';
import { StatusCode } from '../../wire/status.ts';
import { describe as described, waitingOffers } from './index.ts';
import type { Message } from './message.ts';
import { KEY, QUEUE_KEY, version } from './random-commands.test-support.ts';
import { WatchedWorld } from './random-life.test-support.ts';
import { command, message, places } from './testing.ts';

type Asking = 'pauseWorkflow' | 'unpauseWorkflow';

/** With verbs of people, and of a key that gives permits when it is told to. */
class Pair extends WatchedWorld {
  #asked = 0;

  constructor() {
    super({});
  }

  #tell(type: Asking) {
    this.#asked += 1;
    return this.accept({ type, target: {}, identity: 'ann', reason: '', requestId: `${type}-${this.#asked}` });
  }

  pause = () => this.#tell('pauseWorkflow');
  unpause = () => this.#tell('unpauseWorkflow');
  remove = () => this.accept({ type: 'deleteExecution', target: {}, identity: 'ann' });

  answer(type: 'flowGranted' | 'flowRefused'): void {
    for (const [permit, asked] of this.permits) {
      if (asked.answered) continue;
      asked.answered = true;
      const about = { permit, claimant: asked.claimant, from: asked.address };
      this.accept(type === 'flowGranted' ? { type, ...about } : { type, ...about, message: 'full' });
    }
  }

  /** Kinds of the tasks that wait for a worker. */
  get waits(): string[] {
    return waitingOffers(this.state).map(({ kind }) => kind);
  }

  get sent(): Message['type'][] {
    return this.effects.flatMap((effect) => (effect.type === 'send' ? [effect.message.type] : []));
  }

  get status(): WorkflowExecutionStatus | undefined {
    return described(this.state)?.workflowExecutionInfo.status;
  }
}

const begun = (over: Parameters<Pair['start']>[0] = {}): Pair => {
  const w = new Pair();
  w.start(over);
  return w;
};

describe('a pause and a permit', () => {
  it('a permit that comes in the pause lets the run begin when it is unpaused, once', () => {
    const w = begun({ flowControl: KEY, workflowRunTimeout: 60_000 });
    w.pause();
    w.answer('flowGranted');
    expect(w.waits).toEqual([]);
    expect(described(w.state)?.flowControl?.state).toBe('held');
    w.unpause();
    expect(w.waits).toEqual(['workflow']);
    w.work(command.complete());
    expect(w.outstanding).toEqual([]);
  });

  it('a queued run that is paused is shown as queued, and one that is refused in the pause fails', () => {
    const w = begun({ flowControl: KEY });
    w.pause();
    expect(described(w.state)?.flowControl?.state).toBe('queued');
    expect(w.status).toBe(WorkflowExecutionStatus.PAUSED);
    w.answer('flowRefused');
    expect(w.status).toBe(WorkflowExecutionStatus.FAILED);
  });

  it('a queued run that is paused and deleted gives its place up; the permit on its way goes back', () => {
    const w = begun({ flowControl: KEY });
    w.pause();
    w.remove();
    expect([...w.rows.values()].filter(({ table }) => table !== 'chain')).toEqual([]);
    expect(w.outstanding).toEqual([]);
    w.answer('flowGranted');
    expect(w.sent).toEqual(['flowRelease']);
  });

  it('an attempt that gets its permit in the pause is offered with it afterwards', () => {
    const w = begun();
    w.work(command.activity('a', { flowControl: KEY }));
    w.pause();
    w.answer('flowGranted');
    expect(w.waits).toEqual([]);
    w.unpause();
    expect(w.waits.sort()).toEqual(['activity', 'workflow']);
    expect(w.permits.size).toBe(1);
  });

  it('an attempt whose back-off ends in the pause asks for its permit afterwards', () => {
    const w = begun();
    w.work(command.activity('a', { flowControl: KEY, retryPolicy: { initialInterval: 1_000 } }));
    w.answer('flowGranted');
    w.failActivity(w.takeActivity().ref);
    w.pause();
    w.pass(2_000);
    expect([w.outstanding, w.waits]).toEqual([[], []]);
    w.unpause();
    expect(w.outstanding.length).toBe(1);
    w.answer('flowGranted');
    expect(w.waits.sort()).toEqual(['activity', 'workflow']);
  });
});

describe('a pause and times', () => {
  it.each([
    ['ends before the start delay', 1_000],
    ['ends after it', 20_000],
  ])('a pause that %s begins nothing early, and nothing never', (_when, pausedMs) => {
    const w = begun({ workflowStartDelay: 10_000 });
    w.pause();
    w.pass(pausedMs);
    expect(w.waits).toEqual([]);
    w.unpause();
    expect(w.waits).toEqual(pausedMs > 10_000 ? ['workflow'] : []);
    w.pass(10_000);
    expect(w.waits).toEqual(['workflow']);
  });

  it('a cron run that waits for its time stays paused when that comes', () => {
    const w = begun({ cronSchedule: '@every 60s' });
    w.pass(60_000);
    w.work(command.complete());
    w.pause();
    w.pass(120_000);
    expect([w.waits, w.status]).toEqual([[], WorkflowExecutionStatus.PAUSED]);
    w.unpause();
    expect(w.waits).toEqual(['workflow']);
  });

  it('a run that times out in its pause is retried by a run that is not paused', () => {
    const w = begun({ workflowRunTimeout: 5_000, retryPolicy: { initialInterval: 1_000 } });
    w.pause();
    w.pass(5_000);
    expect(w.status).toBe(WorkflowExecutionStatus.RUNNING);
    w.pass(1_000);
    expect(w.waits).toEqual(['workflow']);
  });
});

describe('a pause and tasks under way', () => {
  it('a pinned run does not continue as new over its pause; afterwards its next run is pinned and not paused', () => {
    const w = begun();
    const pinned = { deploymentVersion: version(0), versioningBehavior: VersioningBehavior.PINNED };
    w.accept(w.completeMessage(w.takeWorkflowTask().ref, [], pinned));
    w.signal('go');
    const { ref } = w.takeWorkflowTask();
    w.pause();
    w.accept(w.completeMessage(ref, [command.continueAsNew()], pinned));
    expect([w.status, w.waits]).toEqual([WorkflowExecutionStatus.PAUSED, []]);
    w.unpause();
    w.accept(w.completeMessage(w.takeWorkflowTask().ref, [command.continueAsNew()], pinned));
    w.pass(1_000);
    expect(w.status).toBe(WorkflowExecutionStatus.RUNNING);
    expect(w.offer('workflow').taskQueue).toContain('v1');
  });

  it('an update that a worker has is answered in the pause; one that was not sent yet waits for its end', () => {
    const w = begun();
    w.work();
    w.update('one');
    const { ref } = w.takeWorkflowTask();
    w.update('two');
    w.pause();
    const answered = [message.accept('one'), message.respond('one')];
    w.accept(w.completeMessage(ref, places(...answered), { messages: answered }));
    expect(w.effects).toContainEqual(expect.objectContaining({ type: 'answerUpdate', callId: 'call-one' }));
    expect(w.waits).toEqual([]);
    expect(w.update('three')).toMatchObject({ ok: false, status: { code: StatusCode.FAILED_PRECONDITION } });
    w.unpause();
    const sent = w.takeWorkflowTask().task.messages ?? [];
    expect(sent.map(({ protocolInstanceId }) => protocolInstanceId)).toEqual(['two']);
  });

  it('a query waits where no task was ever done, and is lost with the run that is deleted in its pause', () => {
    const w = begun();
    w.pause();
    w.query('q');
    expect(w.effects).toEqual([]);
    w.remove();
    expect(w.effects).toContainEqual(expect.objectContaining({ type: 'answerQuery', queryId: 'q' }));
  });
});

describe('a reset and', () => {
  it('a pause after the point: the new run is not paused', () => {
    const w = begun();
    w.work();
    w.pause();
    w.accept(w.resetMessage());
    expect([w.status, w.waits]).toEqual([WorkflowExecutionStatus.RUNNING, ['workflow']]);
  });

  it('a pause before the point: the new run is paused, and goes on when it is unpaused', () => {
    const w = begun();
    w.pause();
    w.signal('one');
    w.terminate();
    w.accept(w.resetMessage({ workflowTaskFinishEventId: w.last().eventId }));
    expect([w.status, w.waits]).toEqual([WorkflowExecutionStatus.PAUSED, []]);
    w.unpause();
    expect(w.waits).toEqual(['workflow']);
  });

  it('a permit that the run still waits for: its place is given up, and asked for anew', () => {
    const w = begun({ flowControl: KEY });
    w.answer('flowGranted');
    w.work(command.complete());
    w.accept(w.resetMessage());
    const [queued] = w.outstanding;
    w.accept(w.resetMessage({ workflowTaskFinishEventId: 4 }));
    expect(w.outstanding.length).toBe(1);
    expect(w.outstanding).not.toContain(queued);
    expect(w.waits).toEqual([]);
    w.answer('flowGranted');
    expect(w.waits).toEqual(['workflow']);
  });

  it('operations that no handler has taken: they are offered once more, those of the old run are withdrawn', () => {
    const w = begun();
    w.work(command.nexus(), command.activity('a'));
    w.signal('go');
    w.work();
    const { effects } = w.accept(w.resetMessage());
    const kinds = (type: string) =>
      effects.flatMap((effect) => (effect.type === type && 'offer' in effect ? [effect.offer.runId] : []));
    const [old, now] = [...w.histories.keys()];
    expect(kinds('withdrawTask')).toEqual([old, old]);
    expect(kinds('offerTask')).toEqual([now, now, now]);
  });
});

describe('a chain of runs and a permit', () => {
  it('a chain that moves to another task queue gives its permit back to the key that it is of', () => {
    const w = begun({ flowControl: QUEUE_KEY });
    w.answer('flowGranted');
    w.work(command.continueAsNew({ taskQueue: { name: 'elsewhere' } }));
    w.pass(1_000);
    w.work(command.continueAsNew({ taskQueue: { name: 'further' } }));
    w.pass(1_000);
    expect(described(w.state)?.flowControl).toMatchObject({ state: 'held', taskQueue: 'orders' });
    expect(w.outstanding.length).toBe(1);
    w.work(command.complete());
    expect(w.outstanding).toEqual([]);
  });

  it('a chain that moved and is reset goes on with the permit it has; one that had closed asks the same key', () => {
    const w = begun({ flowControl: QUEUE_KEY });
    w.answer('flowGranted');
    w.work(command.continueAsNew({ taskQueue: { name: 'elsewhere' } }));
    w.pass(1_000);
    w.work();
    w.accept(w.resetMessage());
    expect([w.outstanding.length, w.waits]).toEqual([1, ['workflow']]);
    w.work(command.complete());
    expect(w.outstanding).toEqual([]);
    w.accept(w.resetMessage());
    expect(w.outstanding.map((permit) => w.permits.get(permit)?.address)).toEqual([
      'tenuto-sys-flow:q:6:orders:tenant',
    ]);
  });

  it('a retry in its back-off keeps the permit, and gives it back when it is terminated', () => {
    const w = begun({ flowControl: KEY, retryPolicy: { initialInterval: 60_000 } });
    w.answer('flowGranted');
    w.work(command.fail({ message: 'no', applicationFailureInfo: {} }));
    expect([w.outstanding.length, w.permits.size]).toEqual([1, 1]);
    w.terminate();
    expect(w.outstanding).toEqual([]);
  });
});

describe('a child that waits for its permit', () => {
  const asked = (policy: 1 | 2 | 3): Pair => {
    const w = new Pair();
    const parent = { namespace: 'default', workflowId: 'parent', runId: 'parent-run' };
    w.accept({
      type: 'startChild',
      origin: { ...parent, initiatedEventId: 5 },
      root: parent,
      parentClosePolicy: policy,
      ...{ identity: '', workflowType: 'order', taskQueue: 'orders', reusePolicy: 1, flowControl: KEY },
    });
    return w;
  };
  const closed = (w: Pair, policy: 1 | 3) =>
    w.accept({
      type: 'parentClosed',
      policy,
      parent: { workflowId: 'parent', runId: 'parent-run' },
      firstRunId: w.state.run?.runId ?? '',
    });

  it.each([
    ['terminates', 1, WorkflowExecutionStatus.TERMINATED],
    ['cancels', 3, WorkflowExecutionStatus.CANCELED],
  ] as const)('has started for its parent, whose end %s it at once and frees its place', (_what, policy, status) => {
    const w = asked(policy);
    expect(w.sent.sort()).toEqual(['childStarted', 'flowAcquire']);
    closed(w, policy);
    expect([w.status, w.outstanding]).toEqual([status, []]);
  });
});

// How a batch job moves on: every execution is counted once, however the steps fall.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchOperationState, BatchOperationType } from '../../wire/enums.ts';
import { versionKey } from '../deployment/versioned-queue.ts';
import {
  countedIn,
  ended,
  firstProgress,
  infoOf,
  isRunning,
  type JobProgress,
  type JobSpec,
  needsPage,
  nextSlice,
  settled,
  withPage,
} from './job.ts';
import { messageFor, needed } from './operations.ts';

const spec = (over: Partial<JobSpec> = {}): JobSpec => ({
  ...{ jobId: 'job', requestId: 'request', reason: 'why', identity: 'me', startTime: 7, perSecond: 50 },
  ...{ operation: { type: 'cancel' }, target: { query: "WorkflowType = 'order'" } },
  ...over,
});

const targets = (n: number, of = 'w') => Array.from({ length: n }, (_, i) => ({ workflowId: `${of}${i}`, runId: 'r' }));

describe('a batch job', () => {
  it('comes to each execution of its pages once, and counts what came of them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 60 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (sizes, perSecond, shares) => {
          const job = spec({ perSecond });
          let progress = firstProgress(job);
          const seen: string[] = [];
          let failures = 0;
          let pages = 0;
          while (isRunning(progress)) {
            if (needsPage(progress)) {
              const next = pages + 1 < sizes.length ? new Uint8Array([pages]) : undefined;
              progress = withPage(
                progress,
                countedIn(progress),
                { targets: targets(sizes[pages] ?? 0, `p${pages}-`), next },
                3,
              );
              pages += 1;
            }
            const slice = nextSlice(progress, job);
            // Stopped early, or crashed and begun again: a prefix is counted.
            const begun = Math.ceil(slice.length * (shares.next().value ?? 1));
            const failure = begun > 0 ? 1 : 0;
            failures += failure;
            seen.push(...slice.slice(0, begun).map(({ workflowId }) => workflowId));
            progress = settled(progress, countedIn(progress), { complete: begun - failure, failure }, 9);
            if (begun === 0 && slice.length > 0)
              progress = settled(progress, countedIn(progress), { complete: 0, failure: 0 }, 9);
          }
          const all = sizes.flatMap((size, page) => targets(size, `p${page}-`).map(({ workflowId }) => workflowId));
          expect(seen).toEqual(all);
          expect(progress).toEqual({
            state: BatchOperationState.COMPLETED,
            ...{ total: all.length, complete: all.length - failures, failure: failures, closeTime: 9 },
          });
        },
      ),
    );
  });

  it('of executions named is about those, and knows at once how many', () => {
    const job = spec({ target: { executions: targets(3) }, perSecond: 2 });
    const first = firstProgress(job);
    expect(needsPage(first)).toBe(false);
    expect(infoOf({ spec: job, progress: first })).toMatchObject({
      operationType: BatchOperationType.CANCEL,
      state: BatchOperationState.RUNNING,
      totalOperationCount: 3,
    });
    expect(nextSlice(first, job)).toEqual(targets(2));
    const half = settled(first, 0, { complete: 2, failure: 0 }, 8);
    expect(isRunning(half)).toBe(true);
    expect(isRunning(settled(half, 2, { complete: 0, failure: 1 }, 9))).toBe(false);
  });

  it('that was stopped counts what was under way, and comes to nothing more', () => {
    const job = spec({ target: { executions: targets(3) } });
    const stopped = ended(firstProgress(job), 'stopped by me: enough', 8);
    expect(nextSlice(stopped, job)).toEqual([]);
    const after: JobProgress = settled(stopped, 0, { complete: 1, failure: 1 }, 9);
    expect(infoOf({ spec: job, progress: after })).toMatchObject({
      ...{ state: BatchOperationState.FAILED, closeTime: 8, closeReason: 'stopped by me: enough' },
      ...{ totalOperationCount: 3, completeOperationCount: 1, failureOperationCount: 1 },
    });
  });

  it('counts an execution once, and comes to each, when leaders are at the same step and note it late', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(fc.nat({ max: 2 }), fc.boolean()), { maxLength: 40 }),
        (sizes, moves) => {
          const job = spec({ perSecond: 5 });
          const pages = sizes.map((size, page) => targets(size, `p${page}-`));
          const operated = new Set<string>();
          let progress = firstProgress(job);
          // What each leader has read, and notes at its next move.
          const read = new Map<number, JobProgress>();
          const move = (leader: number): void => {
            const begun = read.get(leader);
            read.delete(leader);
            if (begun === undefined) {
              if (isRunning(progress)) read.set(leader, progress);
            } else if (needsPage(begun)) {
              const at = begun.page?.next?.[0] ?? 0;
              const next = at + 1 < pages.length ? new Uint8Array([at + 1]) : undefined;
              progress = withPage(progress, countedIn(begun), { targets: pages[at] ?? [], next });
            } else {
              const slice = nextSlice(begun, job);
              for (const { workflowId } of slice) operated.add(workflowId);
              progress = settled(progress, countedIn(begun), { complete: slice.length, failure: 0 }, 9);
            }
          };
          for (const [leader, takesTwo] of moves) {
            move(leader);
            if (takesTwo) move(leader);
          }
          while (isRunning(progress)) move(0);
          for (const leader of [0, 1, 2]) if (read.has(leader)) move(leader);
          const all = pages.flat().map(({ workflowId }) => workflowId);
          expect([...operated].sort()).toEqual(all.sort());
          expect(progress).toMatchObject({
            ...{ state: BatchOperationState.COMPLETED, total: all.length, complete: all.length },
          });
        },
      ),
    );
  });

  it('gives each run a request id of its own, the same whenever it comes to it', () => {
    const [one, other] = targets(2).map((target, i) => ({ ...target, runId: `r${i}` }));
    if (one === undefined || other === undefined) throw new Error('two were asked for');
    const id = (job: JobSpec, target = one): string => {
      const message = messageFor(job, target);
      return 'requestId' in message ? message.requestId : '';
    };
    expect(id(spec())).toBe(id(spec()));
    expect(id(spec())).not.toBe(id(spec(), other));
    // A later job of the same id.
    expect(id(spec())).not.toBe(id(spec({ startTime: 8 })));
  });

  it('deletes a run that it names whenever that began, and of one that it does not name what began before the job', () => {
    const job = spec({ operation: { type: 'delete' } });
    // Clocks of nodes differ: the run's own may say that it began later.
    expect(messageFor(job, { workflowId: 'w', runId: 'r' })).not.toHaveProperty('beganBy');
    expect(messageFor(job, { workflowId: 'w' })).toMatchObject({ beganBy: 7 });
  });

  it.each([
    [{ type: 'terminate' } as const, { type: 'terminate', reason: 'why', identity: 'tenuto-batch' }],
    [{ type: 'cancel' } as const, { type: 'requestCancel', identity: 'me' }],
    [{ type: 'delete' } as const, { type: 'deleteExecution', identity: 'me' }],
    [{ type: 'signal', signalName: 'go' } as const, { type: 'signal', signalName: 'go', identity: 'me' }],
    [
      { type: 'reset', point: { at: 'firstWorkflowTask' }, exclude: [1] } as const,
      { type: 'reset', point: 'firstWorkflowTask', exclude: [1], reason: 'why', identity: 'me', runId: '' },
    ],
    [
      { type: 'reset', point: { at: 'event', eventId: 9 }, exclude: [] } as const,
      { type: 'reset', workflowTaskFinishEventId: 9 },
    ],
    [
      { type: 'updateOptions', versioningOverride: 'unset' } as const,
      { type: 'updateOptions', versioningOverride: 'unset', identity: 'me' },
    ],
    [{ type: 'pauseWorkflow' } as const, { type: 'pauseWorkflow', reason: 'why', identity: 'me' }],
    [{ type: 'unpauseWorkflow' } as const, { type: 'unpauseWorkflow', reason: 'why' }],
    [
      { type: 'pauseActivities', activities: { type: 'charge' } } as const,
      { type: 'pauseActivity', activities: { type: 'charge' }, reason: 'why' },
    ],
    [
      { type: 'updateActivityOptions', activities: { id: 'a' }, change: 'restoreOriginal' } as const,
      { type: 'updateActivityOptions', activities: { id: 'a' }, change: 'restoreOriginal' },
    ],
    [
      { type: 'cancelStandalone', reason: 'own' } as const,
      { type: 'requestCancel', reason: 'own', identity: 'me', requestId: 'batch:7:job:r' },
    ],
    [
      { type: 'terminateStandalone', reason: 'own' } as const,
      { type: 'terminate', reason: 'own', identity: 'me', requestId: 'batch:7:job:r' },
    ],
    [{ type: 'deleteStandalone' } as const, { type: 'deleteExecution' }],
  ])('says to a run: %j', (operation, message) => {
    expect(messageFor(spec({ operation }), { workflowId: 'w', runId: 'r' })).toMatchObject({
      ...message,
      target: { runId: 'r' },
    });
  });

  it('resets, and takes along what is to be done to the new run; what pins has to be known first', () => {
    const pin = (buildId: string) =>
      ({ pinned: { behavior: 1, version: { deploymentName: 'shop', buildId } } }) as const;
    const afterwards = [
      { type: 'signal', signalName: 's' },
      { type: 'updateOptions', versioningOverride: pin('v1') },
      { type: 'updateOptions', versioningOverride: 'unset' },
    ] as const;
    const point = { at: 'build', buildId: 'b', currentRunOnly: false } as const;
    const operation = { type: 'reset', point, exclude: [], afterwards } as const;
    const target = { workflowId: 'w', runId: 'r' };
    expect(messageFor(spec({ operation }), target, { runId: 'r', eventId: 4 })).toMatchObject({ afterwards });
    expect(needed(operation)).toEqual({
      build: point,
      workersOf: [versionKey({ deploymentName: 'shop', buildId: 'v1' })],
    });
    expect(needed({ type: 'updateOptions', versioningOverride: pin('v2') }).workersOf).toHaveLength(1);
    expect(needed({ type: 'cancel' })).toEqual({ workersOf: [] });
  });

  it('resets to a build where that was found, perhaps in another run', () => {
    const point = { at: 'build', buildId: 'b', currentRunOnly: false } as const;
    const operation = { type: 'reset', point, exclude: [] } as const;
    const found = { runId: 'before', eventId: 4 };
    expect(messageFor(spec({ operation }), { workflowId: 'w', runId: 'r' }, found)).toMatchObject({
      ...{ type: 'reset', target: { runId: 'before' }, workflowTaskFinishEventId: 4 },
    });
  });

  it('spreads activities that go on by the run, and alike when it comes to one again', () => {
    const operation = {
      type: 'unpauseActivities',
      ...({ activities: { all: true }, resetAttempts: true, resetHeartbeats: false } as const),
      ...{ jitter: 60_000, jitterSeed: 7 },
    } as const;
    const seedOf = (runId: string): number => {
      const message = messageFor(spec({ operation }), { workflowId: 'w', runId });
      return message.type === 'unpauseActivity' ? message.jitterSeed : -1;
    };
    expect(seedOf('r')).toBe(seedOf('r'));
    expect(new Set(['r', 's', 't'].map(seedOf)).size).toBe(3);
  });
});

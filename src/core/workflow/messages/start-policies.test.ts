// The whole table of a start's policies: how the id was used before × what may be reused × what happens on a conflict. Pairs that contradict each
// other, TERMINATE_IF_RUNNING with any conflict policy and REJECT_DUPLICATE with TERMINATE_EXISTING, doors refuse (refusals.test.ts): of them no start comes here.
import { describe, expect, it } from 'vitest';
import {
  WorkflowIdConflictPolicy as Conflict,
  WorkflowIdReusePolicy as Reuse,
  WorkflowExecutionStatus as Status,
} from '../../../wire/enums.ts';
import { StatusCode } from '../../../wire/status.ts';
import { applicationFailure, command, World } from '../testing.ts';

type Outcome = 'begins' | 'begins, the other is terminated' | 'uses the other' | 'refused';

type Over = Parameters<World['startMessage']>[0];

const pause = (world: World): unknown =>
  world.accept({ type: 'pauseWorkflow', target: {}, identity: 'operator', reason: 'a look', requestId: 'p' });

/** How the run before came to where it is. */
const STATES: Record<string, { over?: Over; reach(world: World): unknown; status: Status }> = {
  'open, before its first task': {
    over: { workflowStartDelay: 30_000 },
    reach: () => undefined,
    status: Status.RUNNING,
  },
  'open, paused': { reach: pause, status: Status.PAUSED },
  'open, continued as new': { reach: (world) => world.work(command.continueAsNew()), status: Status.RUNNING },
  open: { reach: () => undefined, status: Status.RUNNING },
  'open, with a task under way': { reach: (world) => world.takeWorkflowTask(), status: Status.RUNNING },
  completed: { reach: (world) => world.work(command.complete()), status: Status.COMPLETED },
  failed: { reach: (world) => world.work(command.fail(applicationFailure('no'))), status: Status.FAILED },
  cancelled: { reach: (world) => world.work(command.cancel()), status: Status.CANCELED },
  terminated: { reach: (world) => world.terminate(), status: Status.TERMINATED },
  'timed out': { reach: (world) => world.pass(60_000), status: Status.TIMED_OUT },
};
const REUSES = ['ALLOW_DUPLICATE', 'ALLOW_DUPLICATE_FAILED_ONLY', 'REJECT_DUPLICATE', 'TERMINATE_IF_RUNNING'] as const;
const CONFLICTS = ['FAIL', 'USE_EXISTING', 'TERMINATE_EXISTING'] as const;

/** Of open ones the conflict policy decides, of closed ones the reuse policy; but for the oldest of them, which says both. */
const EXPECTED: Record<string, Record<(typeof REUSES)[number], Record<(typeof CONFLICTS)[number], Outcome>>> = {};
const byConflict = {
  FAIL: 'refused',
  USE_EXISTING: 'uses the other',
  TERMINATE_EXISTING: 'begins, the other is terminated',
} as const;
const always = (outcome: Outcome) => ({ FAIL: outcome, USE_EXISTING: outcome, TERMINATE_EXISTING: outcome });
for (const state of Object.keys(STATES).filter((name) => name.startsWith('open'))) {
  EXPECTED[state] = {
    ALLOW_DUPLICATE: byConflict,
    ALLOW_DUPLICATE_FAILED_ONLY: byConflict,
    REJECT_DUPLICATE: byConflict,
    TERMINATE_IF_RUNNING: always('begins, the other is terminated'),
  };
}
EXPECTED.completed = {
  ALLOW_DUPLICATE: always('begins'),
  ALLOW_DUPLICATE_FAILED_ONLY: always('refused'),
  REJECT_DUPLICATE: always('refused'),
  TERMINATE_IF_RUNNING: always('begins'),
};
for (const state of ['failed', 'cancelled', 'terminated', 'timed out']) {
  EXPECTED[state] = {
    ALLOW_DUPLICATE: always('begins'),
    ALLOW_DUPLICATE_FAILED_ONLY: always('begins'),
    REJECT_DUPLICATE: always('refused'),
    TERMINATE_IF_RUNNING: always('begins'),
  };
}

const cells = Object.entries(EXPECTED).flatMap(([state, byReuse]) =>
  REUSES.flatMap((reuse) => CONFLICTS.map((conflict) => [state, reuse, conflict, byReuse[reuse][conflict]] as const)),
);

/** The first run in its state, and what a second start comes to. */
function startAgain(state: string, reuse: (typeof REUSES)[number], conflict: (typeof CONFLICTS)[number]) {
  const world = new World();
  const { over, reach, status } = STATES[state] ?? { reach: () => undefined, status: Status.RUNNING };
  world.start({ runId: 'r1', requestId: 'q1', workflowRunTimeout: 60_000, ...over });
  reach(world);
  expect(world.state.run?.row.facts.status).toBe(status);
  const policies = { reusePolicy: Reuse[reuse], conflictPolicy: Conflict[conflict] };
  const message = world.startMessage({ runId: 'r2', requestId: 'q2', ...policies });
  const before = { runId: world.state.run?.runId ?? '', runs: world.histories.size };
  return { world, status, before, decision: world.send(message), again: () => world.send(message) };
}

describe('a start of an id that was used', () => {
  it.each(cells)('%s, reuse %s, conflict %s: %s', (state, reuse, conflict, outcome) => {
    const { world, status, before, decision, again } = startAgain(state, reuse, conflict);
    const { run } = world.state;
    const reply = decision.ok ? decision.reply : undefined;
    switch (outcome) {
      case 'begins':
      case 'begins, the other is terminated':
        expect(reply).toMatchObject({ response: { runId: 'r2', started: true } });
        expect(run).toMatchObject({ runId: 'r2', row: { facts: { status: Status.RUNNING } } });
        expect(world.types(before.runId).filter((type) => type === 'WORKFLOW_EXECUTION_TERMINATED')).toHaveLength(
          state.startsWith('open') || status === Status.TERMINATED ? 1 : 0,
        );
        break;
      case 'uses the other':
        expect(reply).toMatchObject({ response: { runId: before.runId, started: false, status } });
        expect(run?.runId).toBe(before.runId);
        break;
      case 'refused':
        expect(decision).toMatchObject({
          ok: false,
          status: {
            code: StatusCode.ALREADY_EXISTS,
            detail: { kind: 'WorkflowExecutionAlreadyStarted', runId: before.runId },
          },
        });
        expect(run).toMatchObject({ runId: before.runId, row: { facts: { status } } });
        break;
    }
    // The same request again is answered the same, and begins nothing more.
    const repeated = again();
    expect(repeated.ok).toBe(decision.ok);
    if (repeated.ok) expect(repeated).toMatchObject({ events: [], reply: { response: { runId: run?.runId } } });
    expect(world.histories.size).toBe(before.runs + (outcome.startsWith('begins') ? 1 : 0));
  });
});

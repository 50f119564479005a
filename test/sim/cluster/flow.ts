// Those who start workflows by one key, all at once and at whatever node is up, as a door does it: each start is repeated under its request id until it is
// answered. What must hold at every instant the watch of the truth asks (../flow-watch.ts); here, what becomes of each start in the end.

import { jsonPayloads } from '../../../src/core/workflow/fields.ts';
import type { StartMessage } from '../../../src/core/workflow/message.ts';
import { submitStart } from '../../../src/frontend/flow-starts.ts';
import { EventType, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '../../../src/wire/enums.ts';
import type { StartWorkflowExecutionResponse } from '../../../src/wire/execution.ts';
import { type Status, StatusCode } from '../../../src/wire/status.ts';
import { Violation } from '../kernel.ts';
import type { SeededRandom } from '../random.ts';
import type { TrueRun } from '../truth.ts';
import type { ClientWorld } from './client.ts';
import type { FlowPlan, FlowStart } from './flow-plan.ts';
import { NAMESPACE } from './node.ts';
import { TASK_QUEUE, type WorkflowInput } from './workflows.ts';

const CALL_MS = 12_000;
const PAUSE_MS = 300;
const { UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, DATA_LOSS, ALREADY_EXISTS } = StatusCode;
const PASSING: ReadonlySet<number> = new Set([UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, DATA_LOSS]);

type Outcome = { readonly value: StartWorkflowExecutionResponse } | { readonly refused: Status };

export class SimTenant {
  readonly plan: FlowPlan;
  readonly #world: ClientWorld;
  readonly #random: SeededRandom;
  readonly #open = new Set<string>();

  constructor(world: ClientWorld, plan: FlowPlan, random: SeededRandom) {
    this.plan = plan;
    this.#world = world;
    this.#random = random;
    for (const { workflowId } of plan.starts) this.#open.add(workflowId);
  }

  get over(): boolean {
    return this.#open.size === 0;
  }

  get where(): string {
    return `${[...this.#open].join(', ')} of ${JSON.stringify(this.plan.flow)}`;
  }

  begin(): void {
    for (const start of this.plan.starts) {
      this.#start(start)
        .then(() => this.#open.delete(start.workflowId))
        .catch((error: unknown) => this.#world.kernel.fail(error));
    }
  }

  async #start(start: FlowStart): Promise<void> {
    await this.#pause(start.atMs);
    const { workflowId } = start;
    const { truth } = this.#world;
    for (let tries = 1; ; tries += 1) {
      const outcome = await this.#once(start);
      if ('value' in outcome) {
        const { runId } = outcome.value;
        // Another one of a singleton may be about to begin when it is told of.
        if ((outcome.value.workflowId ?? workflowId) !== workflowId) return;
        if (truth.run(runId)?.workflowId !== workflowId)
          throw new Violation('I1', `the start of ${workflowId} as run ${runId} was acknowledged and is not committed`);
        await this.#ended(workflowId, runId);
        return;
      }
      if (this.#isRefused(workflowId, outcome.refused)) {
        // Of an earlier try that was not answered it is not known what became.
        if (tries === 1 && truth.workflows.has(workflowId))
          throw new Violation('flow', `the start of ${workflowId} was refused, and is there`);
        truth.flows.seen.add('a start was refused');
        return;
      }
      await this.#pause(PAUSE_MS * Math.min(tries, 8));
    }
  }

  /** For good, as its key is asked to. */
  #isRefused(workflowId: string, { code, message, detail }: Status): boolean {
    const { singleton, whenFull } = this.plan.flow;
    const isFull = detail?.kind === 'ResourceExhausted' && detail.cause === 'FLOW_CONTROL';
    if (isFull ? whenFull === 'reject' : code === ALREADY_EXISTS && singleton === 'reject') return true;
    if (isFull || !PASSING.has(code))
      throw new Violation('door', `the start of ${workflowId} was refused: ${code} ${message}`);
    return false;
  }

  async #ended(workflowId: string, runId: string): Promise<void> {
    const { truth } = this.#world;
    let run: TrueRun | undefined = truth.run(runId);
    while (run?.closed === undefined) {
      await this.#pause(PAUSE_MS);
      run = truth.run(runId);
    }
    const { eventType } = run.closed;
    const isRight = eventType === EventType.WORKFLOW_EXECUTION_COMPLETED || this.#otherEnds.includes(eventType);
    if (!isRight) throw new Violation('flow', `${workflowId} ended with ${JSON.stringify(run.closed).slice(0, 300)}`);
  }

  /** How one ends that had to make room for another. What has not begun yet has nothing to cancel. */
  get #otherEnds(): EventType[] {
    const { singleton, debounce } = this.plan.flow;
    const { WORKFLOW_EXECUTION_CANCELED: cancelled, WORKFLOW_EXECUTION_TERMINATED: terminated } = EventType;
    if (singleton === 'cancelExisting') return [cancelled, terminated];
    return singleton === 'terminateExisting' || debounce !== undefined ? [terminated] : [];
  }

  #once({ workflowId, runMs }: FlowStart): Promise<Outcome> {
    const { kernel } = this.#world;
    const message: StartMessage = {
      // A door gives each request an id of its own.
      ...{ type: 'start', runId: this.#random.uuid(), requestId: `${workflowId}/start`, identity: 'tenant' },
      ...{ workflowType: 'errand', taskQueue: TASK_QUEUE, flowControl: this.plan.flow },
      input: jsonPayloads({ count: 0, ms: runMs } satisfies WorkflowInput),
      reusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      conflictPolicy: WorkflowIdConflictPolicy.FAIL,
    };
    return new Promise((resolve) => {
      kernel.after(CALL_MS, 'tenant waits no longer', () => {
        resolve({ refused: { code: DEADLINE_EXCEEDED, message: `no answer within ${CALL_MS} ms` } });
      });
      this.#world.ask<StartWorkflowExecutionResponse>(
        undefined,
        `start of ${workflowId}`,
        (engine, done) => submitStart({ engine }, { namespace: NAMESPACE, workflowId }, message, done),
        (error, value) => {
          if (error !== undefined) resolve({ refused: error });
          else if (value !== undefined) resolve({ value });
        },
      );
    });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#world.kernel.after(ms, 'tenant pauses', resolve);
    });
  }
}

// A start that names a flow-control key and wants to be refused where the key is full, or told of who has it: the key is asked first, and keeps a
// permit for the start that follows (docs/decisions/0052). A start that may wait goes straight to its workflow, and so do all that name no key.

import { addressOf } from '../core/flow/address.ts';
import { DEFAULT_PRIORITY, LOWEST_PRIORITY } from '../core/flow/limits.ts';
import { type FlowUse, flowProblem } from '../core/flow/problem.ts';
import type { StartMessage } from '../core/workflow/message.ts';
import type { ActorAddress, Done } from '../ports/engine.ts';
import { WorkflowExecutionStatus } from '../wire/enums.ts';
import type { StartWorkflowExecutionResponse } from '../wire/execution.ts';
import type { FlowControl } from '../wire/flow-control.ts';
import { type Status, StatusCode } from '../wire/status.ts';
import type { Services } from './door.ts';
import { invalid } from './validate/check.ts';

export function checkFlow(flow: FlowControl | undefined, use: FlowUse): void {
  const problem = flowProblem(flow, use);
  if (problem !== undefined) throw invalid(problem);
}

/** Whether the caller hears of a key that is full. */
export const wantsAnswer = ({ singleton, whenFull }: FlowControl): boolean =>
  singleton === 'reject' || singleton === 'useExisting' || whenFull === 'reject';

/** Through what a start goes. */
type Way = Pick<Services, 'engine'>;

export function submitStart(
  services: Way,
  to: ActorAddress,
  message: StartMessage,
  done: Done<StartWorkflowExecutionResponse>,
): void {
  const { flowControl: flow } = message;
  if (flow === undefined || !wantsAnswer(flow)) {
    submit(services, to, message, done);
    return;
  }
  const { engine } = services;
  const { requestId, runId, taskQueue, priority } = message;
  const claimant = { workflowId: to.workflowId, runId };
  const key = { namespace: to.namespace, workflowId: addressOf(flow, taskQueue) };
  const asked = {
    type: 'flowReserve' as const,
    ...{ permit: runId, requestId, claimant, flow },
    priority: Math.min(priority?.priorityKey || DEFAULT_PRIORITY, LOWEST_PRIORITY),
  };
  engine.submit(key, asked, (error, reply) => {
    if (error !== undefined || reply?.type !== 'flowReserved') {
      done(error, undefined);
      return;
    }
    const { verdict } = reply;
    switch (verdict.verdict) {
      case 'full':
        done(refused(StatusCode.RESOURCE_EXHAUSTED, verdict.message), undefined);
        return;
      case 'taken':
        if (flow.singleton === 'useExisting') done(undefined, existing(verdict));
        else done(taken(verdict), undefined);
        return;
      case 'reserved': {
        const { permit } = verdict;
        submit(services, to, { ...message, permit, accepted: true }, (failure, response) => {
          // It would lapse by itself; others need not wait for that.
          const isUsed = failure === undefined && response?.started === true;
          if (permit !== undefined && !isUsed && !mayBeApplied(failure)) {
            engine.submit(key, { type: 'flowRelease', permit, claimant }, () => undefined);
          }
          done(failure, response);
        });
        return;
      }
      default:
        verdict satisfies never;
    }
  });
}

function submit(
  { engine }: Way,
  to: ActorAddress,
  message: StartMessage,
  done: Done<StartWorkflowExecutionResponse>,
): void {
  engine.submit(to, message, (error, reply) => {
    if (error !== undefined) done(error, undefined);
    else if (reply?.type === 'started') done(undefined, reply.response);
  });
}

/** Whether the start was made is not known: its run may be about to confirm the permit. */
const mayBeApplied = (failure: Status | undefined): boolean =>
  failure?.detail?.kind === 'Unavailable' ? failure.detail.applied === 'maybe' : failure?.code === StatusCode.UNKNOWN;

const refused = (code: StatusCode, message: string): Status => ({
  code,
  message,
  detail: { kind: 'ResourceExhausted', cause: 'FLOW_CONTROL' },
});

const taken = ({ runId, message }: { runId: string; message: string }): Status => ({
  code: StatusCode.ALREADY_EXISTS,
  message,
  detail: { kind: 'WorkflowExecutionAlreadyStarted', runId },
});

const existing = ({ workflowId, runId }: { workflowId: string; runId: string }): StartWorkflowExecutionResponse => ({
  runId,
  started: false,
  status: WorkflowExecutionStatus.RUNNING,
  workflowId,
});

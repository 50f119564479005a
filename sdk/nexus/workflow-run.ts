// Operations that are workflows: started with the operation's request id, so that a repeated request is the same workflow, and with the callback that
// completes the operation when the workflow has closed.

import {
  type CancelOperationContext,
  HandlerError,
  HandlerErrorType,
  HandlerStartOperationResult,
  type OperationHandler,
  type StartOperationContext,
} from 'nexus-rpc';
import { EventType } from '../../src/wire/enums.ts';
import { fromNexusLinks, toNexusLink } from '../../src/wire/nexus-links.ts';
import type { WorkflowStartOptions as ClientStartOptions } from '../client/workflow-options.ts';
import type { Workflow, WorkflowResultType } from '../common/interfaces.ts';
import { handlerContext } from './context.ts';
import { readWorkflowRunToken, workflowRunToken } from './token.ts';

declare const resultType: unique symbol;

/** A workflow that backs an operation, as {@link startWorkflow} gives it. `T` is what it returns. */
export interface WorkflowHandle<T> {
  readonly workflowId: string;
  readonly runId: string;
  readonly [resultType]?: T;
}

/** Those of a client's start; the task queue is the worker's, unless it says otherwise. */
export type WorkflowStartOptions<T extends Workflow> = Omit<ClientStartOptions<T>, 'taskQueue'> & {
  taskQueue?: string;
};

/**
 * Starts the workflow that backs the current operation. With `workflowIdConflictPolicy: 'USE_EXISTING'` a running workflow backs this operation, too.
 *
 * @throws WorkflowExecutionAlreadyStartedError when another workflow has the id.
 */
export async function startWorkflow<T extends Workflow>(
  ctx: StartOperationContext,
  workflowTypeOrFunc: string | T,
  workflowOptions: WorkflowStartOptions<T>,
): Promise<WorkflowHandle<WorkflowResultType<T>>> {
  const { client, info } = handlerContext();
  const { callbackUrl, callbackHeaders, inboundLinks, requestId } = ctx;
  const links = fromNexusLinks(inboundLinks.map(({ url, type }) => ({ url: url.toString(), type })));
  const options = {
    taskQueue: info.taskQueue,
    ...workflowOptions,
    requestId,
    links,
    completionCallbacks: callbackUrl === undefined ? undefined : [{ url: callbackUrl, headers: callbackHeaders }],
    onConflictOptions: { attachRequestId: true, attachCompletionCallbacks: true, attachLinks: true },
  };
  // The options' types depend on the workflow's arguments, which the caller's own have been checked against.
  const handle = await client.workflow.start(workflowTypeOrFunc as string, options as ClientStartOptions);
  const { workflowId } = handle;
  const runId = handle.firstExecutionRunId;
  const eventRef = { eventId: 1, eventType: EventType.WORKFLOW_EXECUTION_STARTED };
  const link = toNexusLink({ workflowEvent: { namespace: info.namespace, workflowId, runId, eventRef } });
  if (link !== undefined) ctx.outboundLinks.push({ url: new URL(link.url), type: link.type });
  return { workflowId, runId };
}

export type WorkflowRunOperationStartHandler<I, O> = (
  ctx: StartOperationContext,
  input: I,
) => Promise<WorkflowHandle<O>>;

/** An operation that is a workflow: it ends with it, and cancelling it cancels the workflow. */
export class WorkflowRunOperationHandler<I, O> implements OperationHandler<I, O> {
  readonly handler: WorkflowRunOperationStartHandler<I, O>;

  constructor(handler: WorkflowRunOperationStartHandler<I, O>) {
    this.handler = handler;
  }

  async start(ctx: StartOperationContext, input: I): Promise<HandlerStartOperationResult<O>> {
    const { workflowId } = await this.handler(ctx, input);
    return HandlerStartOperationResult.async(workflowRunToken(handlerContext().info.namespace, workflowId));
  }

  async cancel(_ctx: CancelOperationContext, token: string): Promise<void> {
    const { client, info } = handlerContext();
    let named: ReturnType<typeof readWorkflowRunToken>;
    try {
      named = readWorkflowRunToken(token);
    } catch (cause) {
      throw new HandlerError(HandlerErrorType.NOT_FOUND, 'The operation token names no workflow', { cause });
    }
    if (named.namespace !== info.namespace) {
      throw new HandlerError(HandlerErrorType.NOT_FOUND, `The operation is of namespace ${named.namespace}`);
    }
    await client.workflow.getHandle(named.workflowId).cancel();
  }
}

// Updates of workflows between client and server, named as in the Temporal API.

import type { Callback, Header, Link, Payloads, UpdateOutcome } from './common.ts';
import type { UpdateWorkflowExecutionLifecycleStage } from './enums.ts';
import type { StartWorkflowExecutionRequest, StartWorkflowExecutionResponse } from './execution.ts';

/** What an update is, apart from the workflow it is for. */
export interface UpdateSpec {
  /** A repeat with the same id is the same update. Empty: the server chooses one. */
  updateId: string;
  updateName: string;
  args?: Payloads | undefined;
  header?: Header | undefined;
  /** Of this call: repeats of it attach its callbacks once. Empty: the server chooses one. */
  requestId?: string | undefined;
  /** Called when the update has completed; not where it is rejected, or complete already: then the answer says it. */
  completionCallbacks?: Callback[] | undefined;
  /** On the event that accepts it. */
  links?: Link[] | undefined;
  /** ACCEPTED (the default) or COMPLETED: answered when the update has come that far. */
  waitStage?: UpdateWorkflowExecutionLifecycleStage | undefined;
}

export interface UpdateWorkflowExecutionRequest extends UpdateSpec {
  namespace: string;
  workflowId: string;
  /** Empty: the current run. */
  runId?: string | undefined;
  /** When set, the run must belong to the chain that began with it. */
  firstExecutionRunId?: string | undefined;
  identity: string;
  /** It was sent before, and nobody knows what became of it: where the run that it was for has gone on as another, it is not done again. */
  repeated?: boolean | undefined;
}

export interface UpdateWorkflowExecutionResponse {
  /** The run that the update is for. */
  runId: string;
  updateId: string;
  stage: UpdateWorkflowExecutionLifecycleStage;
  /** From stage COMPLETED on; a rejected update has a failure and was never accepted. */
  outcome?: UpdateOutcome | undefined;
}

export interface PollWorkflowExecutionUpdateRequest {
  namespace: string;
  workflowId: string;
  runId?: string | undefined;
  updateId: string;
  /** ACCEPTED or COMPLETED; absent: how far it has come by now. */
  waitStage?: UpdateWorkflowExecutionLifecycleStage | undefined;
}

/** Starts the workflow, or meets the running one as the conflict policy says, and gives it the update: both or neither. */
export interface UpdateWithStartWorkflowExecutionRequest extends StartWorkflowExecutionRequest {
  update: UpdateSpec;
}

/** Answered when the update has come as far as was asked for. */
export interface UpdateWithStartWorkflowExecutionResponse {
  start: StartWorkflowExecutionResponse;
  update: UpdateWorkflowExecutionResponse;
}

export interface UpdateMethods {
  updateWorkflowExecution: { request: UpdateWorkflowExecutionRequest; response: UpdateWorkflowExecutionResponse };
  pollWorkflowExecutionUpdate: {
    request: PollWorkflowExecutionUpdateRequest;
    response: UpdateWorkflowExecutionResponse;
  };
  updateWithStartWorkflowExecution: {
    request: UpdateWithStartWorkflowExecutionRequest;
    response: UpdateWithStartWorkflowExecutionResponse;
  };
}

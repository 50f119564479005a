// The client of a test environment that skips time: as any other, but that time is skipped while it waits for a result.

import type { TimeSkipping } from '../../src/server.ts';
import { Client, type ClientOptions } from '../client/client.ts';
import { WorkflowClient, type WorkflowResultOptions } from '../client/workflow-client.ts';
import type { UntypedWorkflow, Workflow, WorkflowResultType } from '../common/interfaces.ts';

export class TimeSkippingClient extends Client {
  override readonly workflow: TimeSkippingWorkflowClient;

  /** @param time The embedded server's. */
  constructor(options: ClientOptions, time: TimeSkipping) {
    super(options);
    this.workflow = new TimeSkippingWorkflowClient(
      {
        connection: this.connection,
        namespace: this.base.namespace,
        identity: this.base.identity,
        dataConverter: { ...this.base.loadedDataConverter },
        interceptors: this.options.interceptors.workflow,
        queryRejectCondition: options.workflow?.queryRejectCondition,
      },
      time,
    );
  }
}

/** Unlocks time skipping while it waits for a workflow's result: several may wait at once. */
export class TimeSkippingWorkflowClient extends WorkflowClient {
  readonly #time: TimeSkipping;

  constructor(options: ConstructorParameters<typeof WorkflowClient>[0], time: TimeSkipping) {
    super(options);
    this.#time = time;
  }

  override async result<T extends Workflow = UntypedWorkflow>(
    workflowId: string,
    runId?: string,
    options?: WorkflowResultOptions,
  ): Promise<WorkflowResultType<T>> {
    this.#time.unlock();
    try {
      return await super.result<T>(workflowId, runId, options);
    } finally {
      this.#time.lock();
    }
  }
}

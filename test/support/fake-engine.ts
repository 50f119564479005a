// An engine for tests of the doors: notes what it is asked, answers when told to, or at once by `answers`.

import type { Message } from '../../src/core/workflow/message.ts';
import type { Reply } from '../../src/core/workflow/outcome.ts';
import type { DeploymentAnswer, DeploymentAsk } from '../../src/ports/deployments.ts';
import type {
  ActorAddress,
  Done,
  Engine,
  HistoryQuery,
  RegisteredAttributes,
  Waiting,
} from '../../src/ports/engine.ts';
import type { JobAnswer, JobAsk } from '../../src/ports/jobs.ts';
import type { NamespaceAnswer, NamespaceAsk } from '../../src/ports/namespaces.ts';
import type { EndpointAnswer, EndpointAsk } from '../../src/ports/nexus-endpoints.ts';
import type { WorkerAnswer, WorkerAsk } from '../../src/ports/workers.ts';
import type { QueryWorkflowResponse } from '../../src/wire/execution.ts';
import type { DescribeWorkflowExecutionResponse } from '../../src/wire/execution-info.ts';
import type { AwaitWorkflowResultResponse, GetWorkflowExecutionHistoryResponse } from '../../src/wire/history.ts';
import type { Status } from '../../src/wire/status.ts';
import type {
  UpdateWithStartWorkflowExecutionResponse,
  UpdateWorkflowExecutionResponse,
} from '../../src/wire/update.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../../src/wire/visibility.ts';
import type { QueryResult } from '../../src/wire/workflow-task.ts';

export interface Asked {
  method: string;
  to?: ActorAddress;
  what: unknown;
  done: (error: Status | undefined, value?: unknown) => void;
  abandoned: boolean;
}

export class FakeEngine implements Engine {
  readonly asked: Asked[] = [];
  /** By message type or engine method: an answer given at once. */
  readonly answers: Record<string, unknown> = {};

  #note(method: string, to: ActorAddress | undefined, what: unknown, done: Done<never>): Waiting {
    // Tests answer with whatever the method returns.
    const untyped = done as (error: Status | undefined, value?: unknown) => void;
    const asked: Asked = { method, what, done: untyped, abandoned: false, ...(to && { to }) };
    this.asked.push(asked);
    const type = typeof what === 'object' && what !== null && 'type' in what ? String(what.type) : method;
    const answer = this.answers[type] ?? this.answers[method];
    if (answer !== undefined) untyped(undefined, answer);
    return {
      abandon: () => {
        asked.abandoned = true;
      },
    };
  }

  get last(): Asked {
    const asked = this.asked[this.asked.length - 1];
    if (asked === undefined) throw new Error('the engine was not asked anything');
    return asked;
  }

  submit(to: ActorAddress, message: Message, done: Done<Reply>): void {
    this.#note('submit', to, message, done);
  }

  query(to: ActorAddress, message: object, done: Done<QueryWorkflowResponse>): Waiting {
    return this.#note('query', to, message, done);
  }

  update(to: ActorAddress, message: object, done: Done<UpdateWorkflowExecutionResponse>): Waiting {
    return this.#note('update', to, message, done);
  }

  updateWithStart(to: ActorAddress, message: object, done: Done<UpdateWithStartWorkflowExecutionResponse>): Waiting {
    return this.#note('updateWithStart', to, message, done);
  }

  answerQuery(to: ActorAddress, queryId: string, result: QueryResult, done: Done<undefined>): void {
    this.#note('answerQuery', to, { queryId, result }, done);
  }

  describe(to: ActorAddress, runId: string | undefined, done: Done<DescribeWorkflowExecutionResponse>): void {
    this.#note('describe', to, runId, done);
  }

  history(to: ActorAddress, query: HistoryQuery, done: Done<GetWorkflowExecutionHistoryResponse>): Waiting {
    return this.#note('history', to, query, done);
  }

  taskHistory(to: ActorAddress, task: object, done: Parameters<Engine['taskHistory']>[2]): void {
    this.#note('taskHistory', to, task, done);
  }

  awaitResult(
    to: ActorAddress,
    runId: string | undefined,
    followRuns: boolean,
    done: Done<AwaitWorkflowResultResponse>,
  ): Waiting {
    return this.#note('awaitResult', to, { runId, followRuns }, done);
  }

  list(request: object, done: Done<ListWorkflowExecutionsResponse>): void {
    this.#note('list', undefined, request, done);
  }

  count(request: object, done: Done<CountWorkflowExecutionsResponse>): void {
    this.#note('count', undefined, request, done);
  }

  searchAttributes(namespace: string, done: Done<RegisteredAttributes>): void {
    this.#note('searchAttributes', undefined, { namespace }, done);
  }

  changeSearchAttributes(namespace: string, change: object, done: Done<RegisteredAttributes>): void {
    this.#note('changeSearchAttributes', undefined, { namespace, change }, done);
  }

  jobs(namespace: string, asked: JobAsk, done: Done<JobAnswer>): void {
    this.#note('jobs', { namespace, workflowId: '' }, asked, done);
  }

  nexusEndpoints(asked: EndpointAsk, done: Done<EndpointAnswer>): void {
    this.#note('nexusEndpoints', undefined, asked, done);
  }

  /** None was registered, unless a test says otherwise. */
  workers(_namespace: string, asked: WorkerAsk, done: Done<WorkerAnswer>): void {
    this.#note('workers', undefined, asked, done);
  }

  deployments(asked: DeploymentAsk, done: Done<DeploymentAnswer>): void {
    if (asked.type === 'list') done(undefined, { revision: 0, records: [], ...(this.answers.deployments as object) });
    else this.#note('deployments', undefined, asked, done);
  }

  namespaces(asked: NamespaceAsk, done: Done<NamespaceAnswer>): void {
    if (asked.type === 'list') done(undefined, { revision: 0, records: [], ...(this.answers.namespaces as object) });
    else this.#note('namespaces', undefined, asked, done);
  }
}

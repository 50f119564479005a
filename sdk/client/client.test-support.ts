// A client over a fake server, for tests that say what each method answers.

import { encode } from '../../src/wire/codec.ts';
import type { Payload } from '../../src/wire/common.ts';
import { EventType, WorkflowExecutionStatus } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import type { StatusCode } from '../../src/wire/status.ts';
import { defaultPayloadConverter, fromPayloads, toPayloadsMessage } from '../common/index.ts';
import { Connection } from '../connection/connection.ts';
import { FakeServer, type SeenRequest, VirtualScheduler } from '../connection/fake-server.test-support.ts';
import { Client, type ClientOptions } from './index.ts';

/** A client whose server answers each method with what the test says. */
export function setUp(
  answers: Record<string, (body: Record<string, unknown>, request: SeenRequest) => unknown>,
  options: Omit<ClientOptions, 'connection'> = {},
) {
  const server = new FakeServer();
  const scheduler = new VirtualScheduler();
  const receive = server.receive.bind(server);
  const isStatus = (answer: unknown): answer is { code: StatusCode; message: string } =>
    typeof answer === 'object' && answer !== null && 'code' in answer;
  server.receive = (link, frame) => {
    const seen = server.requests.length;
    receive(link, frame);
    const request = server.requests[seen];
    const answer = request && answers[request.method]?.(request.body, request);
    if (request === undefined || answer === undefined) return;
    queueMicrotask(() => (isStatus(answer) ? server.fail(request, answer) : server.respond(request, answer)));
  };
  const connection = Connection.fromTransport(server.connect, { identity: 'me', scheduler });
  const client = new Client({ connection, namespace: 'ns', ...options });
  /** Lets the virtual tick go round until `promise` is settled. */
  async function run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const done = () => {
      settled = true;
    };
    promise.then(done, done);
    for (let i = 0; i < 50 && !settled; i++) await scheduler.advance(50);
    return await promise;
  }
  const fails = async (promise: Promise<unknown>): Promise<unknown> =>
    run(
      promise.then(
        () => undefined,
        (err) => err,
      ),
    );
  return { server, scheduler, connection, client, run, fails };
}

export const payloads = (...values: unknown[]) => toPayloadsMessage(defaultPayloadConverter, values);
export const values = (body: unknown) => fromPayloads(defaultPayloadConverter, body as { payloads?: Payload[] });

export function closing(event: Partial<HistoryEvent>): (body: Record<string, unknown>) => unknown {
  return (body) => ({
    runId: body.runId ?? 'run-1',
    status: WorkflowExecutionStatus.COMPLETED,
    closeEvent: encode([{ eventId: 9, eventTime: 0, ...event }]),
  });
}
export const completed = (value: unknown, newExecutionRunId?: string) =>
  closing({
    eventType: EventType.WORKFLOW_EXECUTION_COMPLETED,
    attributes: { result: payloads(value), workflowTaskCompletedEventId: 8, newExecutionRunId },
  });
export const started = () => ({ runId: 'run-1', started: true, status: WorkflowExecutionStatus.RUNNING });

export const target = { workflowId: 'order-1', taskQueue: 'orders' };

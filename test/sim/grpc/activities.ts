// Activities of the door's own workers: polled for on the queue that workers of the native door serve too, run by the same service, and answered as often as it takes.

import { ApplicationFailure } from '../../../sdk/common/failure.ts';
import { bytes, type Message, number, part, text } from '../../../src/frontend/grpc/rpc.ts';
import { StatusCode } from '../../../src/wire/status.ts';
import type { Attempt, Effect, Service } from '../service.ts';
import { CallFailed } from './channel.ts';
import { payloads, valueIn } from './payloads.ts';
import { REPEATS, type Stub } from './stub.ts';

/** ms a sleeping attempt goes without looking whether it is to stop. */
const LOOK_MS = 250;

class Stopped extends Error {}

/** One attempt, from its task to its answer. */
export class ActivityRun {
  readonly #stub: Stub;
  readonly #service: Service;
  readonly #task: Message;
  readonly #token: Uint8Array;
  /** Asked to stop, or of no use to anybody any more. */
  #stopped: 'cancelled' | 'gone' | undefined;

  constructor(stub: Stub, service: Service, task: Message) {
    this.#stub = stub;
    this.#service = service;
    this.#task = task;
    this.#token = bytes(task, 'taskToken');
  }

  async run(): Promise<void> {
    try {
      const effect = await this.#effect();
      await this.#answer('RespondActivityTaskCompleted', { result: payloads(effect) });
    } catch (error) {
      if (error instanceof Stopped) {
        if (this.#stopped === 'cancelled') await this.#answer('RespondActivityTaskCanceled', {});
        return;
      }
      if (!(error instanceof ApplicationFailure)) throw error;
      const { message, type, nonRetryable } = error;
      const failure = { message, applicationFailureInfo: { type, nonRetryable } };
      await this.#answer('RespondActivityTaskFailed', { failure });
    }
  }

  #effect(): Promise<Effect> {
    const key = String(valueIn(this.#task.input));
    const type = text(part(this.#task, 'activityType'), 'name');
    if (type === 'work') return this.#service.work(this.#attempt, key, Number(valueIn(this.#task.input, 1)));
    return this.#service.call(this.#attempt, key);
  }

  get #attempt(): Attempt {
    const task = this.#task;
    const execution = part(task, 'workflowExecution');
    const [workflowId, runId] = [text(execution, 'workflowId'), text(execution, 'runId')];
    return {
      workflow: workflowId === '' ? undefined : { workflowId, runId },
      ...{ activityId: text(task, 'activityId'), attempt: number(task, 'attempt') },
      heartbeatDetails: valueIn(task.heartbeatDetails),
      sleep: (ms) => this.#sleep(ms),
      heartbeat: (details) => void this.#heartbeat(details),
    };
  }

  async #sleep(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= LOOK_MS) {
      await this.#stub.wait(Math.min(left, LOOK_MS));
      if (this.#stopped !== undefined) throw new Stopped();
    }
  }

  async #heartbeat(details: unknown): Promise<void> {
    try {
      const taskToken = this.#token;
      const answer = await this.#stub.call('RecordActivityTaskHeartbeat', { taskToken, details: payloads(details) });
      if (answer.cancelRequested === true) this.#stopped ??= 'cancelled';
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      if (error.code === StatusCode.NOT_FOUND) this.#stopped ??= 'gone';
    }
  }

  /** Until it is heard, or it is known that it counts no more. */
  async #answer(method: string, body: Message): Promise<void> {
    const request = { ...body, taskToken: this.#token, identity: this.#stub.process.name };
    const answered = await this.#stub.unless([StatusCode.NOT_FOUND], method, request);
    if (answered === undefined || !this.#stub.process.random.chance(REPEATS)) return;
    // An answer that was taken is refused when it comes again: the checkers see it otherwise.
    await this.#stub.try(method, request);
  }
}

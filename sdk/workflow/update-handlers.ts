// The update handlers of one execution: validation, acceptance, completion. An update that comes before its handler is set waits for it until the
// activation ends, and is rejected then.

import type { Header, Payloads, UpdateOutcome } from '../../src/wire/common.ts';
import type { Failure } from '../../src/wire/failure.ts';
import { ApplicationFailure } from '../common/failure.ts';
import { HandlerUnfinishedPolicy } from '../common/interfaces.ts';
import { fromPayloads, type PayloadConverter } from '../common/payload-converter.ts';
import { SeldomMap } from '../common/seldom-map.ts';
import { composeInterceptors } from './compose.ts';
import { type AnyHandler, refuseReserved } from './handlers.ts';
import type { WorkflowInboundCallsInterceptor } from './interceptors.ts';
import type { DefaultUpdateHandler, UpdateInfo } from './interfaces.ts';

export interface UpdateHandler {
  handler: AnyHandler;
  description: string | undefined;
  unfinishedPolicy: HandlerUnfinishedPolicy;
  validator: AnyHandler | undefined;
}

export interface ReceivedUpdate {
  id: string;
  name: string;
  input: Payloads | undefined;
  header: Header | undefined;
  validates: boolean;
}

export interface UpdateHost {
  payloadConverter: PayloadConverter;
  inbound(): readonly WorkflowInboundCallsInterceptor[];
  /** Whether a handler's error is the update's outcome. */
  isFailure(error: unknown): boolean;
  errorToFailure(error: unknown): Failure;
  /** Of an error that is a handler's outcome. */
  outcome(error: unknown): Failure;
  accept(id: string): void;
  reject(id: string, failure: Failure): void;
  complete(id: string, outcome: UpdateOutcome): void;
  /** What is no failure of the update is one of the workflow task. */
  failTask(error: unknown): void;
  /** Runs a validator: it may not change the workflow, and leaves no trace. @throws what it throws. */
  validate(seed: string, fn: () => void): void;
  /** Runs a handler where `currentUpdateInfo` knows its update. */
  runInScope<T>(update: UpdateInfo, fn: () => Promise<T>): Promise<T>;
}

export class UpdateHandlers {
  readonly handlers = new SeldomMap<string, UpdateHandler>();
  /** Handlers that have not returned yet, by update id. */
  readonly running = new SeldomMap<string, { name: string; unfinishedPolicy: HandlerUnfinishedPolicy }>();
  #fallback: DefaultUpdateHandler | undefined;
  /** Received before their handler was set, in order. */
  #buffered: ReceivedUpdate[] = [];
  readonly #host: UpdateHost;

  constructor(host: UpdateHost) {
    this.#host = host;
  }

  set(name: string, handler: UpdateHandler | undefined): void {
    if (handler === undefined) this.handlers.delete(name);
    else this.handlers.set(name, handler);
    this.#dispatchBuffered();
  }

  setDefault(handler: DefaultUpdateHandler | undefined): void {
    this.#fallback = handler;
    this.#dispatchBuffered();
  }

  receive(update: ReceivedUpdate): void {
    const entry = this.#entryOf(update.name);
    if (entry === undefined) this.#buffered.push(update);
    else this.#run(update, entry);
  }

  /** The activation ends: nobody has come for these. */
  rejectBuffered(): void {
    for (const { id, name } of this.#buffered.splice(0)) {
      const registered = `Registered updates: [${[...this.handlers.keys()].join(' ')}]`;
      const text = `No registered handler for update: ${name}. ${registered}`;
      const error = ApplicationFailure.nonRetryable(text, 'Error');
      this.#host.reject(id, this.#host.errorToFailure(error));
    }
  }

  #dispatchBuffered(): void {
    for (;;) {
      const index = this.#buffered.findIndex(({ name }) => this.#entryOf(name) !== undefined);
      const [update] = index < 0 ? [] : this.#buffered.splice(index, 1);
      if (update === undefined) return;
      this.receive(update);
    }
  }

  #entryOf(name: string): UpdateHandler | undefined {
    const registered = this.handlers.get(name);
    const fallback = this.#fallback;
    if (registered !== undefined || fallback === undefined) return registered;
    refuseReserved('update', name, false, fallback);
    return {
      handler: (...args) => fallback(name, ...args),
      description: undefined,
      unfinishedPolicy: HandlerUnfinishedPolicy.WARN_AND_ABANDON,
      validator: undefined,
    };
  }

  #run(update: ReceivedUpdate, { handler, validator, unfinishedPolicy }: UpdateHandler): void {
    const { id, name, input, validates } = update;
    const host = this.#host;
    const inbound = host.inbound();
    const headers = update.header?.fields ?? {};
    let args: unknown[];
    try {
      // Arguments of its own: what the validator does to them, the handler must not see.
      if (validates && (validator !== undefined || inbound.length > 0)) {
        const validated = fromPayloads(host.payloadConverter, input);
        const validate = composeInterceptors(inbound, 'validateUpdate', (call) => void validator?.(...call.args));
        host.validate(id, () => validate({ updateId: id, name, args: validated, headers }));
      }
      args = fromPayloads(host.payloadConverter, input);
    } catch (error) {
      host.reject(id, host.errorToFailure(error));
      return;
    }
    host.accept(id);
    this.running.set(id, { name, unfinishedPolicy });
    const info: UpdateInfo = { id, name };
    const run = async (): Promise<unknown> => {
      if (inbound.length === 0) return await handler(...args);
      const handle = composeInterceptors(inbound, 'handleUpdate', async (call) => await handler(...call.args));
      return await handle({ updateId: id, name, args, headers });
    };
    host
      .runInScope(info, run)
      .then(
        (result) => host.complete(id, { success: { payloads: [host.payloadConverter.toPayload(result)] } }),
        (error: unknown) => {
          if (!host.isFailure(error)) throw error;
          host.complete(id, { failure: host.outcome(error) });
        },
      )
      .catch((error: unknown) => host.failTask(error))
      .finally(() => this.running.delete(id));
  }
}

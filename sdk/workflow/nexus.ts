// Nexus operations from workflow code: services of other namespaces, called by the name of their endpoint. Names and shapes are those of
// `@temporalio/workflow`; services are defined with `nexus-rpc`, as there.

import type { OperationInput, OperationKey, OperationOutput, ServiceDefinition } from 'nexus-rpc';
import type { Payload } from '../../src/wire/common.ts';
import { durationOption } from '../common/time.ts';
import { userMetadataToPayload } from '../common/user-metadata.ts';
import type { Intent } from './activation.ts';
import type { Activator } from './activator.ts';
import { cancelWithScope } from './cancel-with-scope.ts';
import { CancellationScope } from './cancellation-scope.ts';
import { composeInterceptors } from './compose.ts';
import { assertInWorkflowContext } from './context.ts';
import type {
  StartNexusOperationInput,
  StartNexusOperationOptions,
  StartNexusOperationOutput,
} from './interceptors.ts';

/**
 * What becomes of an operation when its scope is cancelled. ABANDON: it is not told. TRY_CANCEL: it is asked to cancel, and counts as cancelled at once.
 * WAIT_CANCELLATION_REQUESTED: as soon as its handler has been asked. WAIT_CANCELLATION_COMPLETED: it ends as its handler says.
 */
export const NexusOperationCancellationType = {
  ABANDON: 'ABANDON',
  TRY_CANCEL: 'TRY_CANCEL',
  WAIT_CANCELLATION_REQUESTED: 'WAIT_CANCELLATION_REQUESTED',
  WAIT_CANCELLATION_COMPLETED: 'WAIT_CANCELLATION_COMPLETED',
} as const;
export type NexusOperationCancellationType =
  (typeof NexusOperationCancellationType)[keyof typeof NexusOperationCancellationType];

/** An operation that has started, or has ended at once. */
export interface NexusOperationHandle<T> {
  readonly service: string;
  readonly operation: string;
  /** Names the operation to its handler; absent when it ended at once. */
  readonly token?: string | undefined;
  /** @throws NexusOperationFailure when it failed, was cancelled or timed out; its `cause` says which. */
  result(): Promise<T>;
}

type Options = Partial<StartNexusOperationOptions>;

/** Calls operations of one service at one endpoint; an operation is named by its definition, or by its property in the service. */
export interface NexusServiceClient<T extends ServiceDefinition> {
  /** Starts an operation and gives its result. @throws NexusOperationFailure as {@link NexusOperationHandle.result} does. */
  executeOperation<O extends T['operations'][keyof T['operations']]>(
    op: O,
    input: OperationInput<O>,
    options?: Options,
  ): Promise<OperationOutput<O>>;
  executeOperation<K extends OperationKey<T['operations']>>(
    op: K,
    input: OperationInput<T['operations'][K]>,
    options?: Options,
  ): Promise<OperationOutput<T['operations'][K]>>;
  /** Resolves once its handler has started it. @throws NexusOperationFailure when it could not be. */
  startOperation<O extends T['operations'][keyof T['operations']]>(
    op: O,
    input: OperationInput<O>,
    options?: Options,
  ): Promise<NexusOperationHandle<OperationOutput<O>>>;
  startOperation<K extends OperationKey<T['operations']>>(
    op: K,
    input: OperationInput<T['operations'][K]>,
    options?: Options,
  ): Promise<NexusOperationHandle<OperationOutput<T['operations'][K]>>>;
}

export interface NexusServiceClientOptions<T> {
  /** Name of an endpoint of the cluster. */
  endpoint: string;
  service: T;
}

/** A client of a service, for workflow code. */
export function createNexusServiceClient<T extends ServiceDefinition>({
  endpoint,
  service,
}: NexusServiceClientOptions<T>): NexusServiceClient<T> {
  const start = async (op: string | { name: string }, input: unknown, options: Options = {}) => {
    const activator = assertInWorkflowContext('Nexus operations');
    const operation = typeof op === 'string' ? (service.operations[op]?.name ?? op) : op.name;
    const call: StartNexusOperationInput = {
      ...{ endpoint, service: service.name, operation, input, headers: {}, options },
      seq: activator.takeSeq('nexusOperation'),
    };
    const site = new Error();
    const { outbound } = activator;
    const schedule = (given: StartNexusOperationInput) => scheduleOperation(activator, given, site);
    const started = await (outbound.length === 0
      ? schedule(call)
      : composeInterceptors(outbound, 'startNexusOperation', schedule)(call));
    return { service: service.name, operation, token: started.token, result: () => started.result };
  };
  const client = {
    startOperation: start,
    executeOperation: async (op: string | { name: string }, input: unknown, options?: Options) =>
      await (await start(op, input, options)).result(),
  };
  // The service's definition says what goes in and comes out: checked at compile time.
  return client as NexusServiceClient<T>;
}

/** The name this had in earlier versions of `@temporalio/workflow`. */
export const createNexusClient = createNexusServiceClient;

function scheduleOperation(
  activator: Activator,
  { endpoint, service, operation, input, options, headers, seq }: StartNexusOperationInput,
  site: Error,
): Promise<StartNexusOperationOutput> {
  const { payloadConverter } = activator;
  const payload: Payload = payloadConverter.toPayload(input);
  return new Promise((resolve, reject) => {
    const scope = CancellationScope.current();
    if (scope.consideredCancelled) {
      scope.cancelRequested.catch(reject);
      return;
    }
    if (scope.cancellable) cancelWithScope(scope, activator, 'cancelNexus', seq, options.eventGroups);
    const scheduled: Intent = {
      kind: 'startNexus',
      seq,
      site,
      cancellationType: options.cancellationType ?? NexusOperationCancellationType.WAIT_CANCELLATION_COMPLETED,
      userMetadata: userMetadataToPayload(payloadConverter, options.summary, undefined),
      attributes: {
        endpoint,
        service,
        operation,
        input: payload,
        nexusHeader: Object.keys(headers).length === 0 ? undefined : headers,
        scheduleToCloseTimeout: durationOption('scheduleToCloseTimeout', options.scheduleToCloseTimeout),
        scheduleToStartTimeout: durationOption('scheduleToStartTimeout', options.scheduleToStartTimeout),
        startToCloseTimeout: durationOption('startToCloseTimeout', options.startToCloseTimeout),
      },
    };
    activator.push(scheduled, options.eventGroups);
    activator.nexus.starts.set(seq, { resolve, reject, site });
  });
}

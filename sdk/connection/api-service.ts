// Temporal's services in their own messages: `connection.workflowService.describeNamespace({ namespace })` takes and gives what `@temporalio/client` does,
// objects of protobufjs. Requests travel as protobuf within the native connection (`callService`) and are answered as the gRPC door answers them. The
// messages' descriptors (31 MB) are loaded by the first call: who makes none pays nothing.

import type { grpc, temporal } from '@temporalio/proto';
import type { CallServiceRequest, CallServiceResponse } from '../../src/wire/server.ts';
import { currentCallContext, runWithCallContext } from './call-context.ts';

export type WorkflowService = temporal.api.workflowservice.v1.WorkflowService;
export type OperatorService = temporal.api.operatorservice.v1.OperatorService;
export type TestService = temporal.api.testservice.v1.TestService;
export type HealthService = grpc.health.v1.Health;

export type ApiSend = (request: CallServiceRequest) => Promise<CallServiceResponse>;

/** What is used of a message's class of protobufjs. */
interface MessageType {
  readonly fields: Readonly<Record<string, { readonly type: string }>>;
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
}

interface ServiceMethod {
  resolve(): unknown;
  readonly resolvedRequestType: MessageType;
  readonly resolvedResponseType: MessageType;
}

/** The part of the loaded package that is looked into by names. */
interface ApiRoot {
  lookupService(name: string): { readonly methods: Readonly<Record<string, ServiceMethod>> };
}

let root: Promise<ApiRoot> | undefined;

function apiRoot(): Promise<ApiRoot> {
  // A CommonJS module, whose export is a protobufjs Root.
  root ??= import('@temporalio/proto').then((module) => (module as unknown as { default: ApiRoot }).default);
  return root;
}

type Callback = (error: unknown, response?: object) => void;

/** Names that others ask any object for: whoever awaits a service, prints it or compares it asks no server. */
const NOT_METHODS: ReadonlySet<string> = new Set(['then', 'constructor', 'toJSON', 'asymmetricMatch', 'nodeType']);

/**
 * A service of the API; methods by their names there in camel case.
 *
 * @throws TypeError from a call of a method that the service does not have, RpcError with the server's status; its `metadata` has the details.
 */
export function apiService<S extends object>(service: string, send: ApiSend): S {
  const made = new Map<string, (request?: object, callback?: Callback) => Promise<object> | undefined>();
  const methodNamed = (name: string) => {
    let method = made.get(name);
    if (method === undefined) {
      method = (request = {}, callback) => {
        const answer = call(service, name, request, send);
        if (callback === undefined) return answer;
        answer.then(
          (response) => callback(null, response),
          (error) => callback(error),
        );
        return undefined;
      };
      made.set(name, method);
    }
    return method;
  };
  return new Proxy({} as S, {
    get: (target, name) =>
      typeof name === 'symbol' || name in target || NOT_METHODS.has(name)
        ? Reflect.get(target, name)
        : methodNamed(name),
  });
}

async function call(service: string, name: string, request: object, send: ApiSend): Promise<object> {
  // Where a context holds for the synchronous part alone, loading must not lose it.
  const context = currentCallContext();
  const { methods } = (await apiRoot()).lookupService(service);
  const method = name.charAt(0).toUpperCase() + name.slice(1);
  const found = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (found === undefined) throw new TypeError(`${service} has no method ${method}`);
  found.resolve();
  const bytes = found.resolvedRequestType.encode(named(method, found.resolvedRequestType, request)).finish();
  const { response } = await runWithCallContext(context ?? {}, () => send({ service, method, request: bytes }));
  return found.resolvedResponseType.decode(response);
}

type Fields = Readonly<Record<string, unknown>>;

/** With ids of requests and updates where the caller gave none: the connection may send it again, and it counts once. */
function named(method: string, { fields }: MessageType, request: object): object {
  switch (method) {
    case 'UpdateWorkflowExecution':
      return withUpdateId(request as Fields);
    case 'ExecuteMultiOperation': {
      const { operations } = request as { operations?: readonly Fields[] | null };
      return { ...request, operations: operations?.map(bothNamed) ?? [] };
    }
    default:
      return fields.requestId?.type === 'string' ? withRequestId(request as Fields) : request;
  }
}

const newId = (): string => globalThis.crypto.randomUUID();

const withRequestId = (request: Fields): Fields => (request.requestId ? request : { ...request, requestId: newId() });

function withUpdateId(update: Fields): Fields {
  const request = update.request as Fields | null | undefined;
  const meta = request?.meta as Fields | null | undefined;
  if (!meta || meta.updateId) return update;
  return { ...update, request: { ...request, meta: { ...meta, updateId: newId() } } };
}

function bothNamed({ startWorkflow, updateWorkflow }: Fields): Fields {
  return startWorkflow
    ? { startWorkflow: withRequestId(startWorkflow as Fields) }
    : updateWorkflow
      ? { updateWorkflow: withUpdateId(updateWorkflow as Fields) }
      : {};
}

// What a door is made of: the services its methods use, who calls, and one call. The WebSocket door and the later gRPC door build
// these and share the methods (src/frontend/methods): a method never sees a frame, a socket or a promise.

import type { CallbackRules } from '../core/nexus/callback-rules.ts';
import type { Limits } from '../core/workflow/limits.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { ClusterControl } from '../ports/cluster.ts';
import type { Engine, Waiting } from '../ports/engine.ts';
import type { TaskKind, WorkerRegistry } from '../ports/matching.ts';
import type { TimeSkipping } from '../ports/time-skipping.ts';
import type { NamespaceRecord } from '../wire/namespace.ts';
import type { CallServiceRequest, GetServerInfoResponse } from '../wire/server.ts';
import type { Status } from '../wire/status.ts';
import type { DescribeTaskQueueResponse } from '../wire/task-queue.ts';
import type { RegisterWorkerRequest } from '../wire/worker-session.ts';
import type { DeploymentDirectory } from './deployment-directory.ts';
import type { EndpointDirectory } from './endpoint-directory.ts';
import type { NamespaceDirectory } from './namespace-directory.ts';
import type { AttributeDirectory } from './search-attributes.ts';
import type { StateWatches } from './state-watches.ts';
import { type Check, checked, Refused } from './validate/check.ts';

/** What queues know that `describeTaskQueue` tells. */
export interface QueueDescriber {
  describe(namespace: string, taskQueue: string): Promise<DescribeTaskQueueResponse>;
}

export interface NamespaceInfo extends Readonly<NamespaceRecord> {
  /** Named by this node's configuration, or registered while it ran. */
  readonly origin: 'configured' | 'registered';
}

export interface Services {
  readonly engine: Engine;
  readonly workers: WorkerRegistry;
  readonly queues: QueueDescriber;
  readonly namespaces: ReadonlyMap<string, NamespaceInfo>;
  /** Where more are looked up. */
  readonly directory: NamespaceDirectory;
  /** Nexus endpoints, of all namespaces; absent where no method asks for them. */
  readonly endpoints?: EndpointDirectory | undefined;
  /** Worker deployments, as last heard of. */
  readonly deployments: DeploymentDirectory;
  /** Their search attributes. */
  readonly attributes: AttributeDirectory;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  /** Which callbacks are taken; absent: none. */
  readonly callbacks?: CallbackRules | undefined;
  readonly info: Omit<GetServerInfoResponse, 'namespaces'>;
  /** Absent where time passes as it does. */
  readonly timeSkipping?: TimeSkipping | undefined;
  /** Absent on a node that stands alone. */
  readonly cluster?: ClusterControl | undefined;
  /** Of the door whose clients expect the reference server: where that one does otherwise than the native door, it does, too. Absent: the native door. */
  readonly reference?: ReferenceWays | undefined;
  /** Temporal's API, for those who send its messages through this door; absent where nobody does. */
  readonly rpcs?: RpcGateway | undefined;
  /** Absent at a door that sends no answers in parts. */
  readonly stateWatches?: StateWatches | undefined;
}

export interface RpcGateway {
  call(request: CallServiceRequest, caller: Caller, call: Call): void;
}

/** What can be chosen of the reference server's ways: it has switches for them. */
export interface ReferenceWays {
  /** Children, signals and cancellations that a workflow sends into other namespaces. */
  readonly crossNamespaceCommands: 'allowed' | 'refused';
}

/** `unset`: nobody may, because no token for it is configured and the node listens beyond its machine. */
export type Administration = 'allowed' | 'denied' | 'unset';

/** Who calls: a connection, as far as methods care. */
export interface Caller {
  /** Whether the token it came with, if any, opens this namespace. */
  mayUse(namespace: string): boolean;
  /** Whether it may ask what only operators may. */
  readonly administration: Administration;
  /** Headers of the request, by lower case names, beside what they say of who calls. */
  readonly metadata?: ReadonlyMap<string, string> | undefined;
  /** Workers that live on this connection. Throws Refused when it may not have (another) one. */
  registerWorker(request: RegisterWorkerRequest): void;
  leaveWorker(workerId: string): void;
  /** False when no worker of that id is registered here. */
  grantCredit(workerId: string, workflow: number, activity: number): boolean;
  /** Activities it is pushed per second from now on; undefined: unlimited. False when no worker of that id is registered here. */
  limitActivities(workerId: string, perSecond: number | undefined): boolean;
  /** How much credit was taken back; undefined when no worker of that id is registered here. */
  withdrawCredit(workerId: string, kind: TaskKind, credit: number): number | undefined;
  /** What the worker is owed is sent again. False when no worker of that id is registered here. */
  resumeWorker(workerId: string, heldTokens: readonly Uint8Array[]): boolean;
  /** Pushes the client map whenever it changes. Throws Refused when the client did not name the capability. */
  watchCluster(): void;
  /** The worker that was pushed this token: credit comes back to it, and a query it owed is answered. */
  taskAnswered(token: Uint8Array, kind: 'workflow' | 'activity', queryId: string | undefined, credit: number): void;
}

/** One request. Exactly one of `reply` and `refuse` takes effect; anything after it, or after the caller gave up, is ignored. */
export interface Call {
  /** ms the caller waits at most; Infinity when it set no limit and the method waits by nature. */
  readonly timeoutMs: number;
  reply(body: object): void;
  refuse(status: Status): void;
  /** A long wait: abandoned when the caller gives up, goes away, or its time is over. */
  waits(waiting: Waiting): void;
  /** Instead of DEADLINE_EXCEEDED when its time is over. */
  atDeadline(answer: () => void): void;
  /** Absent: the caller takes an answer as a whole only. */
  readonly parts?: Parts | undefined;
}

/** The way of an answer's parts, which come before its `reply`. */
export interface Parts {
  /**
   * Sends a part that was encoded already. False when the caller has not read what it was sent: nothing is, and `again` is called, once, when it has;
   * never after the call ended.
   */
  send(part: Uint8Array, again: () => void): boolean;
}

/** `client` calls are refused first when the node is overloaded, `worker` calls have reserved room (DESIGN §6). */
export type CallClass = 'client' | 'worker';

export interface MethodDefinition {
  readonly callClass: CallClass;
  /** ms when the caller names none. */
  readonly defaultTimeoutMs: number;
  /** What a request does by arriving, even when it is then refused. Must not throw, whatever the body. */
  readonly arrived: ((caller: Caller, body: unknown) => void) | undefined;
  /** Checks and runs; may throw Refused. */
  run(services: Services, caller: Caller, body: unknown, call: Call): void;
}

/** Default of a plain request, ms. */
const REQUEST_TIMEOUT_MS = 10_000;

export function method<Request>(
  check: Check<Request>,
  run: (services: Services, caller: Caller, request: Request, call: Call) => void,
  options: { callClass?: CallClass; defaultTimeoutMs?: number; arrived?: MethodDefinition['arrived'] } = {},
): MethodDefinition {
  return {
    callClass: options.callClass ?? 'client',
    defaultTimeoutMs: options.defaultTimeoutMs ?? REQUEST_TIMEOUT_MS,
    arrived: options.arrived,
    run: (services, caller, body, call) => {
      const request = checked(check, body);
      try {
        run(services, caller, request, call);
      } catch (error) {
        if (!(error instanceof Refused) || error.status.detail?.kind !== 'NamespaceNotFound') throw error;
        // It may have been registered just now, at another node. Nothing has been done for the request so far: a namespace is looked at first.
        services.directory.lookAgain(() => again(() => run(services, caller, request, call), call));
      }
    },
  };
}

/** Once more, now that it was looked for: a refusal is the answer. */
export function again(run: () => void, call: Call): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    call.refuse(error.status);
  }
}

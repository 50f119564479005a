// Which workers there are: each says so now and then, and what it is doing; listed, counted and described for people and tools.

import { sizeOf } from '../../core/workflow/size.ts';
import type { WorkerAnswer, WorkerAsk } from '../../ports/workers.ts';
import type {
  ListWorkersRequest,
  ListWorkersResponse,
  RecordWorkerHeartbeatRequest,
  WorkerHeartbeat,
  WorkerListInfo,
} from '../../wire/worker.ts';
import { type Call, method, type Services } from '../door.ts';
import { bytes, defaulted, integer, invalid, list, object, optional, string } from '../validate/check.ts';
import * as rules from '../validate/rules.ts';
import { heartbeat } from '../validate/workers.ts';

const EMPTY = Object.freeze({});
const DEFAULT_PAGE = 100;
const MAX_PAGE = 1_000;
const MAX_HEARTBEATS = 100;
/** Of one worker: what it says is kept for as long as it lives. */
const MAX_HEARTBEAT_BYTES = 16_384;

function ask(
  services: Services,
  namespace: string,
  asked: WorkerAsk,
  call: Call,
  reply: (answer: WorkerAnswer) => object,
): void {
  services.engine.workers(namespace, asked, (error, answer) => {
    if (answer !== undefined) call.reply(reply(answer));
    else if (error !== undefined) call.refuse(error);
  });
}

export const recordWorkerHeartbeat = method(
  object<RecordWorkerHeartbeatRequest>({
    namespace: defaulted(string, ''),
    identity: optional(string),
    workerHeartbeat: defaulted(list(heartbeat), []),
  }),
  (services, caller, { namespace, workerHeartbeat: heartbeats }, call) => {
    rules.namespace(services, caller, namespace);
    if (heartbeats.length > MAX_HEARTBEATS) throw invalid(`At most ${MAX_HEARTBEATS} heartbeats go in one request.`);
    for (const one of heartbeats) {
      rules.present(services.limits, 'WorkerInstanceKey', one.workerInstanceKey);
      if (sizeOf(one) > MAX_HEARTBEAT_BYTES) {
        throw invalid(`The heartbeat of worker ${one.workerInstanceKey} is over ${MAX_HEARTBEAT_BYTES} bytes.`);
      }
    }
    if (heartbeats.length === 0) call.reply(EMPTY);
    else ask(services, namespace, { type: 'heartbeat', heartbeats }, call, () => EMPTY);
  },
  { callClass: 'worker' },
);

const listInfo = (one: WorkerHeartbeat): WorkerListInfo => {
  const { workerInstanceKey, workerIdentity, taskQueue, deploymentVersion, sdkName, sdkVersion, status } = one;
  const { hostName, workerGroupingKey, processId } = one.hostInfo ?? {};
  return {
    ...{ workerInstanceKey, workerIdentity, taskQueue, deploymentVersion, sdkName, sdkVersion, status },
    ...{ startTime: one.startTime, hostName, workerGroupingKey, processId },
  };
};

/** A page goes on after the worker of this key. */
const TOKEN_BEGINS = 'workers after ';
const pageToken = (workerInstanceKey: string): Uint8Array => Buffer.from(TOKEN_BEGINS + workerInstanceKey);

function readToken(token: Uint8Array): string {
  const text = Buffer.from(token).toString();
  if (!text.startsWith(TOKEN_BEGINS)) throw invalid('invalid next_page_token');
  return text.slice(TOKEN_BEGINS.length);
}

export const listWorkers = method(
  object<ListWorkersRequest>({
    namespace: defaulted(string, ''),
    pageSize: optional(integer),
    nextPageToken: optional(bytes),
    query: optional(string),
  }),
  (services, caller, { namespace, pageSize = 0, nextPageToken, query = '' }, call) => {
    rules.namespace(services, caller, namespace);
    if (pageSize < 0) throw invalid('PageSize cannot be negative.');
    const after = nextPageToken === undefined || nextPageToken.length === 0 ? '' : readToken(nextPageToken);
    const asked = { type: 'list', query, after, pageSize: Math.min(pageSize || DEFAULT_PAGE, MAX_PAGE) } as const;
    ask(services, namespace, asked, call, ({ workers, more }): ListWorkersResponse => {
      const last = workers.at(-1);
      return {
        workers: workers.map(listInfo),
        workersInfo: workers.map((workerHeartbeat) => ({ workerHeartbeat })),
        nextPageToken: more === true && last !== undefined ? pageToken(last.workerInstanceKey) : undefined,
      };
    });
  },
);

export const countWorkers = method(
  object<{ namespace: string; query?: string | undefined }>({
    namespace: defaulted(string, ''),
    query: optional(string),
  }),
  (services, caller, { namespace, query = '' }, call) => {
    rules.namespace(services, caller, namespace);
    ask(services, namespace, { type: 'count', query }, call, ({ count = 0 }) => ({ count }));
  },
);

export const describeWorker = method(
  object<{ namespace: string; workerInstanceKey: string }>({
    namespace: defaulted(string, ''),
    workerInstanceKey: defaulted(string, ''),
  }),
  (services, caller, { namespace, workerInstanceKey }, call) => {
    rules.namespace(services, caller, namespace);
    ask(services, namespace, { type: 'describe', workerInstanceKey }, call, ({ workers: [workerHeartbeat] }) => ({
      workerInfo: { workerHeartbeat },
    }));
  },
);

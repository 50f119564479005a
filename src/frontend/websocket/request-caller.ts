// Who makes one request that carries metadata: the connection, with what the token of the request opens instead of hello's.

import type { TaskKind } from '../../ports/matching.ts';
import type { RegisterWorkerRequest } from '../../wire/worker-session.ts';
import type { Administration, Caller } from '../door.ts';
import type { Access, Namespaces } from '../namespaces.ts';
import { unauthenticated } from '../statuses.ts';
import { invalid, Refused } from '../validate/check.ts';

/** Of one request (I9): names and values together, UTF-16 units. */
const MAX_METADATA = 16_384;
const BEARER = /^bearer\s+(\S+)$/i;

/** Throws Refused for what is no metadata, or more than is taken. */
function metadataOf(value: unknown): ReadonlyMap<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw invalid('Invalid request: its metadata must be a map.');
  }
  const metadata = new Map<string, string>();
  let size = 0;
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw invalid('Invalid request: values of its metadata must be strings.');
    size += name.length + text.length;
    metadata.set(name.toLowerCase(), text);
  }
  if (size > MAX_METADATA)
    throw invalid(`Invalid request: its metadata is ${size} long, the limit is ${MAX_METADATA}.`);
  return metadata;
}

/** `connection`: what hello's token opens. Throws Refused. */
export function requestCaller(
  connection: Caller,
  own: Access | undefined,
  namespaces: Namespaces,
  value: unknown,
): Caller {
  const metadata = metadataOf(value);
  const authorization = metadata.get('authorization');
  if (authorization === undefined) return new RequestCaller(connection, own, metadata);
  const access = namespaces.access(BEARER.exec(authorization.trim())?.[1]);
  if (access !== undefined) return new RequestCaller(connection, access, metadata);
  throw new Refused(unauthenticated('The authorization of the request is no token of this server: check it.'));
}

class RequestCaller implements Caller {
  readonly metadata: ReadonlyMap<string, string>;
  readonly #connection: Caller;
  readonly #access: Access | undefined;

  constructor(connection: Caller, access: Access | undefined, metadata: ReadonlyMap<string, string>) {
    this.#connection = connection;
    this.#access = access;
    this.metadata = metadata;
  }

  get administration(): Administration {
    return this.#access?.administration ?? 'denied';
  }

  mayUse(namespace: string): boolean {
    return this.#access?.mayUse(namespace) ?? false;
  }

  registerWorker(request: RegisterWorkerRequest): void {
    this.#connection.registerWorker(request);
  }

  leaveWorker(workerId: string): void {
    this.#connection.leaveWorker(workerId);
  }

  grantCredit(workerId: string, workflow: number, activity: number): boolean {
    return this.#connection.grantCredit(workerId, workflow, activity);
  }

  limitActivities(workerId: string, perSecond: number | undefined): boolean {
    return this.#connection.limitActivities(workerId, perSecond);
  }

  withdrawCredit(workerId: string, kind: TaskKind, credit: number): number | undefined {
    return this.#connection.withdrawCredit(workerId, kind, credit);
  }

  resumeWorker(workerId: string, heldTokens: readonly Uint8Array[]): boolean {
    return this.#connection.resumeWorker(workerId, heldTokens);
  }

  watchCluster(): void {
    this.#connection.watchCluster();
  }

  taskAnswered(token: Uint8Array, kind: TaskKind, queryId: string | undefined, credit: number): void {
    this.#connection.taskAnswered(token, kind, queryId, credit);
  }
}

// Who calls, at this door: what the bearer token in the call's metadata opens. Workers do not register here, they poll, so what belongs to a
// connection of the native door is refused.

import { StatusCode } from '../../wire/status.ts';
import type { Administration, Caller } from '../door.ts';
import type { Access, Namespaces } from '../namespaces.ts';
import { Refused } from '../validate/check.ts';
import type { Pollers } from './pollers.ts';

const BEARER = /^bearer\s+(\S+)$/i;

/** Undefined when the token, or its absence, opens nothing at all. */
export function accessOf(namespaces: Namespaces, authorization: string | undefined): Access | undefined {
  return namespaces.access(authorization === undefined ? undefined : BEARER.exec(authorization.trim())?.[1]);
}

const notHere = (): Refused =>
  new Refused({ code: StatusCode.UNIMPLEMENTED, message: 'Workers poll at this door, they do not register.' });

export class RpcCaller implements Caller {
  readonly administration: Administration;
  readonly #access: Access;
  readonly #pollers: Pollers;

  constructor(access: Access, pollers: Pollers) {
    this.#access = access;
    this.#pollers = pollers;
    this.administration = access.administration;
  }

  mayUse(namespace: string): boolean {
    return this.#access.mayUse(namespace);
  }

  /** Credit comes with the next poll, not with an answer. */
  taskAnswered(_token: Uint8Array, _kind: 'workflow' | 'activity', queryId: string | undefined): void {
    if (queryId !== undefined) this.#pollers.queryAnswered(queryId);
  }

  registerWorker(): never {
    throw notHere();
  }

  leaveWorker(): never {
    throw notHere();
  }

  grantCredit(): never {
    throw notHere();
  }

  limitActivities(): never {
    throw notHere();
  }

  withdrawCredit(): never {
    throw notHere();
  }

  resumeWorker(): never {
    throw notHere();
  }

  watchCluster(): never {
    throw notHere();
  }
}

// Calls of single methods against an engine that a test makes up.

import { VirtualTime } from '../../../../test/support/matching-world.ts';
import { DEFAULT_LIMITS } from '../../../core/workflow/limits.ts';
import type { Engine } from '../../../ports/engine.ts';
import { NamespaceState } from '../../../wire/enums.ts';
import type { Status } from '../../../wire/status.ts';
import type { NamespaceInfo } from '../../door.ts';
import { AttributeDirectory } from '../../search-attributes.ts';
import { RpcCaller } from '../caller.ts';
import type { Pollers } from '../pollers.ts';
import type { Message, Rpc, RpcCall, RpcServices } from '../rpc.ts';
import type { RpcError } from '../status.ts';

/** The id of whatever is given one here. */
export const MADE_UP = 'made-up';

const NAMESPACE: NamespaceInfo = {
  ...{ name: 'default', id: 'default-id', state: NamespaceState.REGISTERED, origin: 'configured' },
  ...{ description: '', ownerEmail: '', data: {}, retention: 86_400_000 },
};

/** What has become of a call. */
export class Called implements RpcCall {
  readonly timeoutMs = Number.POSITIVE_INFINITY;
  answer: Message | undefined;
  refused: Status | undefined;
  failed: RpcError | undefined;
  readonly #isNamed: boolean;
  readonly #late: (() => void)[] = [];

  constructor(isNamed: boolean) {
    this.#isNamed = isNamed;
  }

  get isOpen(): boolean {
    return (this.answer ?? this.refused ?? this.failed) === undefined;
  }

  header(name: string): string | undefined {
    return this.#isNamed && name === 'client-name' ? 'somebody' : undefined;
  }

  reply(body: object): void {
    this.answer = { ...body };
  }

  refuse(status: Status): void {
    this.refused = status;
  }

  fail(error: RpcError): void {
    this.failed = error;
  }

  waits(): void {}

  atDeadline(answer: () => void): void {
    this.#late.push(answer);
  }

  /** Its client does not wait any longer. */
  expire(): void {
    for (const answer of this.#late.splice(0)) answer();
  }
}

export const NO_WAIT = { abandon: (): void => {} };

/**
 * In the namespace `default`, by somebody who may. `given`: what of the engine is asked for; whatever else is asked for is no function, and throws.
 * `isNamed`: its client says who it is.
 */
export function called(rpc: Rpc, request: Message, given: Partial<Engine>, { isNamed = false } = {}): Called {
  const clock = new VirtualTime();
  const engine = given as Engine;
  const services: Partial<RpcServices> = {
    ...{ engine, clock, limits: DEFAULT_LIMITS, attributes: new AttributeDirectory(engine, clock) },
    random: { uuid: () => MADE_UP, next: () => 0 },
    namespaces: new Map([[NAMESPACE.name, NAMESPACE]]),
  };
  const call = new Called(isNamed);
  const caller = new RpcCaller({ mayUse: () => true, administration: 'denied' }, {} as Pollers);
  rpc.run(services as RpcServices, caller, { namespace: NAMESPACE.name, ...request }, call);
  return call;
}

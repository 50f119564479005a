// The token of a connection, which may change, and the metadata that goes with each of its requests. A token that was fixed when the connection was made
// is said once, in each link's hello; one that may have changed since goes with every request.

import { type CallContext, metadataOf } from './call-context.ts';

export class Token {
  /** By lower case names. */
  metadata: Record<string, string> | undefined;
  #current: () => string | undefined;
  #mayChange: boolean;

  constructor(token: string | (() => string) | undefined, metadata: Record<string, string> | undefined) {
    this.metadata = metadata;
    this.#mayChange = typeof token === 'function';
    this.#current = typeof token === 'function' ? token : () => token;
  }

  /** For the hello of a link that is made now. */
  get current(): string | undefined {
    const said = this.metadata?.authorization;
    return said === undefined ? this.#current() : bearer(said);
  }

  /** @throws TypeError */
  set(token: string | (() => string)): void {
    if (token === '') throw new TypeError('`apiKey` must not be an empty string');
    this.#current = typeof token === 'function' ? token : () => token;
    this.#mayChange = true;
  }

  /** The last elements of a request's frame: what goes with a request that is made now. None, usually. */
  with(context: CallContext | undefined): readonly Record<string, string>[] {
    if (!this.#mayChange && this.metadata === undefined && context?.metadata === undefined) return NONE;
    const token = this.#mayChange ? this.#current() : undefined;
    const authorization = token ? { authorization: `Bearer ${token}` } : undefined;
    const metadata = metadataOf(authorization, this.metadata, context?.metadata);
    return metadata === undefined ? NONE : [metadata];
  }
}

const NONE: readonly Record<string, string>[] = [];

function bearer(authorization: string): string | undefined {
  return /^bearer\s+(\S+)$/i.exec(authorization.trim())?.[1];
}

// What the log says of links to other nodes: what an operator would look for, no line for what mends itself, and for what strangers do over and over
// one line in a while (I9). Called by cluster-node.ts.

import type { Clock } from '../../src/ports/clock.ts';
import type { Log } from '../../src/ports/log.ts';
import { Limiter } from '../gossip/core/notices.ts';
import type { LinkEvent } from '../link/links.ts';

/** Peers whose last trouble is kept. */
const MAX_TROUBLES = 1_024;

type Refused = Extract<LinkEvent, { type: 'refused' }>;

export class LinkLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #limiter = new Limiter();
  /** What went wrong last with each peer that is not connected. */
  readonly #troubles = new Map<string, string>();
  /** Refusals since the last one that was logged. */
  #unsaid = 0;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** What went wrong last with this peer, since it was connected; undefined: nothing. */
  whyNot(peer: string): string | undefined {
    return this.#troubles.get(peer);
  }

  tell(event: LinkEvent): void {
    switch (event.type) {
      case 'up':
        this.#troubles.delete(event.peer);
        this.#log.info({ peer: event.peer, address: event.address, version: event.version }, 'node connected');
        return;
      case 'down':
        this.#log.info({ peer: event.peer, address: event.address, why: event.why }, 'node disconnected');
        return;
      case 'unreachable':
        this.#trouble(event.peer, event.message);
        if (event.attempts === 1) this.#log.debug({ peer: event.peer, address: event.address }, event.message);
        return;
      case 'refused':
        this.#refused(event);
        return;
      case 'clockSkew':
        this.#log.warn({ peer: event.peer, skewMs: event.skewMs }, event.message);
        return;
      case 'suppressed':
        this.#unsaid += event.count;
        return;
    }
  }

  #refused({ peer, address, by, kind, message }: Refused): void {
    if (kind === 'duplicateLink') {
      this.#log.debug({ peer, address, by }, message);
      return;
    }
    this.#trouble(peer, message);
    // A stranger has another port each time, and may claim any name.
    const subject = `${by} ${kind} ${by === 'peer' ? (peer ?? '') : hostOf(address)}`;
    if (!this.#limiter.allow(subject, this.#clock.monotonic())) {
      this.#unsaid += 1;
      return;
    }
    this.#log.warn({ peer, address, by, ...(this.#unsaid > 0 && { notLoggedBefore: this.#unsaid }) }, message);
    this.#unsaid = 0;
  }

  /** A stranger may claim any name. */
  #trouble(peer: string | undefined, message: string): void {
    if (peer === undefined || (this.#troubles.size >= MAX_TROUBLES && !this.#troubles.has(peer))) return;
    this.#troubles.set(peer, message);
  }
}

const hostOf = (address: string): string => address.slice(0, Math.max(0, address.lastIndexOf(':')));

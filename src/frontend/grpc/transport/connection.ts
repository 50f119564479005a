// One client's connection: whether there is still somebody, how much he has not read, and how it ends without a call being lost. Used by transport.ts.

import type { Cancelable, Scheduler } from '../../../ports/clock.ts';
import type { Session } from '../http2/session.ts';

export interface ConnectionOptions {
  readonly scheduler: Scheduler;
  /** A connection is asked for a sign of life so often, ms. */
  readonly pingEveryMs: number;
  /** It is closed if none comes for so long, ms. */
  readonly pingTimeoutMs: number;
  /** Its client is asked to connect anew after so long, a tenth more or less, so that clients come to nodes that joined, ms. */
  readonly maxAgeMs: number;
}

export class Connection {
  readonly #session: Session;
  readonly #options: ConnectionOptions;
  #next: Cancelable;
  readonly #age: Cancelable;
  #isClosed = false;

  /** @param port of its client */
  constructor(session: Session, port: number, options: ConnectionOptions) {
    this.#session = session;
    this.#options = options;
    const { scheduler, maxAgeMs } = options;
    // Those that came together do not go together.
    const spread = 0.9 + (port % 1_000) / 5_000;
    this.#age = scheduler.after(maxAgeMs * spread, () => this.retire());
    this.#next = this.#wait();
    session.whenClosed(() => {
      this.#isClosed = true;
      this.#age.cancel();
      this.#next.cancel();
    });
  }

  /** Of a header list that its client takes. */
  get maxHeaderBytes(): number {
    return this.#session.maxHeaderBytes;
  }

  /** Answers that have not left whole. */
  get unreadBytes(): number {
    return this.#session.unreadBytes;
  }

  /**
   * Asks its client to go elsewhere with its next call; the session ends with the last one that is under way. What the client sent before it could know is named
   * as not begun, and its library sends that again over its next connection.
   */
  retire(): void {
    this.#session.close();
  }

  /** When its calls are over, or after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    const session = this.#session;
    if (this.#isClosed) return;
    await new Promise<void>((resolve) => {
      const late = this.#options.scheduler.after(graceMs, () => session.destroy());
      session.whenClosed(() => {
        late.cancel();
        resolve();
      });
      session.close();
    });
  }

  #wait(): Cancelable {
    const { scheduler, pingEveryMs } = this.#options;
    return scheduler.after(pingEveryMs, () => this.#ask());
  }

  /** A client that vanished without a word is noticed. */
  #ask(): void {
    const session = this.#session;
    const unanswered = this.#options.scheduler.after(this.#options.pingTimeoutMs, () => session.destroy());
    this.#next = unanswered;
    session.ping(() => {
      unanswered.cancel();
      this.#next = this.#wait();
    });
  }
}

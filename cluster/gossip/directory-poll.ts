// Keeps the peer directory told of us and us of it: now and then while among others, often while alone. Each call is given up after a
// while and never overlaps the next, so a directory that hangs costs nothing. Used by gossip.ts.

import type { Cancelable, Scheduler } from '../../src/ports/clock.ts';
import { ANNOUNCE_INTERVAL_MS, type AnnouncedNode, type PeerDirectory } from './peer-directory.ts';

const ALONE_INTERVAL_MS = 2_000;
/** A call that takes longer counts as failed. */
const TIMEOUT_MS = 5_000;
const MAX_PEERS = 64;

export interface DirectoryPollOptions {
  readonly directory: PeerDirectory;
  readonly scheduler: Scheduler;
  /** What to announce now. */
  readonly self: () => AnnouncedNode;
  readonly alone: () => boolean;
  readonly onPeers: (gossipAddresses: readonly string[]) => void;
  readonly onFailure: (message: string) => void;
}

export class DirectoryPoll {
  readonly #options: DirectoryPollOptions;
  #timer: Cancelable | undefined;
  #stopped = false;

  constructor(options: DirectoryPollOptions) {
    this.#options = options;
  }

  /** Resolves after the first round, whether or not the directory answered. */
  async start(): Promise<void> {
    await this.#round();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #round(): Promise<void> {
    const { directory, scheduler, self, alone, onPeers, onFailure } = this.#options;
    try {
      const me = self();
      // Both at once: one that hangs must not cost the other its time.
      const [announced, found] = await Promise.allSettled([
        this.#inTime(() => directory.announce(me)),
        this.#inTime(() => directory.peers()),
      ]);
      if (this.#stopped) return;
      if (found.status === 'fulfilled') {
        const addresses = found.value.filter(({ name }) => name !== me.name).map(({ gossipAddress }) => gossipAddress);
        onPeers(addresses.slice(0, MAX_PEERS));
      }
      const failed = [announced, found].find((result) => result.status === 'rejected');
      if (failed !== undefined) onFailure(`the peer directory does not answer: ${reasonOf(failed.reason)}`);
    } finally {
      if (!this.#stopped) {
        const pauseMs = alone() ? ALONE_INTERVAL_MS : ANNOUNCE_INTERVAL_MS;
        this.#timer = scheduler.after(pauseMs, () => void this.#round());
      }
    }
  }

  #inTime<T>(call: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.#options.scheduler.after(TIMEOUT_MS, () => reject(new Error(`no answer in ${TIMEOUT_MS} ms`)));
      // Also a call that throws at once is one that failed.
      Promise.resolve()
        .then(call)
        .then(resolve, reject)
        .finally(() => timer.cancel());
    });
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

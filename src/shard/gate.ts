// Whether the node takes work: its health, and admission under load (I9): new work is refused first, so that what has begun can end.

import type { Message } from '../core/workflow/message.ts';
import type { Status } from '../wire/status.ts';
import type { ShardLimits } from './limits.ts';
import type { EngineHealth } from './options.ts';
import { exhausted, unavailable } from './status.ts';

/** What is decided and not durable, or durable and not flushed. */
export interface Load {
  turns: number;
  bytes: number;
  overlayBytes: number;
}

export class Gate {
  readonly #bounds: ShardLimits;
  readonly #load: () => Load;
  health: EngineHealth = { state: 'starting' };
  lowOnSpace = false;
  refused = 0;

  constructor(bounds: ShardLimits, load: () => Load) {
    this.#bounds = bounds;
    this.#load = load;
  }

  get isServing(): boolean {
    return this.health.state === 'serving';
  }

  /** Why nothing is served, or undefined. */
  closed(): Status | undefined {
    switch (this.health.state) {
      case 'serving':
        return undefined;
      case 'failed':
        return unavailable(`This node stopped serving: ${this.health.error}. Restart it once the disk is sound.`, 'no');
      default:
        return unavailable(`This node is ${this.health.state}: ask again in a moment, or another node.`, 'no');
    }
  }

  /** New work is refused first; completions, heartbeats, timers and undos keep room of their own (I9). */
  admit(message: Message, waitingStarts: number): Status | undefined {
    const refusal = this.closed() ?? this.#overload(message, waitingStarts);
    if (refusal !== undefined) this.refused += 1;
    return refusal;
  }

  #overload(message: Message, waitingStarts: number): Status | undefined {
    const { turns, bytes, overlayBytes } = this.#load();
    const load = Math.max(
      turns / this.#bounds.pendingTurns,
      bytes / this.#bounds.pendingBytes,
      overlayBytes / this.#bounds.overlayBytes,
    );
    switch (message.type) {
      case 'start':
      case 'signal':
      case 'update':
      case 'flowReserve':
      case 'createSchedule':
      case 'updateSchedule':
      case 'patchSchedule':
        if (this.lowOnSpace) {
          const mib = Math.round(this.#bounds.freeSpaceReserve / 2 ** 20);
          return exhausted('DISK_SPACE', `Less than ${mib} MiB are free on the data disk: free space, then try again.`);
        }
        return load >= 0.5 || waitingStarts >= this.#bounds.waitingStarts ? overloaded(message.type) : undefined;
      case 'query':
      case 'pollUpdate':
      case 'requestCancel':
      case 'terminate':
      case 'reset':
      case 'describeFlow':
      case 'deleteExecution':
      case 'pauseWorkflow':
      case 'unpauseWorkflow':
      case 'describeSchedule':
      case 'scheduleTimes':
        return load >= 0.75 ? overloaded(message.type) : undefined;
      case 'queryAbandoned':
      case 'queryLost':
      case 'queryAnswered':
      case 'updateAbandoned':
        // They end what is held in memory, and write nothing.
        return undefined;
      default:
        return load >= 1 && message.type !== 'timer' ? overloaded(message.type) : undefined;
    }
  }
}

const overloaded = (type: string): Status =>
  exhausted(
    'OVERLOADED',
    `This node has as much undurable work as it may hold; the ${type} was not applied: try again later.`,
  );

// The network between simulated replicas: it delays, drops, repeats and reorders, cuts in one direction, splits. Messages are values that
// nobody changes, so they travel as they are; their encoding has tests of its own.

import type { DirectoryId } from '../../../cluster/replication/core/ids.ts';
import type { Message } from '../../../cluster/replication/core/message.ts';
import type { Events } from './events.ts';

export interface Weather {
  dropChance: number;
  repeatChance: number;
  /** Now and then a message takes this long. */
  lateChance: number;
  lateMs: number;
  baseMs: number;
}

export const calm = (baseMs: number): Weather => ({ dropChance: 0, repeatChance: 0, lateChance: 0, lateMs: 0, baseMs });

export class SimNetwork {
  readonly #events: Events;
  readonly #deliver: (to: number, from: number, fromId: DirectoryId, toId: DirectoryId, message: Message) => void;
  weather: Weather = calm(1);
  /** from → to that nothing passes. */
  readonly #cut = new Set<number>();
  messages = 0;

  constructor(
    events: Events,
    deliver: (to: number, from: number, fromId: DirectoryId, toId: DirectoryId, message: Message) => void,
  ) {
    this.#events = events;
    this.#deliver = deliver;
  }

  send(from: number, to: number, fromId: DirectoryId, toId: DirectoryId, message: Message): void {
    const { random } = this.#events;
    const { dropChance, repeatChance } = this.weather;
    this.messages += 1;
    if (this.#cut.has(from * 64 + to) || random.chance(dropChance)) return;
    for (let copies = random.chance(repeatChance) ? 2 : 1; copies > 0; copies -= 1) {
      this.#events.after(this.#delayMs(), () => {
        if (!this.#cut.has(from * 64 + to)) this.#deliver(to, from, fromId, toId, message);
      });
    }
  }

  cut(from: number, to: number): void {
    this.#cut.add(from * 64 + to);
  }

  heal(): void {
    this.#cut.clear();
  }

  #delayMs(): number {
    const { random } = this.#events;
    const { baseMs, lateChance, lateMs } = this.weather;
    return random.between(baseMs / 2, baseMs * 2) + (random.chance(lateChance) ? random.between(0, lateMs) : 0);
  }
}

// Numbers that tie answers to questions. The first is random, so that an answer to a previous life of this node answers nothing.

import type { Random } from '../../../src/ports/clock.ts';

const U32 = 0x1_0000_0000;

export class Sequence {
  #last: number;

  constructor(random: Random) {
    this.#last = Math.floor(random.next() * U32);
  }

  next(): number {
    this.#last = (this.#last + 1) % U32;
    return this.#last;
  }
}

// The deterministic chance of one execution: the stream that `Math.random()` draws from, and named ones beside it.

import { SeldomMap } from '../common/seldom-map.ts';
import { type RandomSource, seededRandom } from './random.ts';

export class Chance {
  /** What `Math.random()` and `uuid4()` draw from. */
  random: RandomSource;
  #seed: string;
  #streams = new SeldomMap<string, RandomSource>();

  constructor(seed: string) {
    this.#seed = seed;
    this.random = seededRandom(seed);
  }

  /** The named stream, drawn from the seed and the name: what is drawn from it changes no other. */
  stream(name: string): RandomSource {
    const known = this.#streams.get(name) ?? seededRandom(`${this.#seed} ${name}`);
    this.#streams.set(name, known);
    return known;
  }

  /** All streams begin anew from another seed: the run was reset. */
  reseed(seed: string): void {
    this.#seed = seed;
    this.random = seededRandom(seed);
    this.#streams = new SeldomMap();
  }

  /** Draws from other streams until the returned function is called: what happens meanwhile leaves no trace here. */
  aside(seed: string): () => void {
    const [ownSeed, random, streams] = [this.#seed, this.random, this.#streams];
    this.reseed(seed);
    return () => {
      this.#seed = ownSeed;
      this.random = random;
      this.#streams = streams;
    };
  }
}

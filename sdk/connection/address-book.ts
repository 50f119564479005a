// Where a connection may find a server: the addresses it was given, and those its cluster told of. Asked for the next one to try at every
// attempt; goes round, so that no address is tried again before the others were. Bounded by the given list and the nodes of one map (I9).

export class AddressBook {
  readonly #given: readonly string[];
  readonly #random: () => number;
  #learned: string[] = [];
  #last: string | undefined;

  /** @param random In [0, 1): where to begin, so that many clients of one list spread over it. */
  constructor(given: readonly string[], random: () => number) {
    const first = Math.floor(random() * given.length);
    this.#given = [...given.slice(first), ...given.slice(0, first)];
    this.#random = random;
  }

  /** How many different addresses there are. */
  get size(): number {
    return this.#all().length;
  }

  /** Nodes that take connections now, in place of those learned before. They are tried before the given ones. */
  learn(urls: readonly string[]): void {
    const kept = this.#learned.filter((url) => urls.includes(url));
    for (const url of urls) {
      // In an order of each client's own: those that lose the same node must not all go to the same other one.
      if (!kept.includes(url)) kept.splice(Math.floor(this.#random() * (kept.length + 1)), 0, url);
    }
    this.#learned = kept;
  }

  /** The address to try now. */
  next(): string {
    const all = this.#all();
    const at = this.#last === undefined ? -1 : all.indexOf(this.#last);
    const url = all[(at + 1) % all.length] ?? '';
    this.#last = url;
    return url;
  }

  #all(): string[] {
    return [...new Set([...this.#learned, ...this.#given])];
  }
}

// Which directions of the test's network are cut. Proxies ask before they pass bytes on, and are told when something was mended.

/** `from` may not reach `to`; names of nodes, `redis` or `database`. */
export class Cuts {
  readonly #cut = new Set<string>();
  readonly #waiting = new Set<() => void>();

  isCut(from: string, to: string): boolean {
    return this.#cut.has(`${from} ${to}`);
  }

  oneWay(from: string, to: string): void {
    this.#cut.add(`${from} ${to}`);
  }

  bothWays(a: string, b: string): void {
    this.oneWay(a, b);
    this.oneWay(b, a);
  }

  mendAll(): void {
    this.#cut.clear();
    for (const mended of [...this.#waiting]) mended();
  }

  /** Returns what ends it. */
  onMended(mended: () => void): () => void {
    this.#waiting.add(mended);
    return () => void this.#waiting.delete(mended);
  }
}

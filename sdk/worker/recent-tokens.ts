// Tokens of tasks that were settled a moment ago. With one node a task that comes twice comes while it is held, because its second push precedes
// the answer to its answer. With several the two may overtake each other, and the task must not run again (I6 would only refuse its answer).

/** How long a token is remembered at least, ms, unless so many others follow. */
const REMEMBERED_MS = 10_000;
const MAX_TOKENS = 10_000;

export class RecentTokens {
  #young = new Set<string>();
  #old = new Set<string>();
  #turnedAt: number;

  constructor(nowMs: number) {
    this.#turnedAt = nowMs;
  }

  add(key: string, nowMs: number): void {
    if (this.#young.size >= MAX_TOKENS || nowMs - this.#turnedAt >= REMEMBERED_MS) {
      this.#old = this.#young;
      this.#young = new Set();
      this.#turnedAt = nowMs;
    }
    this.#young.add(key);
  }

  has(key: string): boolean {
    return this.#young.has(key) || this.#old.has(key);
  }
}

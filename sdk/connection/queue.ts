// Members in the order in which they came, each once, that can leave from the front and from anywhere.

export class Queue<T> {
  readonly #members = new Set<T>();
  /** Goes on where it stood: from the front again it would walk over all who have left, each time. */
  #front: Iterator<T> = this.#members.values();

  get size(): number {
    return this.#members.size;
  }

  has(member: T): boolean {
    return this.#members.has(member);
  }

  add(member: T): void {
    this.#members.add(member);
  }

  delete(member: T): void {
    this.#members.delete(member);
  }

  /** Takes out who has been here longest. */
  shift(): T | undefined {
    if (this.#members.size === 0) return undefined;
    let next = this.#front.next();
    if (next.done === true) {
      this.#front = this.#members.values();
      next = this.#front.next();
    }
    if (next.done === true) return undefined;
    this.#members.delete(next.value);
    return next.value;
  }
}

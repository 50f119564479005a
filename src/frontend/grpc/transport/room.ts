// What all streams that are open keep for themselves, whoever they are of: nobody has said yet who he is (I9). Used by transport.ts.

export class Room {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** False: there is not so much. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** What was taken. */
  give(bytes: number): void {
    this.#left += bytes;
  }
}

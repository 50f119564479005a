// What a client notes of each operation: two numbers, in arrays that go over IPC as they are.

export interface TakenSamples {
  /** Epoch ms from which its latency counts. */
  readonly beganAtMs: Float64Array;
  readonly endedAtMs: Float64Array;
}

const FIRST_CAPACITY = 1_024;

export class Samples {
  #began = new Float64Array(FIRST_CAPACITY);
  #ended = new Float64Array(FIRST_CAPACITY);
  #count = 0;

  add(beganAtMs: number, endedAtMs: number): void {
    if (this.#count === this.#began.length) {
      this.#began = grown(this.#began);
      this.#ended = grown(this.#ended);
    }
    this.#began[this.#count] = beganAtMs;
    this.#ended[this.#count] = endedAtMs;
    this.#count += 1;
  }

  /** All since it was called last. */
  take(): TakenSamples {
    const taken = { beganAtMs: this.#began.slice(0, this.#count), endedAtMs: this.#ended.slice(0, this.#count) };
    this.#count = 0;
    return taken;
  }
}

function grown(array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * array.length);
  larger.set(array);
  return larger;
}

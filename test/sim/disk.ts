// The disk of the simulated node: the real store's memory medium, with writes that take time, complete in order, fail, or are lost in a
// crash, and bits that flip. Every batch is shown to the truth at the instant it becomes durable.

import { MemoryDisk } from '../../src/store/memory/backend.ts';
import { SortedMap } from '../../src/store/memory/sorted-map.ts';
import type { Kernel, Process } from './kernel.ts';
import type { SeededRandom } from './random.ts';
import type { Truth } from './truth.ts';

/** Notes what a batch changes. */
export class NotingMap extends SortedMap<Uint8Array> {
  changes: [key: string, value: Uint8Array | undefined][] = [];

  override set(key: string, value: Uint8Array): void {
    this.changes.push([key, value]);
    super.set(key, value);
  }

  override delete(key: string): void {
    this.changes.push([key, undefined]);
    super.delete(key);
  }
}

export interface Damage {
  key: string;
  sound: Uint8Array;
  damaged: Uint8Array;
}

export class SimDisk {
  readonly medium = new MemoryDisk();
  readonly #kernel: Kernel;
  readonly #random: SeededRandom;
  readonly #truth: Truth;
  readonly #map = new NotingMap();
  #inFlight: { at: number; done: () => void }[] = [];
  #lastAt = 0;
  /** Whose writes these are. */
  process: Process | undefined;
  /** ms a write takes at least, and how much longer at most. */
  baseMs: number;
  spreadMs: number;
  /** The write after next fails. */
  failNext = false;
  damage: Damage | undefined;
  /** Called when a write begins: faults aim at the time it is under way. */
  onWrite: (() => void) | undefined;

  constructor(kernel: Kernel, random: SeededRandom, truth: Truth) {
    this.#kernel = kernel;
    this.#random = random;
    this.#truth = truth;
    this.baseMs = random.between(0.1, 2);
    this.spreadMs = random.between(0.1, 4);
    this.medium.durable = this.#map;
    this.medium.faults = {
      beforeWrite: () => {
        if (!this.failNext) return;
        this.failNext = false;
        throw new Error('simulated write error: no space left on device');
      },
      complete: (done) => this.#write(done),
    };
  }

  get writing(): boolean {
    return this.#inFlight.length > 0;
  }

  /** The process dies: of the writes under way the first few may have reached the medium, the others never will. */
  crash(): void {
    const reached = this.#random.int(0, this.#inFlight.length);
    for (const { done } of this.#inFlight.splice(0).slice(0, reached)) this.#land(done);
    this.#lastAt = 0;
  }

  /** A bit of some record turns. False when there is nothing to damage. */
  flip(): Damage | undefined {
    const keys = this.medium.keys();
    if (keys.length === 0) return undefined;
    const key = this.#random.pick(keys);
    const sound = this.medium.durable.get(key);
    if (sound === undefined || sound.length === 0) return undefined;
    if (!this.medium.flipBit(key, this.#random.int(0, sound.length * 8 - 1))) return undefined;
    this.#map.changes = [];
    const damaged = this.medium.durable.get(key);
    if (damaged === undefined) return undefined;
    this.damage = { key, sound, damaged };
    return this.damage;
  }

  /** Whether the damaged record is still there. */
  get damaged(): boolean {
    return this.damage !== undefined && this.medium.durable.get(this.damage.key) === this.damage.damaged;
  }

  /** Brings the record back from a backup, if it is still the damaged one. */
  mend(): void {
    if (this.damage !== undefined && this.damaged) this.medium.durable.set(this.damage.key, this.damage.sound);
    this.#map.changes = [];
    this.damage = undefined;
  }

  /** A copy, to be read by itself. */
  copy(): MemoryDisk {
    const copy = new MemoryDisk();
    for (const key of this.medium.keys()) {
      const value = this.medium.durable.get(key);
      if (value !== undefined) copy.durable.set(key, value);
    }
    return copy;
  }

  #write(done: () => void): void {
    const { process } = this;
    if (process === undefined || !process.alive) return;
    const ms = this.baseMs + this.#random.next() * this.spreadMs;
    this.#lastAt = Math.max(this.#lastAt, this.#kernel.now + ms);
    const write = { at: this.#lastAt, done };
    this.#inFlight.push(write);
    this.#kernel.at(write.at, process, 'write is durable', () => {
      this.#inFlight = this.#inFlight.filter((other) => other !== write);
      this.#land(done);
    });
    this.onWrite?.();
  }

  #land(done: () => void): void {
    this.#map.changes = [];
    done();
    const { changes } = this.#map;
    this.#map.changes = [];
    for (const [key, value] of changes) {
      this.#kernel.fingerprint(Buffer.from(key, 'latin1'));
      if (value !== undefined) this.#kernel.fingerprint(value);
    }
    try {
      this.#truth.written(changes);
    } catch (error) {
      this.#kernel.fail(error);
    }
  }
}

// The disk of one data directory in a cluster: writes take time, complete in order, fail, find no room, or are lost in a crash but for the first few;
// reads fail; bits flip. What becomes durable is shown to whoever watches, at that instant.

import { StoreError } from '../../../src/ports/store.ts';
import { ROW, STAGED } from '../../../src/store/framing.ts';
import { prefixEnd } from '../../../src/store/keys.ts';
import { MemoryDisk } from '../../../src/store/memory/backend.ts';
import { NotingMap } from '../disk.ts';
import type { OnDisk } from '../flush-watch.ts';
import type { Kernel } from '../kernel.ts';
import type { SeededRandom } from '../random.ts';
import type { NodeProcess } from './node-process.ts';

export type Written = readonly (readonly [key: string, value: Uint8Array | undefined])[];

/** What an error of the disk says. */
export const DISK_ERROR = 'simulated disk error';

export class DirectoryDisk {
  readonly medium = new MemoryDisk();
  readonly #kernel: Kernel;
  readonly #random: SeededRandom;
  readonly #onLanded: (written: Written, onDisk: OnDisk) => void;
  readonly #map = new NotingMap();
  #underWay: { done: () => void }[] = [];
  #lastAt = 0;
  /** Whose writes these are. */
  process: NodeProcess | undefined;
  /** ms a write takes at least, and how much longer at most. */
  baseMs: number;
  readonly spreadMs: number;
  /** The next write fails. */
  failNext = false;
  /** After so many others a record cannot be read; undefined: all can. */
  failReadAfter: number | undefined;
  /** No write finds room. */
  full = false;
  /** It has hung some time: whose disk it is may have given it up. */
  hasHung = false;
  /** Writes that wait for it to go on; undefined: it does. */
  #hung: { done: () => void; process: NodeProcess }[] | undefined;

  constructor(kernel: Kernel, random: SeededRandom, onLanded: (written: Written, onDisk: OnDisk) => void) {
    this.#kernel = kernel;
    this.#random = random;
    this.#onLanded = onLanded;
    this.baseMs = random.between(0.1, 1.5);
    this.spreadMs = random.between(0.1, 3);
    this.medium.durable = this.#map;
    this.medium.faults = {
      beforeWrite: () => {
        if (!this.failNext && !this.full) return;
        this.failNext = false;
        throw new Error(`${DISK_ERROR}: ${this.full ? 'no space left on device' : 'it was not written'}`);
      },
      onRead: (key, value) => {
        if (this.failReadAfter === undefined) return value;
        this.failReadAfter -= 1;
        if (this.failReadAfter >= 0) return value;
        this.failReadAfter = undefined;
        // As LevelDB's adapter says it.
        throw new StoreError('failed', `${DISK_ERROR}: ${JSON.stringify(key)} was not read`);
      },
      complete: (done) => this.#write(done),
    };
  }

  /** The process dies: of the writes under way the first few have reached the medium. */
  crash(): void {
    const reached = this.#random.int(0, this.#underWay.length);
    for (const { done } of this.#underWay.splice(0).slice(0, reached)) this.#land(done);
    this.process = undefined;
  }

  /** From now on nothing is finished, and nothing fails. Returns how it goes on. */
  hang(): () => void {
    if (this.#hung !== undefined) return () => undefined;
    this.#hung = [];
    this.hasHung = true;
    return () => {
      const waiting = this.#hung ?? [];
      this.#hung = undefined;
      for (const { done, process } of waiting) if (process === this.process) this.#write(done);
    };
  }

  /** Flips a bit somewhere; undefined when there is nothing. Returns how to put it right. */
  flip(): { key: string; isThere: () => boolean; mend: () => void } | undefined {
    // What is staged of a snapshot was never anybody's word.
    const keys = this.medium.keys().filter((key) => !key.startsWith(STAGED));
    if (keys.length === 0) return undefined;
    const key = this.#random.pick(keys);
    const sound = this.medium.durable.get(key);
    if (sound === undefined || sound.length === 0) return undefined;
    this.medium.flipBit(key, this.#random.int(0, sound.length * 8 - 1));
    const damaged = this.medium.durable.get(key);
    this.#map.changes = [];
    return {
      key,
      isThere: () => this.medium.durable.get(key) === damaged,
      mend: () => {
        if (this.medium.durable.get(key) === damaged) this.medium.durable.set(key, sound);
        this.#map.changes = [];
      },
    };
  }

  /** Changes the medium behind everybody's back: for bugs that are planted there. */
  rewrite(
    change: (map: { get(key: string): Uint8Array | undefined; set(key: string, value: Uint8Array): void }) => void,
  ): void {
    change(this.#map);
    this.#map.changes = [];
  }

  /** From now on it holds this and nothing else. */
  takeOver(copy: MemoryDisk): void {
    for (const key of copy.keys()) this.#map.set(key, copy.durable.get(key) ?? new Uint8Array());
    this.#map.changes = [];
  }

  copy(): MemoryDisk {
    const copy = new MemoryDisk();
    copy.durable = this.medium.durable.clone();
    return copy;
  }

  #write(done: () => void): void {
    const { process } = this;
    if (process === undefined || !process.alive) return;
    if (this.#hung !== undefined) {
      this.#hung.push({ done, process });
      return;
    }
    this.#lastAt = Math.max(this.#lastAt, this.#kernel.now + this.baseMs + this.#random.next() * this.spreadMs);
    const write = { done };
    this.#underWay.push(write);
    this.#kernel.at(this.#lastAt, process, 'write is durable', () =>
      process.act(() => {
        this.#underWay = this.#underWay.filter((other) => other !== write);
        this.#land(done);
      }),
    );
  }

  #land(done: () => void): void {
    this.#map.changes = [];
    done();
    const { changes } = this.#map;
    this.#map.changes = [];
    try {
      this.#onLanded(changes, () => this.#map.range(ROW, prefixEnd(ROW), Number.POSITIVE_INFINITY, false));
    } catch (error) {
      this.#kernel.fail(error);
    }
  }
}

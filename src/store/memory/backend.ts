// A disk in memory that can be as bad as a real one: writes that fail or come late, bits that flip, and a crash that loses what was not synced.
// Tests and the simulator use it under the real store; `start-dev` without --data-dir does too, with no faults.
import { StoreError } from '../../ports/store.ts';
import type { Backend, BackendView, Range, Write } from '../backend.ts';
import { SortedMap } from './sorted-map.ts';

/** What may go wrong, decided by the test. All optional: the default disk is perfect and instant. */
export interface DiskFaults {
  /** Called before write number n (1-based); throwing fails the write, and nothing of it is kept. */
  beforeWrite?(n: number): void;
  /** When a write is done: call `done` at once, later, or never. Default: at once. */
  complete?(done: () => void): void;
  /** Bytes as they are read. Default: as they were written. */
  onRead?(key: string, value: Uint8Array): Uint8Array;
}

/** The medium: outlives the process that writes to it. */
export class MemoryDisk {
  /** What survives a crash. */
  durable = new SortedMap<Uint8Array>();
  writes = 0;
  faults: DiskFaults = {};

  /** Flips one bit of a stored record. False when there is no such record or bit. */
  flipBit(key: string, bit: number): boolean {
    const value = this.durable.get(key);
    if (!value || bit >= value.length * 8) return false;
    const damaged = Uint8Array.from(value);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    this.durable.set(key, damaged);
    return true;
  }

  keys(): string[] {
    return this.durable.range('', '\u{10ffff}', Number.POSITIVE_INFINITY, false).map(([key]) => key);
  }
}

const FREE_BYTES = 2 ** 40;

export class MemoryBackend implements Backend {
  readonly name: string;
  readonly #disk: MemoryDisk;
  #open = false;

  constructor(disk: MemoryDisk, name = 'memory') {
    this.#disk = disk;
    this.name = name;
  }

  async open(): Promise<void> {
    this.#open = true;
  }

  /** What has not completed when the process crashes is lost: it becomes durable only as it completes. */
  write(writes: readonly Write[], _durability: 'sync' | 'lazy'): Promise<void> {
    const disk = this.#disk;
    if (!this.#open) return Promise.reject(this.#closed());
    return new Promise((resolve, reject) => {
      disk.writes += 1;
      try {
        disk.faults.beforeWrite?.(disk.writes);
      } catch (error) {
        reject(error);
        return;
      }
      const done = () => {
        if (!this.#open) return;
        for (const [key, value] of writes) {
          if (value === undefined) disk.durable.delete(key);
          else disk.durable.set(key, value);
        }
        resolve();
      };
      if (disk.faults.complete) disk.faults.complete(done);
      else done();
    });
  }

  /** The process is gone: writes under way are lost, and nothing of this handle happens any more. */
  crash(): void {
    this.#open = false;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    if (!this.#open) throw this.#closed();
    const value = this.#disk.durable.get(key);
    return value === undefined ? undefined : this.#asRead(key, value);
  }

  async getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return Promise.all(keys.map((key) => this.get(key)));
  }

  async range({ from, to, limit, reverse }: Range): Promise<[string, Uint8Array][]> {
    if (!this.#open) throw this.#closed();
    return this.#disk.durable.range(from, to, limit, reverse).map(([key, value]) => [key, this.#asRead(key, value)]);
  }

  view(): BackendView {
    if (!this.#open) throw this.#closed();
    const copy = this.#disk.durable.clone();
    const asRead = (key: string, value: Uint8Array) => this.#asRead(key, value);
    return {
      async get(key) {
        const value = copy.get(key);
        return value === undefined ? undefined : asRead(key, value);
      },
      range: async ({ from, to, limit, reverse }) =>
        copy.range(from, to, limit, reverse).map(([key, value]) => [key, asRead(key, value)]),
      close: async () => undefined,
    };
  }

  locate(_key: string): string {
    return this.name;
  }

  async *snapshot(): AsyncIterable<[string, Uint8Array]> {
    if (!this.#open) throw this.#closed();
    const copy = this.#disk.durable.clone();
    for (const [key, value] of copy.range('', '\u{10ffff}', Number.POSITIVE_INFINITY, false))
      yield [key, this.#asRead(key, value)];
  }

  async diskBytes(): Promise<number> {
    return 0;
  }

  async freeBytes(): Promise<number> {
    return FREE_BYTES;
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  #closed(): StoreError {
    return new StoreError('closed', `the store in ${this.name} is closed`);
  }

  #asRead(key: string, value: Uint8Array): Uint8Array {
    return this.#disk.faults.onRead?.(key, value) ?? value;
  }
}

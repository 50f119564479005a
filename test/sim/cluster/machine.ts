// A machine of the cluster: its address, its clock, its data directory, and the process that runs on it for now. Survives its processes; the
// directory may be emptied, and is then another one.

import type { NodeState, StateStore } from '../../../cluster/node/state.ts';
import type { MemoryDisk } from '../../../src/store/memory/backend.ts';
import type { OnDisk } from '../flush-watch.ts';
import type { Kernel } from '../kernel.ts';
import { SeededRandom } from '../random.ts';
import { DirectoryDisk, type Written } from './disk.ts';
import type { ClusterProcess } from './node.ts';
import type { MachineClock, NodeProcess } from './node-process.ts';

/** ms the small state file takes to be written. */
const STATE_MS = 2;

export interface MachineWorld {
  kernel: Kernel;
  seed: number;
  landed(directory: string, written: Written, onDisk: OnDisk): void;
}

export interface DirectoryCopy {
  readonly directoryId: string;
  readonly disk: MemoryDisk;
  readonly state: NodeState | undefined;
}

export class Machine {
  readonly index: number;
  readonly name: string;
  readonly host: string;
  readonly zone: string;
  readonly clock: MachineClock;
  readonly #world: MachineWorld;
  #directories = 0;
  disk: DirectoryDisk;
  directoryId: string;
  #state: NodeState | undefined;
  node: ClusterProcess | undefined;
  /** It is to be up; false: left for good, or not yet there. */
  wanted: boolean;
  starts = 0;

  constructor(world: MachineWorld, index: number, options: { clock: MachineClock; zone: string; wanted: boolean }) {
    this.#world = world;
    this.index = index;
    this.name = `n${index}`;
    this.host = `127.0.1.${index + 1}`;
    this.clock = options.clock;
    this.zone = options.zone;
    this.wanted = options.wanted;
    this.directoryId = '';
    this.disk = this.#newDisk();
  }

  get isUp(): boolean {
    return this.node !== undefined && this.node.state !== 'dead';
  }

  /** A new, empty directory. With the `same id` it claims to be the one before: a bug to be found. */
  empty(id: 'new id' | 'same id'): void {
    const before = this.directoryId;
    this.disk = this.#newDisk();
    if (id === 'same id') this.directoryId = before;
    this.#state = undefined;
  }

  /** As a snapshot of its volume would hold it. */
  copy(): DirectoryCopy {
    return { directoryId: this.directoryId, disk: this.disk.copy(), state: this.#state };
  }

  /** The volume is set back. */
  putBack({ directoryId, disk, state }: DirectoryCopy): void {
    const { kernel, seed, landed } = this.#world;
    const random = new SeededRandom(`disk ${seed} ${directoryId} put back`);
    this.directoryId = directoryId;
    this.disk = new DirectoryDisk(kernel, random, (written, onDisk) => landed(directoryId, written, onDisk));
    this.disk.takeOver(disk);
    this.#state = state;
  }

  /** The state file as this process sees it. */
  statesFor(process: NodeProcess): StateStore {
    return {
      read: async () => this.#state,
      write: (state) =>
        new Promise((resolve) => {
          process.after(STATE_MS, () => {
            this.#state = state;
            resolve();
          });
        }),
    };
  }

  get knownState(): NodeState | undefined {
    return this.#state;
  }

  #newDisk(): DirectoryDisk {
    this.#directories += 1;
    this.directoryId = `d${this.index}.${this.#directories}`;
    const { kernel, seed, landed } = this.#world;
    const random = new SeededRandom(`disk ${seed} ${this.directoryId}`);
    return new DirectoryDisk(kernel, random, (written, onDisk) => landed(this.directoryId, written, onDisk));
  }
}

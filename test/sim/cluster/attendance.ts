// Which directories' nodes were running, and when last: no leader may cut a shard's voters down to those of whom no majority has been there, since
// such a change is in force at once and could not be taken back. Called by world.ts; the change is seen in simulate.ts.

import type { Kernel } from '../kernel.ts';
import { Violation } from '../kernel.ts';
import type { Machine } from './machine.ts';

/** ms between two looks. */
const LOOK_MS = 200;
/** Heartbeats within which a voter must have answered what was said (cluster/replication/core/leadership.ts), and clocks that run apart. */
const BEATS = 2 * 1.05;

export class Attendance {
  readonly #kernel: Kernel;
  readonly #machines: readonly Machine[];
  readonly #patienceMs: number;
  readonly #thereAtMs = new Map<string, number>();

  constructor(kernel: Kernel, machines: readonly Machine[], heartbeatMs: number) {
    this.#kernel = kernel;
    this.#machines = machines;
    this.#patienceMs = BEATS * heartbeatMs + LOOK_MS;
  }

  begin(): void {
    this.#look();
    this.#kernel.after(LOOK_MS, 'looks who is there', () => this.begin());
  }

  /** These are a shard's voters from now on, as `by` has it. */
  changed(by: string, voters: readonly string[]): void {
    this.#look();
    const sinceMs = this.#kernel.now - this.#patienceMs;
    const there = voters.filter((id) => id === by || (this.#thereAtMs.get(id) ?? 0) >= sinceMs);
    if (there.length > voters.length / 2) return;
    const whom = there.join(', ');
    this.#kernel.fail(
      new Violation('members', `${by} makes ${voters.join(', ')} the voters, of whom only ${whom} were there lately`),
    );
  }
  #look(): void {
    for (const { directoryId, node } of this.#machines) {
      if (node !== undefined && node.state !== 'dead' && !node.process.isPaused)
        this.#thereAtMs.set(directoryId, this.#kernel.now);
    }
  }
}

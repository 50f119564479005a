// A node's process in a cluster: a process whose clocks run a little fast or slow, whose wall clock jumps, and which may be stopped for a
// while like by SIGSTOP. What happens to it meanwhile waits in its sockets and timers, and happens when it goes on.

import type { Cancelable } from '../../../src/ports/clock.ts';
import { EPOCH, type Kernel, Process } from '../kernel.ts';

/** Of the machine: survives its processes. */
export interface MachineClock {
  /** Monotonic ms per ms of the world. Replicas rely on clocks that drift by less than `clockDrift`. */
  rate: number;
  /** Wall ms per ms of the world: it drifts until somebody sets it. */
  readonly wallRate: number;
  /** ms the wall clock is off beside that. */
  ms: number;
}

export class NodeProcess extends Process {
  readonly #clock: MachineClock;
  #held: (() => void)[] | undefined;
  #soon: (() => void)[] = [];
  #ticking = false;

  constructor(kernel: Kernel, name: string, clock: MachineClock) {
    super(kernel, name, clock);
    this.#clock = clock;
  }

  get isPaused(): boolean {
    return this.#held !== undefined;
  }

  override now(): number {
    return Math.floor(EPOCH + this.kernel.now * this.#clock.wallRate + this.#clock.ms);
  }

  override monotonic(): number {
    return this.kernel.now * this.#clock.rate;
  }

  override after(delayMs: number, fn: () => void, label = 'timer'): Cancelable {
    let cancelled = false;
    const run = (): void => {
      if (!cancelled) fn();
    };
    const event = super.after(delayMs / this.#clock.rate, () => this.act(run), label);
    return {
      cancel: () => {
        cancelled = true;
        event.cancel();
      },
    };
  }

  override soon(fn: () => void): void {
    if (!this.alive) return;
    this.#soon.push(fn);
    if (this.#ticking) return;
    this.#ticking = true;
    this.#tick();
  }

  /** Now, or when the process goes on, or never. */
  act(fn: () => void): void {
    const { kernel } = this;
    if (!this.alive) return;
    if (this.#held !== undefined) this.#held.push(fn);
    // Another one acts in this event: what its promises go on with, as its timers, would count as this one's and die with it.
    else if (kernel.current !== undefined && kernel.current !== this) kernel.follow(this, () => this.act(fn));
    else {
      // To the end of the event: what promises go on with is this process too.
      kernel.current = this;
      fn();
    }
  }

  pause(): void {
    this.#held ??= [];
  }

  /** Everything that has waited happens, one after the other, as it came: a stream keeps its order, and its end comes last. */
  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const fn of held) this.kernel.follow(this, () => this.act(fn));
  }

  override kill(): void {
    this.#held = undefined;
    this.#soon = [];
    super.kill();
  }

  #tick(): void {
    this.kernel.at(this.kernel.now + this.random.next() * 0.02, this, 'soon', () =>
      this.act(() => {
        const fn = this.#soon.shift();
        if (this.#soon.length > 0) this.#tick();
        else this.#ticking = false;
        fn?.();
      }),
    );
  }
}

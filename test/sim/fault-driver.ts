// Carries out the faults of a plan, each at its time, on whatever is there by then; and undoes them all when the world is healed.

import type { MemoryDisk } from '../../src/store/memory/backend.ts';
import { readEverything } from './end-checks.ts';
import type { Kernel, Process } from './kernel.ts';
import type { Fault } from './plan.ts';
import type { Simulation } from './simulate.ts';
import type { Connected } from './way.ts';

/** ms a crash that aims at a write waits for one at most. */
const AIM_MS = 1_000;

export class FaultDriver {
  readonly #simulation: Simulation;
  readonly #kernel: Kernel;
  #undo: (() => void)[] = [];
  #calm = false;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
    this.#kernel = simulation.kernel;
  }

  schedule(fault: Fault): void {
    this.#kernel.at(fault.at, undefined, `fault: ${JSON.stringify(fault)}`, () => {
      if (!this.#calm) this.#commit(fault);
    });
  }

  heal(): void {
    this.#calm = true;
    for (const undo of this.#undo.splice(0)) undo();
  }

  /** Undone after `ms`, or when the world is healed before. */
  #for(ms: number, undo: () => void): void {
    let passed = false;
    const once = (): void => {
      if (!passed) undo();
      passed = true;
    };
    this.#undo.push(once);
    this.#kernel.after(ms, 'a fault passes', once);
  }

  #commit(fault: Fault): void {
    const simulation = this.#simulation;
    const { kernel, disk, network, node } = simulation;
    switch (fault.fault) {
      case 'node crash':
        this.#crash(fault);
        return;
      case 'node stop': {
        if (node?.state !== 'serving') return;
        kernel.at(kernel.now, node.process, 'is asked to stop', () => {
          void node.stop().then(() => simulation.startNodeAfter(fault.downMs));
        });
        return;
      }
      case 'write error':
        disk.failNext = true;
        this.#undo.push(() => {
          disk.failNext = false;
        });
        return;
      case 'bit flip':
        this.#flip(fault.forMs);
        return;
      case 'slow disk': {
        disk.baseMs += fault.ms;
        this.#for(fault.forMs, () => {
          disk.baseMs -= fault.ms;
        });
        return;
      }
      case 'connection drop':
        this.#link(fault.who)?.drop({ client: network.latency(), server: network.latency() });
        return;
      case 'half-open': {
        const link = this.#link(fault.who);
        if (link !== undefined) link.mute = true;
        return;
      }
      case 'delay': {
        const link = this.#link(fault.who);
        if (link === undefined) return;
        link.extraMs += fault.ms;
        this.#for(fault.forMs, () => {
          link.extraMs -= fault.ms;
        });
        return;
      }
      case 'duplicate connection':
        // The worker sees its connection end and comes back, the server goes on believing in the old one.
        this.#link('worker')?.drop({ client: 0, server: 5_000 });
        return;
      case 'worker crash':
        this.#kill(simulation.workerProcesses, fault.how, fault.downMs);
        return;
      case 'client crash':
        this.#kill(simulation.clientProcesses, 'told', fault.downMs);
        return;
      case 'clock step':
        simulation.skew.ms += fault.ms;
        return;
      case 'passivation':
        node?.engine.passivateAll();
        return;
    }
  }

  #crash(fault: Extract<Fault, { fault: 'node crash' }>): void {
    const simulation = this.#simulation;
    const { kernel, disk, node, truth } = simulation;
    const crash = (): void => {
      if (this.#calm || node === undefined || node.state === 'dead' || simulation.node !== node) return;
      node.crash(fault.how);
      simulation.startNodeAfter(fault.downMs);
    };
    if (fault.aim === 'any') {
      crash();
      return;
    }
    // While a write is under way, or right after one: what left ahead of it is lost, what it carried is not yet acknowledged.
    let armed = true;
    disk.onWrite = () => {
      if (!armed || (fault.aim === 'relaying' && truth.undelivered.size === 0)) return;
      armed = false;
      disk.onWrite = undefined;
      const { baseMs, spreadMs } = disk;
      const [least, most] =
        fault.aim === 'writing'
          ? [0, baseMs]
          : fault.aim === 'written'
            ? [baseMs, spreadMs]
            : [0, 2 * (baseMs + spreadMs)];
      const delay = least + kernel.random.next() * most;
      kernel.after(delay, `crash, ${fault.aim}`, crash);
    };
    kernel.after(AIM_MS, 'crash, at last', () => {
      if (!armed) return;
      armed = false;
      disk.onWrite = undefined;
      crash();
    });
  }

  #flip(forMs: number): void {
    const { disk, answers, kernel, plan, node } = this.#simulation;
    if (disk.damage !== undefined) return;
    const damage = disk.flip();
    if (damage === undefined) return;
    kernel.note(`a bit of record ${JSON.stringify(damage.key)} flips`);
    kernel.after(0, 'scrubber', () => {
      void reportsDamage(disk.copy(), plan.shardCount).then((reported) => {
        if (reported) answers.recovered('damage found by reading');
        else if (disk.damaged)
          kernel.fail(new Error(`the flipped bit of ${JSON.stringify(damage.key)} was not noticed`));
      });
    });
    this.#for(forMs, () => {
      if (disk.damage !== damage) return;
      // The operator brings the record back from a backup, and the node up again.
      const live = this.#simulation.node;
      if (disk.damaged && live !== undefined && live === node && live.state !== 'dead') {
        live.crash('told');
        disk.mend();
        this.#simulation.startNode();
      } else disk.mend();
    });
  }

  #kill(processes: readonly Process[], how: 'told' | 'silently', downMs: number): void {
    const simulation = this.#simulation;
    const { kernel, network } = simulation;
    const alive = processes.filter((process) => process.alive);
    if (alive.length === 0) return;
    const process = kernel.random.pick(alive);
    kernel.note(`${process.name} is killed`);
    process.kill();
    network.lost(process, how);
    const [kind, index] = process.name.split(/[-.]/);
    kernel.after(downMs, `operator starts ${kind} ${index}`, () => {
      if (kind === 'worker') simulation.startWorker(Number(index));
      else simulation.startClient(Number(index));
    });
  }

  #link(who: 'worker' | 'client'): Connected | undefined {
    const links = this.#simulation.network.links().filter(({ client }) => client.name.startsWith(who));
    return links.length === 0 ? undefined : this.#kernel.random.pick(links);
  }
}

async function reportsDamage(disk: MemoryDisk, shardCount: number): Promise<boolean> {
  try {
    await readEverything(disk, shardCount);
    return false;
  } catch {
    return true;
  }
}

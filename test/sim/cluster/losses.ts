// What is lost of a cluster's directories, within the fault budget: bits flip and directories vanish at a minority of a shard's replicas at a time, and
// the next such loss waits until what was lost is no member of anything any more. Called by faults.ts.

import { unframe } from '../../../src/store/framing.ts';
import type { MemoryDisk } from '../../../src/store/memory/backend.ts';
import { openMemoryStore } from '../../../src/store/memory/store.ts';
import { Violation } from '../kernel.ts';
import type { SeededRandom } from '../random.ts';
import type { Machine } from './machine.ts';
import { COUNT_MS } from './node.ts';
import type { ClusterWorld } from './world.ts';

/** ms between two words of the operator on the same matter. */
export const OPERATOR_MS = 1_500;

export class Losses {
  readonly #world: ClusterWorld;
  readonly #random: SeededRandom;
  readonly #isCalm: () => boolean;
  /** Directories that are gone for good. */
  readonly #lost = new Set<string>();
  /** Of which an older copy was put back. */
  readonly #outdated = new Set<string>();

  constructor(world: ClusterWorld, random: SeededRandom, isCalm: () => boolean) {
    this.#world = world;
    this.#random = random;
    this.#isCalm = isCalm;
  }

  /** It is one of at least three everywhere, and everything lost before is made up for. */
  mayLose(machine: Machine): boolean {
    const { watch } = this.#world;
    if (this.#world.damaged.size > 0) return false;
    for (const directory of this.#lost) if (watch.isMember(directory)) return false;
    return watch.mayLose(machine.directoryId);
  }

  /** The machine's directory is no more; it comes back with an empty one. */
  empty(machine: Machine): void {
    this.lose(machine, this.#world.plant.keepsIdWhenEmptied === true ? 'same id' : 'new id');
    this.#world.startSoon(machine, this.#random.between(200, 4_000));
  }

  lose(machine: Machine, id: 'new id' | 'same id' = 'new id'): void {
    const before = machine.directoryId;
    machine.empty(id);
    if (machine.directoryId === before) {
      this.#world.watch.forgotten(before);
      return;
    }
    this.#lost.add(before);
    this.#retire(before);
  }

  /** Its directory is copied now, and put back in a while: the others know better by then. */
  setBack(machine: Machine): string | undefined {
    const { kernel, plan } = this.#world;
    if (plan.replicas < 3 || machine.node?.state !== 'serving' || !this.mayLose(machine)) return undefined;
    const copy = machine.copy();
    kernel.after(this.#random.between(3 * COUNT_MS, 8 * COUNT_MS), 'a volume is set back', () => {
      const { directoryId } = machine;
      if (this.#isCalm() || directoryId !== copy.directoryId || !machine.isUp || !this.mayLose(machine)) return;
      // Who has had no link with it since takes it for what it was: nothing can be done about that.
      const since = (copy.state?.age ?? 0) + 1;
      const others = this.#world.machines.filter((one) => one !== machine && one.knownState !== undefined);
      const know = others.every(({ knownState }) =>
        knownState?.ages?.some((known) => known.directoryId === directoryId && known.age >= since),
      );
      if (!know) return;
      kernel.note(`the volume of ${machine.name} (${directoryId}) is set back`);
      this.#world.reached('a volume was set back');
      machine.node?.crash('silently');
      machine.putBack(copy);
      this.#world.watch.setBack(directoryId);
      this.#lost.add(directoryId);
      this.#outdated.add(directoryId);
      this.#world.startSoon(machine, this.#random.between(200, 4_000));
    });
    return machine.name;
  }

  /** Its node says that its directory is older than it was. False: it has no reason to. */
  giveUp(machine: Machine): boolean {
    if (!this.#outdated.has(machine.directoryId)) return false;
    machine.node?.crash('told');
    this.empty(machine);
    return true;
  }

  flip(machine: Machine): string | undefined {
    const world = this.#world;
    const { kernel, plan } = world;
    const { directoryId, disk } = machine;
    const recoverable = plan.replicas >= 3 && plan.machines >= 3;
    if (!machine.isUp || (recoverable ? !this.mayLose(machine) : world.damaged.size > 0)) return undefined;
    const flip = disk.flip();
    if (flip === undefined) return undefined;
    let repaired = false;
    const repair = (): void => {
      if (repaired) return;
      repaired = true;
      world.damaged.delete(directoryId);
      if (machine.directoryId !== directoryId) return;
      machine.node?.crash('told');
      if (recoverable) this.empty(machine);
      else {
        flip.mend();
        world.startSoon(machine, 500);
      }
    };
    world.damaged.set(directoryId, repair);
    // The scrubber comes by: what is damaged it finds, whatever it is.
    kernel.after(this.#random.between(500, 4_000), 'scrubber', () => {
      if (repaired) return;
      const stillThere = flip.isThere();
      isDamaged(disk.copy(), directoryId, plan.shardCount).then(
        (found) => {
          kernel.note(`the flipped bit at ${directoryId} is ${found ? 'found' : stillThere ? 'not found' : 'gone'}`);
          if (found) repair();
          else if (stillThere)
            kernel.fail(new Violation('integrity', `the flipped bit of ${JSON.stringify(flip.key)} was not noticed`));
          else {
            repaired = true;
            world.damaged.delete(directoryId);
          }
        },
        (error: unknown) => kernel.fail(error),
      );
    });
    return `${machine.name}, ${JSON.stringify(flip.key)}`;
  }

  /** The operator says that a directory will not come back, until the plan says so too. */
  #retire(directory: string): void {
    const { kernel, up } = this.#world;
    const { node } = up.length === 0 ? { node: undefined } : this.#random.pick(up);
    let known = true;
    node?.process.act(() => {
      const { control } = node.cluster ?? {};
      known =
        control?.status().members.some(({ directoryId, planned }) => directoryId === directory && planned) ?? true;
      if (known) control?.replace(directory, () => undefined);
    });
    if (known || !this.#isCalm()) kernel.after(OPERATOR_MS, 'operator', () => this.#retire(directory));
  }
}
/** Whether any record on this medium is not what it was written as, or they do not fit together. */
async function isDamaged(disk: MemoryDisk, directoryId: string, shardCount: number): Promise<boolean> {
  const store = openMemoryStore({ disk, directoryId, shardCount });
  try {
    for (const key of disk.keys()) unframe(key, disk.durable.get(key) ?? new Uint8Array(), 'the simulated disk');
    await store.open();
    return false;
  } catch {
    return true;
  }
}

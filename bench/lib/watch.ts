// CPU, memory, writes, garbage collection and delays of all processes of a load, by role, over the measured time. Processes may come and go meanwhile.

import type { InsideFigures, Role, SystemProcess } from './model.ts';
import { type Usage, usageOf } from './proc.ts';
import type { Point, RoleFigures } from './report.ts';

type RolePoint = Point['roles'][number];

interface Watched {
  readonly role: Role;
  first: Usage;
  last: Usage;
  peakRssAnonMiB: number;
  inside: InsideFigures;
}

interface RolePids {
  readonly role: Role;
  readonly pids: readonly number[];
}

interface Ended {
  readonly operations: number;
  readonly seconds: number;
  readonly inside: ReadonlyMap<number, InsideFigures>;
}

const NOTHING: Usage = { cpuS: 0, rssMiB: 0, rssAnonMiB: 0, writtenBytes: 0 };
const ROLES: readonly Role[] = ['node', 'worker', 'client', 'store'];

export class Watch {
  readonly #processes: () => readonly SystemProcess[];
  readonly #watched = new Map<number, Watched>();
  #beganAtMs = 0;
  #tickedAtMs = 0;

  /** @param processes those of now */
  constructor(processes: () => readonly SystemProcess[]) {
    this.#processes = processes;
  }

  /** Asked at the beginning of the measured time. */
  async begin(): Promise<void> {
    const inside = await insideOfAll(this.#processes());
    this.#watched.clear();
    for (const { role, pid } of this.#processes()) {
      const usage = usageOf(pid);
      if (usage === undefined) continue;
      const peakRssAnonMiB = usage.rssAnonMiB;
      this.#watched.set(pid, { role, first: usage, last: usage, peakRssAnonMiB, inside: inside.get(pid) ?? {} });
    }
    this.#beganAtMs = performance.now();
    this.#tickedAtMs = this.#beganAtMs;
  }

  /** Every second. */
  tick(): RolePoint[] {
    const nowMs = performance.now();
    const seconds = (nowMs - this.#tickedAtMs) / 1000;
    this.#tickedAtMs = nowMs;
    const before = new Map([...this.#watched].map(([pid, { last }]) => [pid, last.cpuS]));
    this.#look();
    return this.#roles().map(({ role, pids }) => {
      const all = pids.map((pid) => ({ pid, watched: this.#watched.get(pid) }));
      const cpuS = sum(all, ({ pid, watched }) => (watched?.last.cpuS ?? 0) - (before.get(pid) ?? 0));
      return {
        role,
        cores: cpuS / seconds,
        rssAnonMiB: sum(all, ({ pid, watched }) => (usageOf(pid) === undefined ? 0 : (watched?.last.rssAnonMiB ?? 0))),
      };
    });
  }

  /** At the end of the measured time. Returns the figures, once it is known how many operations ended since `begin`. */
  async end(): Promise<(operations: number) => RoleFigures[]> {
    this.#look();
    const seconds = (performance.now() - this.#beganAtMs) / 1000;
    const inside = await insideOfAll(this.#processes());
    return (operations) => this.#roles().map((each) => this.#figuresOf(each, { operations, seconds, inside }));
  }

  #figuresOf({ role, pids }: RolePids, { operations, seconds, inside }: Ended): RoleFigures {
    const all = pids.flatMap((pid) => this.#watched.get(pid) ?? []);
    const ends = pids.map((pid) => inside.get(pid) ?? {});
    const cpuS = sum(all, ({ first, last }) => last.cpuS - first.cpuS);
    const grown = (name: 'fsyncs' | 'gcMs' | 'refused'): number | undefined => {
      const known = pids.flatMap((pid, i) => {
        const end = ends[i]?.[name];
        return end === undefined ? [] : [end - (this.#watched.get(pid)?.inside[name] ?? 0)];
      });
      return known.length === 0 ? undefined : known.reduce((total, each) => total + each, 0);
    };
    const delays = ends.flatMap(({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms ?? []);
    const gcMs = grown('gcMs');
    const each = (total: number | undefined): number | undefined =>
      total === undefined || operations === 0 ? undefined : total / operations;
    return {
      role,
      processes: pids.length,
      cpuUsPerOperation: each(cpuS * 1e6),
      cores: cpuS / seconds,
      rssMiB: sum(all, ({ last }) => last.rssMiB),
      rssAnonMiB: sum(all, ({ last }) => last.rssAnonMiB),
      peakRssAnonMiB: sum(all, ({ peakRssAnonMiB }) => peakRssAnonMiB),
      eventLoopDelayP99Ms: delays.length === 0 ? undefined : Math.max(...delays),
      gcShare: gcMs === undefined ? undefined : gcMs / 1000 / seconds,
      fsyncsPerOperation: each(grown('fsyncs')),
      refusedPerOperation: each(grown('refused')),
      bytesWrittenPerOperation: each(sum(all, ({ first, last }) => last.writtenBytes - first.writtenBytes)),
    };
  }

  #look(): void {
    for (const { role, pid } of this.#processes()) {
      const usage = usageOf(pid);
      if (usage === undefined) continue;
      // One that came since: all that it used was in the measured time.
      const watched = this.#watched.get(pid) ?? { role, first: NOTHING, last: usage, peakRssAnonMiB: 0, inside: {} };
      watched.last = usage;
      watched.peakRssAnonMiB = Math.max(watched.peakRssAnonMiB, usage.rssAnonMiB);
      this.#watched.set(pid, watched);
    }
  }

  #roles(): RolePids[] {
    const all = ROLES.map((role) => ({
      role,
      pids: [...this.#watched].flatMap(([pid, watched]) => (watched.role === role ? [pid] : [])),
    }));
    return all.filter(({ pids }) => pids.length > 0);
  }
}

async function insideOfAll(processes: readonly SystemProcess[]): Promise<Map<number, InsideFigures>> {
  const all = processes.map(
    async ({ pid, inside }): Promise<[number, InsideFigures]> => [pid, (await inside?.()) ?? {}],
  );
  return new Map(await Promise.all(all));
}

function sum<T>(all: readonly T[], read: (each: T) => number): number {
  return all.reduce((total, each) => total + read(each), 0);
}

// What the kernel says of a process and its descendants (Linux; elsewhere nothing is known): CPU, memory, bytes written.

import { readdirSync, readFileSync } from 'node:fs';

export interface Usage {
  /** User and system, so far. The kernel counts in hundredths of a second. */
  readonly cpuS: number;
  /** Resident, with mapped files (LevelDB maps its tables). */
  readonly rssMiB: number;
  /** Anonymous memory: what the process really holds. */
  readonly rssAnonMiB: number;
  /** Sent to the disk, so far. */
  readonly writtenBytes: number;
}

const TICKS_PER_SECOND = 100;

/** Of a process with all that it started, as far as they live; undefined when it is gone. */
export function usageOf(pid: number): Usage | undefined {
  const all = [pid, ...descendantsOf(pid)].flatMap((each) => ownUsageOf(each) ?? []);
  if (all.length === 0) return undefined;
  const sum = (read: (usage: Usage) => number): number => all.reduce((total, usage) => total + read(usage), 0);
  return {
    cpuS: sum(({ cpuS }) => cpuS),
    rssMiB: sum(({ rssMiB }) => rssMiB),
    rssAnonMiB: sum(({ rssAnonMiB }) => rssAnonMiB),
    writtenBytes: sum(({ writtenBytes }) => writtenBytes),
  };
}

function ownUsageOf(pid: number): Usage | undefined {
  const stat = read(pid, 'stat');
  const status = read(pid, 'status');
  if (stat === undefined || status === undefined) return undefined;
  // After the name, which may hold anything but is in brackets: utime and stime are fields 14 and 15 of the whole.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const mib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
  return {
    cpuS: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    rssMiB: mib('VmRSS'),
    rssAnonMiB: mib('RssAnon'),
    writtenBytes: Number(/^write_bytes: (\d+)$/m.exec(read(pid, 'io') ?? '')?.[1] ?? 0),
  };
}

function descendantsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
      const children = (read(pid, `task/${task}/children`) ?? '').split(' ').filter((child) => child.trim() !== '');
      return children.flatMap((child) => [Number(child), ...descendantsOf(Number(child))]);
    });
  } catch {
    return [];
  }
}

function read(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}

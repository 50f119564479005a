// What the run ran on.

import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem, type } from 'node:os';
import type { Report } from './report.ts';

export function describeMachine(): Report['machine'] {
  const all = cpus();
  return {
    cores: all.length,
    cpu: all[0]?.model ?? 'unknown CPU',
    memoryMiB: Math.round(totalmem() / 1024 / 1024),
    os: `${type()} ${release()}`,
    fileSystem: fileSystemOf(tmpdir()),
    load: loadavg()[0],
  };
}

/** Of the mount that holds a folder (Linux). */
function fileSystemOf(folder: string): string {
  try {
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '));
    const holding = mounts.filter(([, at = '']) => at === '/' || folder === at || folder.startsWith(`${at}/`));
    const [closest] = holding.sort(([, a = ''], [, b = '']) => b.length - a.length);
    return closest?.[2] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

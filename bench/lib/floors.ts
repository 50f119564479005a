// What this machine can do at best, measured in the same run: results are read as multiples of it.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Median ms of one 1 KiB append with fdatasync on the disk of the temp folder. */
export function fsyncFloorMs(samples = 200): number {
  const directory = mkdtempSync(join(tmpdir(), 'tenuto-floor-'));
  const file = openSync(join(directory, 'log'), 'w');
  try {
    const block = Buffer.alloc(1024, 1);
    const times: number[] = [];
    for (let i = 0; i < samples; i += 1) {
      writeSync(file, block);
      const begun = performance.now();
      fdatasyncSync(file);
      times.push(performance.now() - begun);
    }
    times.sort((a, b) => a - b);
    return times[samples >> 1] ?? 0;
  } finally {
    closeSync(file);
    rmSync(directory, { recursive: true, force: true });
  }
}

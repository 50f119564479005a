// A disk of a few megabytes for one node, so that it can be full: a tmpfs, which only root may mount. Elsewhere the scenario says that it cannot run.

import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SIZE = '96m';
const BLOCK = Buffer.alloc(64 * 1024, 1);
const BALLAST = 'ballast';
/** The node that gets it. */
const OWNER = 'n1';

export class SmallDisk {
  #mounted: string | undefined;

  unable(): string | undefined {
    if (process.platform === 'linux' && process.getuid?.() === 0) return undefined;
    return 'needs root on Linux, to mount a small disk';
  }

  /** Mounts it, for the node that gets it. It is unmounted when this process ends. */
  directoryFor(name: string): string | undefined {
    if (name !== OWNER) return undefined;
    const mounted = mkdtempSync(join(tmpdir(), 'tenuto-small-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', mounted]);
    this.#mounted = mounted;
    process.once('exit', () => {
      // Lazily: a killed node's files may still be open.
      execFileSync('umount', ['-l', mounted]);
      rmdirSync(mounted);
    });
    const data = join(mounted, 'data');
    mkdirSync(data);
    return data;
  }

  /** Not a byte fits any more. */
  fill(): void {
    const file = openSync(this.#ballast(), 'w');
    try {
      for (;;) writeSync(file, BLOCK);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      closeSync(file);
    }
  }

  makeRoom(): void {
    rmSync(this.#ballast());
  }

  #ballast(): string {
    if (this.#mounted === undefined) throw new Error('the small disk is not mounted');
    return join(this.#mounted, BALLAST);
  }
}

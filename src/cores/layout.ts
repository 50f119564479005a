// Cores in one data directory: each keeps its own beneath it, `core-1` and so on. They may become more, and shards move to the new ones; never fewer,
// because each holds shards that no other has.

import { existsSync, readdirSync } from 'node:fs';
import { NodeStartError } from '../node-errors.ts';
import { coresIn } from '../node-store.ts';

/** @throws NodeStartError for a directory that so many cores cannot serve */
export function checkLayout(dataDirectory: string, cores: number): void {
  const before = coresIn(dataDirectory);
  if (before > cores) {
    throw new NodeStartError(
      'config',
      `the data directory ${dataDirectory} is that of ${before} cores, and ${cores} cannot serve it: each holds shards that no other has`,
      `Start with --cores ${before}, or take a backup and restore it into another directory.`,
    );
  }
  if (before === 0 && existsSync(dataDirectory) && readdirSync(dataDirectory).length > 0) {
    throw new NodeStartError(
      'config',
      `the data directory ${dataDirectory} was made without --cores`,
      'Start it without, name another directory, or bring its data over: docs/operations/cores.md says how.',
    );
  }
}

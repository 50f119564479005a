// How a profiled run's processes are told to record themselves: V8 writes a CPU profile and a heap profile of each thread when its process ends.
// Off unless `npm run profile` says where to (bench/profile/main.ts).

import { join } from 'node:path';

const FOLDER = 'TENUTO_BENCH_PROFILE';
export const PROFILED_ROLES = ['node', 'worker'] as const;
export type ProfiledRole = (typeof PROFILED_ROLES)[number];

export const recordingFolder = (folder: string, role: ProfiledRole): string => join(folder, role);

export function recordInto(folder: string): void {
  process.env[FOLDER] = folder;
}

/** Node options of a process of this role. */
export function recordingOptions(role: ProfiledRole): string[] {
  const folder = process.env[FOLDER];
  if (folder === undefined || folder === '') return [];
  const into = recordingFolder(folder, role);
  return ['--cpu-prof', `--cpu-prof-dir=${into}`, '--heap-prof', `--heap-prof-dir=${into}`];
}

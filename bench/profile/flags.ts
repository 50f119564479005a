// The one option that `npm run profile` has and the bench has not, and those that only the bench has.

import { type Flags, UsageError } from '../lib/flags.ts';

/** `--out DIR` or `--out=DIR`, and all else. @throws UsageError */
export function takeOut(args: readonly string[]): { out: string | undefined; rest: readonly string[] } {
  const at = args.findIndex((arg) => arg === '--out' || arg.startsWith('--out='));
  if (at < 0) return { out: undefined, rest: args };
  const arg = args[at] ?? '';
  const apart = arg === '--out';
  const out = apart ? args[at + 1] : arg.slice('--out='.length);
  if (out === undefined || out === '' || (apart && out.startsWith('--'))) {
    throw new UsageError('--out must name a folder, like --out profiles/today');
  }
  return { out, rest: [...args.slice(0, at), ...args.slice(at + (apart ? 2 : 1))] };
}

/** A profile is of Tenuto alone and has a report of its own. @throws UsageError for what would be passed over */
export function mustBeOfAProfile({ peers, jsonFile, htmlFile, baselineFile }: Flags): void {
  const given = [
    ...(peers.length > 0 ? ['--peer'] : []),
    ...(jsonFile === undefined ? [] : ['--json']),
    ...(htmlFile === undefined ? [] : ['--html']),
    ...(baselineFile === undefined ? [] : ['--baseline']),
  ];
  if (given.length > 0)
    throw new UsageError(`${given.join(' and ')}: of the bench, not of a profile; --help lists those`);
}

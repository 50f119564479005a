// The one option that `npm run profile` has and the bench has not.

import { UsageError } from '../lib/flags.ts';

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

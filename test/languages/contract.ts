// What runner and programs agree on: the checks that every language's program makes, and the lines it says.

/** Each program makes at least these, by these names: one that forgets a check must not look as if it had passed. */
export const CHECKS = [
  'hello',
  'activities',
  'local-activities',
  'async-completion',
  'signals-queries',
  'updates',
  'update-with-start',
  'children',
  'parent-close',
  'external',
  'continue-as-new',
  'timers-cancellation',
  'ends',
  'ids',
  'eager-start',
  'patches',
  'schedules',
  'search',
  'versioning',
  'reset',
  'native-worker',
  'native-client',
  'restart',
  'replay',
] as const;

/** What a program may ask of the runner, and the word that answers it on the program's standard input. */
export const ANSWERS = {
  /** Kill the server with SIGKILL and start it again, on the same directory and ports. */
  kill: 'restarted',
  /** Have workflows of this program's worker run by the native client. */
  serve: 'served',
} as const;

export type Request = keyof typeof ANSWERS;

export type Line =
  | { readonly kind: 'passed'; readonly check: string; readonly tookMs: number }
  | { readonly kind: 'failed'; readonly check: string; readonly why: string }
  | { readonly kind: 'asks'; readonly request: Request }
  /** Whatever else it prints: a library's warning, a stack. */
  | { readonly kind: 'noise'; readonly text: string };

/** One line of a program's standard output. */
export function lineOf(text: string): Line {
  const [, passed, tookMs] = /^ok (\S+) (\d+) ms$/.exec(text) ?? [];
  if (passed !== undefined) return { kind: 'passed', check: passed, tookMs: Number(tookMs) };
  const [, failed, why = ''] = /^failed (\S+): (.*)$/.exec(text) ?? [];
  if (failed !== undefined) return { kind: 'failed', check: failed, why };
  const request = /^> (\S+)$/.exec(text)?.[1];
  if (request === 'kill' || request === 'serve') return { kind: 'asks', request };
  return { kind: 'noise', text };
}

/** Checks of the contract that a program did not say a word about. */
export function missingChecks(lines: readonly Line[]): string[] {
  const seen = new Set(lines.flatMap((line) => ('check' in line ? [line.check] : [])));
  return CHECKS.filter((check) => !seen.has(check));
}

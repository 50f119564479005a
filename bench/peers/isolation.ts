// A network namespace with loopback only: a peer that would report home cannot, whatever its settings. As root, or in a user namespace of its own.
// Where neither is possible, the peer is refused rather than run without.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { PeerError } from './pins.ts';

/** How a process gets a namespace of its own. */
export type Isolation = { readonly by: 'root' } | { readonly by: 'user namespace' };

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/** Runs a command to its end. Injected, so that tests need no namespaces. */
export type Run = (command: Command) => { readonly code: number | null; readonly output: string };

/** The first way that works here. @throws PeerError that says what is missing */
export function findIsolation(peer: string, run: Run = runForReal): Isolation {
  const tried: string[] = [];
  for (const isolation of [{ by: 'root' }, { by: 'user namespace' }] as const) {
    const { code, output } = run(inOwn(isolation, { command: 'cat', args: ['/proc/net/dev'] }));
    const interfaces = interfacesOf(output);
    if (code === 0 && interfaces.length === 1 && interfaces[0] === 'lo') return isolation;
    tried.push(`  as ${isolation.by}: ${output.trim() || `code ${code}`}`);
  }
  throw new PeerError(
    [
      `${peer} runs in a network namespace with loopback only, and none can be made here; it is not run without.`,
      'It needs Linux with unshare and nsenter (Debian: util-linux) and ip (iproute2), and either root or unprivileged user namespaces.',
      ...tried,
    ].join('\n'),
  );
}

/** In a new namespace, its loopback up. The process id is that of the command itself: each program hands over to the next. */
export function inOwn({ by }: Isolation, { command, args }: Command): Command {
  const user = by === 'root' ? [] : ['--user', '--map-root-user'];
  const up = 'ip link set lo up && exec "$0" "$@"';
  return { command: 'unshare', args: [...user, '--net', '--', 'sh', '-c', up, command, ...args] };
}

/** In the namespace of a process that runs already. */
export function inThatOf(pid: number, { by }: Isolation, { command, args }: Command): Command {
  const user = by === 'root' ? [] : ['--user', '--preserve-credentials'];
  return { command: 'nsenter', args: ['--target', String(pid), ...user, '--net', '--', command, ...args] };
}

/** @throws Error when the process can reach more than loopback */
export function mustBeAlone(pid: number): void {
  const interfaces = interfacesOf(readFileSync(`/proc/${pid}/net/dev`, 'utf8'));
  if (interfaces.length !== 1 || interfaces[0] !== 'lo')
    throw new Error(`process ${pid} was to have loopback only, and has ${interfaces.join(', ') || 'nothing'}`);
}

/** Names in the table of `/proc/net/dev`. */
export function interfacesOf(table: string): string[] {
  return [...table.matchAll(/^\s*([^\s:|]+):/gm)].map(([, name = '']) => name);
}

function runForReal({ command, args }: Command): ReturnType<Run> {
  const done = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 });
  return { code: done.status, output: `${done.stdout ?? ''}${done.stderr ?? ''}${done.error?.message ?? ''}` };
}

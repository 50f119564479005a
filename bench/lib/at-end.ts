// What must not outlive the bench, also when it is broken off (main.ts makes an exit of Ctrl-C and SIGTERM): processes that the terminal does not end
// or that would still write, and folders of theirs. Whoever cleans up in the usual way takes its entry back.

import type { ChildProcess } from 'node:child_process';

const pending = new Set<() => void>();
process.once('exit', cleanUpAll);

/** Run last first: a process goes before the folder that it was given.
 * @param cleanUp synchronous; what it throws is passed over, for the sake of the others
 * @returns takes it back */
export function atEnd(cleanUp: () => void): () => void {
  pending.add(cleanUp);
  return () => void pending.delete(cleanUp);
}

/** Killed, if it is still there then. */
export function killAtEnd(child: ChildProcess): void {
  child.once(
    'exit',
    atEnd(() => child.kill('SIGKILL')),
  );
}

function cleanUpAll(): void {
  for (const cleanUp of [...pending].reverse()) {
    try {
      cleanUp();
    } catch {
      // Gone already.
    }
  }
  pending.clear();
}

// What must not outlive the bench, however it ends: processes that are no children of the terminal, folders of theirs. Whoever cleans up in the
// usual way takes its entry back.

const pending = new Set<() => void>();
let listening = false;

/** @param cleanUp synchronous; what it throws is passed over, for the sake of the others
 * @returns takes it back */
export function atEnd(cleanUp: () => void): () => void {
  listen();
  pending.add(cleanUp);
  return () => void pending.delete(cleanUp);
}

function listen(): void {
  if (listening) return;
  listening = true;
  process.once('exit', cleanUpAll);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      cleanUpAll();
      // Ends as it would have without us.
      process.kill(process.pid, signal);
    });
  }
}

function cleanUpAll(): void {
  for (const cleanUp of pending) {
    try {
      cleanUp();
    } catch {
      // Gone already.
    }
  }
  pending.clear();
}

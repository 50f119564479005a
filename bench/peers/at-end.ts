// What must not outlive the bench, also when it is broken off (main.ts makes an exit of Ctrl-C and SIGTERM): processes that the terminal does not end,
// and folders of theirs. Whoever cleans up in the usual way takes its entry back.

const pending = new Set<() => void>();
process.once('exit', cleanUpAll);

/** @param cleanUp synchronous; what it throws is passed over, for the sake of the others
 * @returns takes it back */
export function atEnd(cleanUp: () => void): () => void {
  pending.add(cleanUp);
  return () => void pending.delete(cleanUp);
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

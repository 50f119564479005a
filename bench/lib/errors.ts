// Errors as a line of text.

/** With its causes: what an SDK throws wraps what the server said. */
export function describeError(error: unknown): string {
  const messages: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) messages.push(cause.message);
  return messages.length > 0 ? messages.join(' ← ') : String(error);
}

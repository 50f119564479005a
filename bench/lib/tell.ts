import type { ChildProcess } from 'node:child_process';

/** Sends to a forked process. To one that is gone: nothing, since whoever forked it hears of its end by `exit`, and the two race. */
export function tell(child: ChildProcess, message: object | string): void {
  // Without a function of its own `send` throws what it could not write.
  child.send(message, () => {});
}

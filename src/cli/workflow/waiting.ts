// What most often keeps somebody waiting at a terminal: no worker takes the workflow's tasks. Said on standard error after a while, where people
// read; the command goes on waiting, since a worker may come.

import type { Session } from '../connect.ts';
import { whyUnserved } from './unserved.ts';

/** ms: longer than a task takes, shorter than patience. */
export const NOTE_AFTER_MS = 3_000;

/** `answer`, and after a while, if there is none, why. */
export async function withNote<T>(
  session: Session,
  { workflowId, runId }: { workflowId: string; runId?: string | undefined },
  answer: Promise<T>,
  say: (text: string) => void = (text) => void process.stderr.write(text),
): Promise<T> {
  let isWaiting = true;
  const look = async (): Promise<void> => {
    const { raw } = await session.client.workflow.getHandle(workflowId, runId).describe();
    const why = await whyUnserved(session, raw);
    if (why !== undefined && isWaiting) say(`tenuto: ${workflowId} waits, and this command with it: ${why}\n`);
  };
  // Who cannot be asked says so to the call that waits.
  const timer = setTimeout(() => void look().catch(() => undefined), NOTE_AFTER_MS);
  try {
    return await answer;
  } finally {
    isWaiting = false;
    clearTimeout(timer);
  }
}

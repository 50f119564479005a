// What most often keeps somebody waiting at a terminal: no worker takes the workflow's tasks. Said on standard error after a while, where people
// read; the command goes on waiting, since a worker may come.

import type { Session } from '../connect.ts';

/** ms: longer than a task takes, shorter than patience. */
export const NOTE_AFTER_MS = 3_000;

/** Whether any worker takes workflow tasks of that queue, as far as this moment tells. */
export async function isServed({ connection, namespace }: Session, taskQueue: string): Promise<boolean> {
  const { pollers } = await connection.request('describeTaskQueue', { namespace, taskQueue });
  return pollers.some(({ kind }) => kind === 'workflow');
}

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
    const { taskQueue } = raw.workflowExecutionInfo;
    if ((await isServed(session, taskQueue)) || !isWaiting) return;
    say(`tenuto: no worker listens on task queue ${taskQueue}, so ${workflowId} waits; this command waits with it\n`);
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

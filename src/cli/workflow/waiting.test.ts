// Who waits for a workflow that no worker takes is told so, once, and nobody else is.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Session } from '../connect.ts';
import { NOTE_AFTER_MS, withNote } from './waiting.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Of a workflow on task queue `q`, with workers of these kinds. */
const session = (...kinds: string[]): Session =>
  ({
    namespace: 'n',
    connection: { request: async () => ({ pollers: kinds.map((kind) => ({ kind })), workflow: {} }) },
    client: {
      workflow: {
        getHandle: () => ({ describe: async () => ({ raw: { workflowExecutionInfo: { taskQueue: 'q' } } }) }),
      },
    },
  }) as unknown as Session; // all that is asked

async function told(of: Session, answerMs: number): Promise<string[]> {
  const said: string[] = [];
  const answer = new Promise<string>((resolve) => setTimeout(resolve, answerMs, 'answer'));
  const waited = withNote(of, { workflowId: 'w' }, answer, (text) => said.push(text));
  await vi.advanceTimersByTimeAsync(answerMs);
  expect(await waited).toBe('answer');
  return said;
}

it('says which queue lacks a worker, once', async () => {
  expect(await told(session('activity'), 20 * NOTE_AFTER_MS)).toEqual([
    'tenuto: w waits, and this command with it: no worker listens on task queue q\n',
  ]);
});

it('says nothing where one listens, or the answer comes soon', async () => {
  expect(await told(session('workflow'), 2 * NOTE_AFTER_MS)).toEqual([]);
  expect(await told(session(), NOTE_AFTER_MS - 1)).toEqual([]);
});

it('fails as the answer does', async () => {
  const refused = withNote(session(), { workflowId: 'w' }, Promise.reject(new Error('gone')));
  await expect(refused).rejects.toThrow('gone');
  expect(vi.getTimerCount()).toBe(0);
});

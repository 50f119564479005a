// Whose task a token is, and how much of that a connection may make a node remember.

import { expect, it } from 'vitest';
import type { WorkerRegistry } from '../../ports/matching.ts';
import type { RegisterWorkerRequest } from '../../wire/worker-session.ts';
import { ConnectionWorkers } from './workers.ts';

const token = (worker: string, n: number, bytes = 4_000): Uint8Array =>
  Buffer.from(`${worker}${n} `.padEnd(bytes, 'x'));

function world() {
  const granted: string[] = [];
  const sessions: { heldTokens: ReadonlySet<string> }[] = [];
  const held: number[] = [];
  const registry: Partial<WorkerRegistry> = {
    register: (session) => {
      sessions.push(session);
      held.push(session.heldTokens.size);
    },
    unregister: () => {},
    grant: (session) => void granted.push(session),
  };
  const host = { connection: { openedAt: 0 }, isWritable: () => true, push: () => {}, wake: () => {} };
  const workers = new ConnectionWorkers(registry as WorkerRegistry, 10, host);
  const register = (workerId: string, heldTokens: Uint8Array[]): void => {
    const request: Partial<RegisterWorkerRequest> = {
      workerId,
      namespace: 'n',
      taskQueue: 'q',
      identity: '',
      heldTokens,
    };
    workers.register({ workflowCredit: 0, activityCredit: 0, ...request } as RegisterWorkerRequest);
  };
  const answered = (given: Uint8Array): string[] => {
    granted.length = 0;
    workers.answered(given, 'activity', undefined, 1);
    return [...granted];
  };
  return { register, answered, sessions, held };
}

it('gives the credit of an answer back to the worker that had the task', () => {
  const { register, answered } = world();
  register('a', [token('a', 1)]);
  register('b', [token('b', 1)]);
  expect(answered(token('a', 1))).toEqual(['n/a']);
  expect(answered(token('b', 1))).toEqual(['n/b']);
  expect(answered(token('b', 1))).toEqual([]);
});

it('remembers so many bytes of tokens, and forgets the oldest', () => {
  const { register, answered } = world();
  const tokensOf = (worker: string): Uint8Array[] => Array.from({ length: 3_000 }, (_, n) => token(worker, n));
  register('a', tokensOf('a'));
  register('b', tokensOf('b'));
  expect(answered(token('a', 0))).toEqual([]);
  expect(answered(token('a', 2_999))).toEqual(['n/a']);
  expect(answered(token('b', 0))).toEqual(['n/b']);
  // Those that were answered leave their room.
  for (let n = 1; n < 3_000; n += 1) answered(token('b', n));
  register('c', tokensOf('c'));
  expect(answered(token('a', 2_998))).toEqual(['n/a']);
});

it('keeps of what a worker says it holds nothing once it is registered', () => {
  const { register, sessions, held } = world();
  register('a', [token('a', 1), token('a', 2)]);
  expect(held).toEqual([2]);
  expect(sessions[0]?.heldTokens.size).toBe(0);
});

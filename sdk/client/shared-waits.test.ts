// Callers of one connection who wait for the same share the wait, and none is hurt by another.

import { describe, expect, it } from 'vitest';
import { runWithCallContext } from '../connection/call-context.ts';
import type { Connection } from '../connection/connection.ts';
import { sharedWait } from './shared-waits.ts';

interface Asked {
  signal: AbortSignal | undefined;
  answer(runId: string): void;
  fail(error: Error): void;
}

/** A connection that keeps what it is asked. */
function asking(): { connection: Connection; asked: Asked[] } {
  const asked: Asked[] = [];
  const request = (_method: string, _body: object, { signal }: { signal?: AbortSignal }) =>
    new Promise((resolve, reject) => {
      asked.push({ signal, answer: (runId) => resolve({ runId, events: [], closed: false }), fail: reject });
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
  // Only `request` is called.
  return { connection: { request } as unknown as Connection, asked };
}

const REQUEST = { namespace: 'default', workflowId: 'w', fromEventId: 5, waitNewEvent: true };
const wait = (connection: Connection, signal?: AbortSignal, request = REQUEST) =>
  sharedWait(connection, request, 1000, signal);

describe('waits for the same', () => {
  it('are one request, answered to all; the next one is asked anew', async () => {
    const { connection, asked } = asking();
    const both = Promise.all([wait(connection), wait(connection, new AbortController().signal)]);
    expect(asked).toHaveLength(1);
    asked[0]?.answer('r');
    expect((await both).map(({ runId }) => runId)).toEqual(['r', 'r']);
    void wait(connection);
    expect(asked).toHaveLength(2);
  });

  it('fail together', async () => {
    const { connection, asked } = asking();
    const both = [wait(connection), wait(connection)].map((one) => expect(one).rejects.toThrow('gone'));
    asked[0]?.fail(new Error('gone'));
    await Promise.all(both);
  });

  it('end one by one; the request is given up with the last', async () => {
    const { connection, asked } = asking();
    const [first, second] = [new AbortController(), new AbortController()];
    const left = expect(wait(connection, first.signal)).rejects.toThrow('first');
    const last = expect(wait(connection, second.signal)).rejects.toThrow('second');
    first.abort(new Error('first'));
    await left;
    expect(asked[0]?.signal?.aborted).toBe(false);
    second.abort(new Error('second'));
    await last;
    expect(asked[0]?.signal?.aborted).toBe(true);
    void wait(connection);
    expect(asked).toHaveLength(2);
  });

  it('with a caller who left already are not begun for that one', async () => {
    const { connection, asked } = asking();
    await expect(wait(connection, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
    expect(asked).toHaveLength(0);
  });
});

it.each([
  ['of another place', (connection: Connection) => void wait(connection, undefined, { ...REQUEST, fromEventId: 6 })],
  ['under a deadline', (connection: Connection) => void runWithCallContext({ deadline: 1 }, () => wait(connection))],
])('a wait %s is its own', (_, other) => {
  const { connection, asked } = asking();
  void wait(connection);
  other(connection);
  expect(asked).toHaveLength(2);
});

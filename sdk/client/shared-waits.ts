// Waits for news that several callers of one connection share: who asks what another one is waiting for already waits with them. A page
// with a thousand views of one workflow asks the server once.

import type { GetWorkflowExecutionHistoryRequest, GetWorkflowExecutionHistoryResponse } from '../../src/wire/api.ts';
import { currentCallContext } from '../connection/call-context.ts';
import type { Connection } from '../connection/connection.ts';

type Page = GetWorkflowExecutionHistoryResponse;

interface Wait {
  answer: Promise<Page>;
  /** Callers that still want it: without any it is given up. */
  callers: number;
  abort: AbortController;
}

const waits = new WeakMap<Connection, Map<string, Wait>>();

/**
 * The answer to a long poll, asked once for all callers who ask the same meanwhile. A call under a deadline or signal of its context is its
 * own: these must not reach others.
 *
 * @param signal Gives this caller's wait up; rejects with its reason.
 */
export async function sharedWait(
  connection: Connection,
  request: GetWorkflowExecutionHistoryRequest,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Page> {
  const ask = (given: AbortSignal | undefined): Promise<Page> =>
    connection.request(
      'getWorkflowExecutionHistory',
      request,
      given === undefined ? { timeoutMs } : { timeoutMs, signal: given },
    );
  if (currentCallContext() !== undefined) return await ask(signal);
  signal?.throwIfAborted();
  const own = waits.get(connection) ?? new Map<string, Wait>();
  waits.set(connection, own);
  const id = JSON.stringify(request);
  let wait = own.get(id);
  if (wait === undefined) {
    const abort = new AbortController();
    const begun: Wait = { answer: ask(abort.signal), callers: 0, abort };
    const forget = (): void => {
      if (own.get(id) === begun) own.delete(id);
    };
    begun.answer.then(forget, forget);
    own.set(id, begun);
    wait = begun;
  }
  wait.callers++;
  const { answer, abort } = wait;
  if (signal === undefined) return await answer;
  let leave: (() => void) | undefined;
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([answer, left]);
  } finally {
    if (leave !== undefined) signal.removeEventListener('abort', leave);
    wait.callers--;
    if (wait.callers === 0 && signal.aborted) {
      if (own.get(id) === wait) own.delete(id);
      abort.abort();
    }
  }
}

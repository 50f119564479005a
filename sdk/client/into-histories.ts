// Histories of many executions, fetched a few at a time.

import type { HistoryAndWorkflowId } from '../common/interfaces.ts';
import type { History, WorkflowExecutionInfo } from './types.ts';

export interface IntoHistoriesOptions {
  /** Histories fetched at once. Default 5. */
  concurrency?: number | undefined;
  /** Histories fetched ahead of the consumer, at most. Default: as many as `concurrency`. */
  bufferLimit?: number | undefined;
}

/** In the order they arrive. Ends with the first error; requests under way are then left to themselves. */
export async function* intoHistories(
  executions: AsyncIterator<WorkflowExecutionInfo>,
  getHandle: (info: WorkflowExecutionInfo) => { fetchHistory(): Promise<History> },
  options: IntoHistoriesOptions = {},
): AsyncGenerator<HistoryAndWorkflowId, void, undefined> {
  const { concurrency = 5 } = options;
  const limit = Math.max(1, Math.min(concurrency, options.bufferLimit ?? concurrency));
  const fetching = new Map<number, Promise<{ key: number; value: HistoryAndWorkflowId }>>();
  let nextKey = 0;
  let exhausted = false;
  while (!exhausted || fetching.size > 0) {
    while (!exhausted && fetching.size < limit) {
      const next = await executions.next();
      if (next.done) {
        exhausted = true;
        break;
      }
      const key = nextKey++;
      const { workflowId } = next.value;
      const fetched = getHandle(next.value)
        .fetchHistory()
        .then((history) => ({ key, value: { workflowId, history } }));
      // One that fails after the first error has nobody left to tell.
      fetched.catch(() => {});
      fetching.set(key, fetched);
    }
    if (fetching.size === 0) return;
    const { key, value } = await Promise.race(fetching.values());
    fetching.delete(key);
    yield value;
  }
}

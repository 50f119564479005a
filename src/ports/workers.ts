// What doors ask about the workers of a namespace. Kept in memory where the namespace's settings are led: whoever leads next hears of every worker with
// its next heartbeat.

import type { WorkerHeartbeat } from '../wire/worker.ts';

export type WorkerAsk =
  | { type: 'heartbeat'; heartbeats: WorkerHeartbeat[] }
  /** By instance key, those after this one. */
  | { type: 'list'; query: string; after: string; pageSize: number }
  | { type: 'count'; query: string }
  | { type: 'describe'; workerInstanceKey: string };

export interface WorkerAnswer {
  workers: WorkerHeartbeat[];
  /** Of a list: there are more. Of a count: how many. */
  more?: boolean | undefined;
  count?: number | undefined;
}

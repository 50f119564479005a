// What a node shows of its parts at each scrape: read when asked, so the parts keep plain numbers.

import type { TaskKind } from '../ports/matching.ts';
import type { Metrics } from './metrics.ts';

export interface NodeParts {
  engine: { getStats(): object };
  matcher: { readonly workers: number; credit(kind: TaskKind): number };
  connections: { readonly size: number; readonly openCalls: number };
}

/** Of the engine's numbers, those that only grow; the others are gauges. */
const COUNTERS = new Set([
  'turns',
  'commits',
  'flushes',
  'flushedRows',
  'activations',
  'passivations',
  'timersFired',
  'tasksDelivered',
  'startsUndone',
  'runsDeleted',
  'refused',
]);

const HELP: Readonly<Record<string, string>> = {
  turns: 'Turns of actors committed.',
  commits: 'Batches committed, one synced write each; turns / commits is the batch size.',
  waitingTasks: 'Backlog: tasks that wait for a worker.',
  actors: 'Executions in memory.',
  pendingTurns: 'Turns decided and not yet durable.',
  waitingStarts: 'Starts that wait until enough of those before them are durable.',
  outbox: 'Messages between executions on their way, as far as they are in memory.',
};

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export function nodeGauges(metrics: Metrics, { engine, matcher, connections }: NodeParts): void {
  metrics.gauge('tenuto_connections', 'Open connections.', () => connections.size);
  metrics.gauge('tenuto_open_requests', 'Requests not answered yet.', () => connections.openCalls);
  metrics.gauge('tenuto_workers', 'Registered workers.', () => matcher.workers);
  metrics.gauge('tenuto_credit', 'Tasks that workers would take now.', () =>
    (['workflow', 'activity'] as const).map((kind) => ({ labels: { kind }, value: matcher.credit(kind) })),
  );
  for (const name of Object.keys(engine.getStats())) {
    const counter = COUNTERS.has(name);
    const read = (): number => {
      const value: unknown = Object.entries(engine.getStats()).find(([key]) => key === name)?.[1];
      return typeof value === 'number' ? value : 0;
    };
    const help = HELP[name] ?? `Engine: ${snake(name).replaceAll('_', ' ')}.`;
    if (counter) metrics.counter(`tenuto_engine_${snake(name)}_total`, help, read);
    else metrics.gauge(`tenuto_engine_${snake(name)}`, help, read);
  }
}

// Queries that wait: nothing is kept of those whose caller has gone (I9), and none pins its workflow.
import { describe, expect, it } from 'vitest';
import type { Waiting } from '../ports/engine.ts';
import { lsn, shardId } from '../ports/ids.ts';
import { openMemoryStore } from '../store/index.ts';
import type { QueryWorkflowResponse } from '../wire/execution.ts';
import { Actor } from './actor.ts';
import { workflowCore } from './core.ts';
import type { ShardLimits } from './limits.ts';
import { Queries } from './queries.ts';
import { Shard } from './shard.ts';
import { notFound } from './status.ts';
import { NAMESPACE, QUEUE, TestMatching, World } from './testing.ts';

const queue = { namespace: NAMESPACE, name: QUEUE, kind: 'workflow' as const };

async function asleep(bounds: Partial<ShardLimits>) {
  const w = await new World(() => openMemoryStore({ shardCount: 4 }), { bounds }).open();
  const worker = w.worker({ workflow: 1 });
  await w.start('a');
  await w.send('a', w.completion(worker.take('workflow'), []));
  worker.connected = false;
  return w;
}

function ask(w: World, queryId: string): Waiting {
  let waiting: Waiting | undefined;
  w.begin<QueryWorkflowResponse>((done) => {
    const message = { type: 'query' as const, queryId, target: {}, queryType: 'state', rejectCondition: undefined };
    waiting = w.engine.query({ namespace: NAMESPACE, workflowId: 'a' }, message, done);
  });
  if (waiting === undefined) throw new Error('the query does not wait');
  return waiting;
}

describe('a query given up while no worker is there', () => {
  it('is forgotten at once', () => {
    const submit = (): void => undefined;
    const queries = new Queries({ matching: new TestMatching(), limit: 10, submit, deliver: () => undefined });
    const actor = new Actor(new Shard(shardId(0), { lastLsn: lsn(0), appliedLsn: lsn(0) }), NAMESPACE, 'a', {
      ...workflowCore.empty(NAMESPACE, 'a'),
    });
    const query = { queryType: 'state' };
    const [givenUp] = ['given up', 'refused'].map((queryId) => {
      const message = { type: 'query' as const, queryId, target: {}, ...query };
      const waiting = queries.ask({ namespace: NAMESPACE, workflowId: 'a' }, message, () => undefined);
      queries.dispatch(actor, {
        type: 'dispatchQuery',
        queryId,
        runId: 'run',
        taskQueue: QUEUE,
        stickyQueue: 'warm',
        query,
      });
      return waiting;
    });
    expect(queries.waiting).toBe(2);
    givenUp?.abandon();
    queries.answer('refused', notFound('gone'), undefined);
    expect(queries.waiting).toBe(0);
    queries.pull(queue, () => {
      throw new Error('nothing waits');
    });
  });

  it('takes nothing from a later attempt of the same request, which waits here too', () => {
    const told: unknown[] = [];
    const submitted: string[] = [];
    const queries = new Queries({
      ...{ matching: new TestMatching(), limit: 10, deliver: () => undefined },
      submit: (_to, { type }) => submitted.push(type),
    });
    const message = { type: 'query' as const, queryId: 'q', target: {}, queryType: 'state' };
    const to = { namespace: NAMESPACE, workflowId: 'a' };
    const first = queries.ask(to, message, () => told.push('the first attempt'));
    queries.ask(to, message, (_error, value) => told.push(value));
    first.abandon();
    expect(submitted).toEqual(['query', 'query']);
    queries.answer('q', undefined, {});
    expect(told).toEqual([{}]);
  });

  it('does not pin its workflow, however loaded the node is', async () => {
    const w = await asleep({ pendingTurns: 1 });
    const waiting = ask(w, 'q');
    await w.time.settle();
    w.post('a', { type: 'heartbeatActivityTask', activity: { activityId: 'x' }, identity: 'me' });
    w.post('b', w.startMessage());
    waiting.abandon();
    await w.time.settle();
    w.engine.passivateAll();
    expect(w.engine.getStats().actors).toBe(0);
  });
});

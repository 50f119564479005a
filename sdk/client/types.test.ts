// What TypeScript infers for users: checked when the project's types are, and run once so that the calls exist.

import { describe, expectTypeOf, it } from 'vitest';
import type { QueryDefinition, SignalDefinition, WorkflowResultType } from '../common/index.ts';
import type { WorkflowClient, WorkflowHandle } from './index.ts';

async function order(_item: string, _count?: number): Promise<{ paid: number }> {
  return { paid: 1 };
}
async function sweep(): Promise<void> {}

const target = { workflowId: 'w', taskQueue: 'q' };

/** Never called: only its types matter. */
async function calls(
  client: WorkflowClient,
  approve: SignalDefinition<[string]>,
  status: QueryDefinition<number, [boolean]>,
): Promise<void> {
  const handle = await client.start(order, { ...target, args: ['tea', 2] });
  expectTypeOf(await handle.result()).toEqualTypeOf<{ paid: number }>();
  // @ts-expect-error the workflow has a required parameter
  await client.start(order, target);
  // @ts-expect-error of another type
  await client.start(order, { ...target, args: [7] });
  await client.start(sweep, target);
  // @ts-expect-error it takes none
  await client.start(sweep, { ...target, args: [1] });
  expectTypeOf(await client.execute('order', { ...target, args: [1, 'x'] })).toEqualTypeOf<unknown>();
  expectTypeOf(await client.execute<typeof order>('order', { ...target, args: ['x'] })).toEqualTypeOf<{
    paid: number;
  }>();
  await handle.signal(approve, 'alice');
  // @ts-expect-error the signal takes text
  await handle.signal(approve, 7);
  expectTypeOf(await handle.query(status, true)).toEqualTypeOf<number>();
  expectTypeOf(client.getHandle<typeof order>('w')).toEqualTypeOf<WorkflowHandle<typeof order>>();
  await client.signalWithStart(order, { ...target, args: ['x'], signal: approve, signalArgs: ['alice'] });
  // @ts-expect-error the signal's argument is missing
  await client.signalWithStart(order, { ...target, args: ['x'], signal: approve });
  await client.signalWithStart('order', { ...target, args: [1], signal: 'any', signalArgs: [1, 2] });
}

describe('types', () => {
  it('of calls are inferred', () => {
    expectTypeOf(calls).returns.resolves.toEqualTypeOf<void>();
  });

  it('a workflow result is what its promise holds', () => {
    expectTypeOf<WorkflowResultType<typeof order>>().toEqualTypeOf<{ paid: number }>();
  });
});

// What TypeScript infers for users: checked when the project's types are, and run once so that the calls exist.

import { describe, expectTypeOf, it } from 'vitest';
import type { QueryDefinition, SignalDefinition, UpdateDefinition, WorkflowResultType } from '../common/index.ts';
import type { WithStartWorkflowOperation, WorkflowClient, WorkflowHandle, WorkflowUpdateHandle } from './index.ts';

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
  addItem: UpdateDefinition<number, [string]>,
  flush: UpdateDefinition<void>,
  startWorkflowOperation: WithStartWorkflowOperation<typeof sweep>,
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
  expectTypeOf(await handle.executeUpdate(addItem, { args: ['tea'] })).toEqualTypeOf<number>();
  expectTypeOf(await handle.executeUpdate(flush)).toEqualTypeOf<void>();
  expectTypeOf(await handle.startUpdate(addItem, { args: ['tea'], waitForStage: 'ACCEPTED' })).toEqualTypeOf<
    WorkflowUpdateHandle<number>
  >();
  expectTypeOf(handle.getUpdateHandle<string>('u').result()).resolves.toEqualTypeOf<string>();
  // @ts-expect-error the update has an argument
  await handle.executeUpdate(addItem);
  // @ts-expect-error of another type
  await handle.executeUpdate(addItem, { args: [7] });
  // @ts-expect-error only acceptance can be waited for
  await handle.startUpdate(flush, { waitForStage: 'COMPLETED' });
  // @ts-expect-error how long to wait must be said
  await handle.startUpdate(flush, {});
  expectTypeOf(
    await client.executeUpdateWithStart(addItem, { args: ['tea'], startWorkflowOperation }),
  ).toEqualTypeOf<number>();
  // @ts-expect-error without a start it is no update with start
  await client.executeUpdateWithStart(addItem, { args: ['tea'] });
  expectTypeOf(await startWorkflowOperation.workflowHandle()).toEqualTypeOf<WorkflowHandle<typeof sweep>>();
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

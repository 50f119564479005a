// What TypeScript infers where workflow code starts and signals other workflows: checked when the project's types are.

import { describe, expectTypeOf, it } from 'vitest';
import type { SignalDefinition } from '../common/index.ts';
import {
  type ChildWorkflowHandle,
  type ExternalWorkflowHandle,
  executeChild,
  getExternalWorkflowHandle,
  startChild,
} from './index.ts';

async function order(_item: string, _count?: number): Promise<{ paid: number }> {
  return { paid: 1 };
}
async function sweep(): Promise<void> {}

/** Never called: only its types matter. */
async function calls(approve: SignalDefinition<[string]>): Promise<void> {
  const child = await startChild(order, { workflowId: 'w', args: ['tea', 2] });
  expectTypeOf(child).toEqualTypeOf<ChildWorkflowHandle<typeof order>>();
  expectTypeOf(await child.result()).toEqualTypeOf<{ paid: number }>();
  expectTypeOf(await executeChild(order, { args: ['tea'] })).toEqualTypeOf<{ paid: number }>();
  expectTypeOf(await executeChild(sweep)).toEqualTypeOf<void>();
  expectTypeOf(await executeChild(sweep, { parentClosePolicy: 'ABANDON' })).toEqualTypeOf<void>();
  // @ts-expect-error the workflow has a required parameter
  await startChild(order);
  // @ts-expect-error so it has here
  await executeChild(order, { workflowId: 'w' });
  // @ts-expect-error of another type
  await executeChild(order, { args: [7] });
  // @ts-expect-error it takes none
  await startChild(sweep, { args: [1] });
  // @ts-expect-error no such policy
  await startChild(sweep, { parentClosePolicy: 'FORGET' });
  expectTypeOf(await executeChild('order', { args: [1, 'x'] })).toEqualTypeOf<unknown>();
  expectTypeOf(await executeChild('order')).toEqualTypeOf<unknown>();
  expectTypeOf(await executeChild<typeof order>('order', { args: ['x'] })).toEqualTypeOf<{ paid: number }>();
  await (await startChild('order', { args: [1, 'x'] })).result();
  await child.signal(approve, 'alice');
  // @ts-expect-error the signal takes text
  await child.signal(approve, 7);

  const other = getExternalWorkflowHandle('w', 'run');
  expectTypeOf(other).toEqualTypeOf<ExternalWorkflowHandle>();
  await other.signal(approve, 'alice');
  // @ts-expect-error the signal's argument is missing
  await other.signal(approve);
  await other.cancel('why');
}

describe('types', () => {
  it('of calls are inferred', () => {
    expectTypeOf(calls).returns.resolves.toEqualTypeOf<void>();
  });
});

// What the workers of the Nexus tests run: callers in one namespace, and what operations of the other are backed by.

import { NexusOperationFailure } from '@temporalio/common';
import {
  CancellationScope,
  condition,
  createNexusServiceClient,
  defineSignal,
  isCancellation,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import { payments } from './nexus-service.ts';

export const ENDPOINT = 'billing-payments';

const client = () => createNexusServiceClient({ endpoint: ENDPOINT, service: payments });

export async function callSync(name: string): Promise<string> {
  return await client().executeOperation(payments.operations.greet, name);
}

export async function callPay(order: string): Promise<string> {
  const handle = await client().startOperation(payments.operations.pay, order, { scheduleToCloseTimeout: '1 minute' });
  return `${await handle.result()} (${handle.token === undefined ? 'no token' : 'token'})`;
}

function told(error: unknown): string {
  if (!(error instanceof NexusOperationFailure)) return `not a NexusOperationFailure: ${String(error)}`;
  const { cause } = error;
  return `${cause?.constructor.name}: ${cause?.message}`;
}

export async function callFailing(operation: 'fail' | 'broken' | 'missing' | 'slow', timeout: string): Promise<string> {
  const operations: Record<string, unknown> = {
    ...payments.operations,
    missing: { ...payments.operations.greet, name: 'missing' },
  };
  try {
    await client().executeOperation(operations[operation] as typeof payments.operations.greet, 'x', {
      scheduleToCloseTimeout: timeout as '1s',
    });
    return 'no failure';
  } catch (error) {
    return told(error);
  }
}

export async function callAndCancel(order: string): Promise<string> {
  try {
    await CancellationScope.cancellable(async () => {
      const handle = await client().startOperation(payments.operations.wait, order, {
        cancellationType: 'WAIT_CANCELLATION_COMPLETED',
      });
      CancellationScope.current().cancel();
      await handle.result();
    });
    return 'no failure';
  } catch (error) {
    return isCancellation(error) ? `cancelled: ${told(error)}` : told(error);
  }
}

export async function payment(order: string): Promise<string> {
  await sleep(10);
  return `paid ${order}`;
}

export const release = defineSignal('release');

export async function waiting(order: string): Promise<string> {
  let released = false;
  setHandler(release, () => {
    released = true;
  });
  await condition(() => released);
  return `released ${order}`;
}

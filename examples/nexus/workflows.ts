// The shop's workflow calls the service; the payment that backs its operation is a workflow of the other namespace.

import {
  ApplicationFailure,
  CancellationScope,
  createNexusServiceClient,
  isCancellation,
  sleep,
} from 'tenuto/workflow';
import { type Order, payments } from './service.ts';

const ENDPOINT = 'payments';

export async function buy(item: string): Promise<string> {
  const client = createNexusServiceClient({ endpoint: ENDPOINT, service: payments });
  const amount = await client.executeOperation('price', { item });
  return await client.executeOperation('pay', { id: item, amount }, { scheduleToCloseTimeout: '1 minute' });
}

/** Changes its mind once the payment has begun. */
export async function buyAndCancel(item: string): Promise<string> {
  const client = createNexusServiceClient({ endpoint: ENDPOINT, service: payments });
  try {
    return await CancellationScope.cancellable(async () => {
      const handle = await client.startOperation('pay', { id: item, amount: 1_000 });
      CancellationScope.current().cancel();
      return await handle.result();
    });
  } catch (error) {
    if (isCancellation(error)) return 'cancelled';
    throw error;
  }
}

export async function payment({ id, amount }: Order): Promise<string> {
  if (amount === 0) throw ApplicationFailure.nonRetryable(`${id} is not for sale`);
  // Larger amounts are looked at for longer.
  await sleep(amount > 100 ? '1 hour' : 20);
  return `paid ${amount} for ${id}`;
}

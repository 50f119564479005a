// Workflows that call the Nexus operations of shop.ts, and those that back them.

import { CancellationScope, createNexusServiceClient, isCancellation, proxyActivities, sleep } from 'tenuto/workflow';
import type { ServiceActivities } from './service.ts';
import { ENDPOINT, shop } from './shop.ts';

const retry = { initialInterval: 50, backoffCoefficient: 1.5, maximumInterval: 500 };
const { call } = proxyActivities<ServiceActivities>({ startToCloseTimeout: 3_000, retry });

/** Buys some things, and gives up waiting for one more. */
export async function shopper(things: number): Promise<string[]> {
  const client = createNexusServiceClient({ endpoint: ENDPOINT, service: shop });
  const buy = async (thing: string): Promise<string> => {
    const price = await client.executeOperation('price', thing);
    return client.executeOperation('pay', price);
  };
  const bought = await Promise.all(Array.from({ length: things }, (_, i) => buy(`thing-${i}`)));
  try {
    await CancellationScope.cancellable(async () => {
      const handle = await client.startOperation('wait', 'rarity');
      CancellationScope.current().cancel();
      return handle.result();
    });
    return [...bought, 'came after all'];
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return [...bought, 'given up'];
  }
}

/** Backs `pay`. */
export async function payment(price: string): Promise<string> {
  await call(`pay-${price}`);
  return `paid ${price}`;
}

/** Backs `wait`: ends when it is cancelled. */
export async function waiting(): Promise<string> {
  await sleep(3_600_000);
  return 'over';
}

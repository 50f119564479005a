// A payment of a shop: one call to a bank that takes only so many a second.

import { proxyActivities } from 'tenuto/workflow';
import type { Activities } from './main.ts';

/** Where the bank's calls wait. */
export const BANK = 'bank';

const { charge } = proxyActivities<Activities>({ taskQueue: BANK, startToCloseTimeout: '10 seconds' });

export async function payment(shop: string): Promise<void> {
  await charge(shop);
}

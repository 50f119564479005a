// A payment that takes its time: whoever asked for it is called back.

import { ApplicationFailure, sleep } from 'tenuto/workflow';

export interface Receipt {
  order: string;
  amount: number;
}

export async function pay(order: string, amount: number): Promise<Receipt> {
  await sleep(50);
  if (amount <= 0) throw ApplicationFailure.nonRetryable(`nothing to pay for ${order}`);
  return { order, amount };
}

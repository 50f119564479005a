// The order workflow alone, on an embedded server: activities are stand-ins that note what they are asked for.

import { fileURLToPath } from 'node:url';
import { Context } from 'tenuto/activity';
import { ApplicationFailure } from 'tenuto/common';
import { TestWorkflowEnvironment } from 'tenuto/testing';
import { Worker } from 'tenuto/worker';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Activities } from '../../examples/order-fulfillment/activities.ts';
import type { FulfilmentPolicy, Order, OrderStatus } from '../../examples/order-fulfillment/model.ts';
import type { fulfillOrder } from '../../examples/order-fulfillment/workflows.ts';
import { orderOf } from './support.ts';

const WORKFLOWS = fileURLToPath(new URL('../../examples/order-fulfillment/workflows.ts', import.meta.url));
const POLICY: FulfilmentPolicy = { approvalThresholdCents: 100_000, approvalTimeoutMs: 30_000, orderTimeoutMs: 30_000 };
const LARGE = orderOf('large', {
  lines: [{ sku: 'TEA', name: 'Tea', quantity: 100, unitPriceCents: 1000 }],
  totalCents: 100_500,
});

let env: TestWorkflowEnvironment;
let started = 0;
beforeAll(async () => {
  env = await TestWorkflowEnvironment.createLocal();
});
afterAll(() => env.teardown());

/** Starts an order with a worker of its own; `calls` are the activities in the order in which they were asked for. */
async function begin(order: Order, how: { activities?: Partial<Activities>; policy?: Partial<FulfilmentPolicy> } = {}) {
  started += 1;
  const taskQueue = `orders-${started}`;
  const calls: string[] = [];
  const all: Activities = {
    reserveStock: async () => ({ reservationId: 'res_1' }),
    authorizePayment: async () => ({ authorizationId: 'auth_1' }),
    chargePayment: async ({ amountCents }) => ({ chargeId: 'ch_1', chargedCents: amountCents }),
    packAndShip: async () => ({ trackingNumber: 'POST-1' }),
    recallShipment: async () => ({ outcome: 'stopped' }),
    refundPayment: async () => ({ chargedCents: order.totalCents, refundedCents: order.totalCents }),
    restock: async () => ({ restocked: 2 }),
    notifyCustomer: async ({ ending }) => ({ messageId: ending }),
    ...how.activities,
  };
  const noted = Object.entries(all).map(([name, run]) => {
    const note = (input: never) => {
      calls.push(name);
      return run(input);
    };
    return [name, note] as const;
  });
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowsPath: WORKFLOWS,
    activities: Object.fromEntries(noted),
  });
  const running = worker.run();
  onTestFinished(async () => {
    worker.shutdown();
    await running;
  });
  const handle = await env.client.workflow.start<typeof fulfillOrder>('fulfillOrder', {
    workflowId: `${taskQueue}-${order.orderId}`,
    taskQueue,
    args: [order, { ...POLICY, ...how.policy }],
  });
  const status = () => handle.query<OrderStatus>('status');
  const until = async (step: OrderStatus['step']) => {
    while ((await status()).step !== step) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  return { handle, calls, status, until };
}

const UNDONE = ['refundPayment', 'restock', 'notifyCustomer'];
const refuses = (type: string) => async () => {
  throw ApplicationFailure.nonRetryable(`it is ${type}`, type);
};
/** Ends only with its worker. */
const never = () => Context.current().cancelled;

describe('an order', () => {
  test('that meets no trouble is charged and shipped', async () => {
    const { handle, calls, status } = await begin(orderOf('o1'));
    const result = await handle.result();
    expect(result).toEqual({
      orderId: 'o1',
      status: 'shipped',
      chargedCents: 2500,
      refundedCents: 0,
      trackingNumber: 'POST-1',
    });
    const steps = ['reserveStock', 'authorizePayment', 'chargePayment', 'packAndShip', 'notifyCustomer'];
    expect(calls).toEqual(steps);
    expect(await status()).toMatchObject({ step: 'done', ending: 'shipped', compensated: [] });
  });

  test('that does not add up asks nothing of anybody but to tell the customer', async () => {
    const { handle, calls } = await begin(orderOf('o1', { totalCents: 1 }));
    expect(await handle.result()).toMatchObject({ status: 'invalid', reason: expect.stringContaining('2500') });
    expect(calls).toEqual(['notifyCustomer']);
  });

  test('for goods that are not there is undone as far as it came', async () => {
    const { handle, calls } = await begin(orderOf('o1'), { activities: { reserveStock: refuses('out_of_stock') } });
    expect(await handle.result()).toMatchObject({
      status: 'out_of_stock',
      reason: 'it is out_of_stock',
      chargedCents: 0,
    });
    expect(calls).toEqual(['reserveStock', 'restock', 'notifyCustomer']);
  });

  test.each(['card_declined', 'expired_card'])('with a card that is %s gives its stock back', async (type) => {
    const refundPayment = async () => ({ chargedCents: 0, refundedCents: 0 });
    const activities = { authorizePayment: refuses(type), refundPayment };
    const { handle, calls } = await begin(orderOf('o1'), { activities });
    expect(await handle.result()).toMatchObject({ status: 'declined', chargedCents: 0, refundedCents: 0 });
    expect(calls).toEqual(['reserveStock', 'authorizePayment', ...UNDONE]);
  });

  test('that a service refuses in an unforeseen way is undone, and says why', async () => {
    const { handle, calls } = await begin(orderOf('o1'), { activities: { packAndShip: refuses('on_fire') } });
    expect(await handle.result()).toMatchObject({ status: 'failed', reason: 'it is on_fire', refundedCents: 2500 });
    expect(calls.slice(-4)).toEqual(['recallShipment', ...UNDONE]);
  });

  test('whose first attempts fail goes on when one succeeds', async () => {
    let attempts = 0;
    const reserveStock = async () => {
      attempts += 1;
      if (attempts < 3) throw new Error('out of order');
      return { reservationId: 'res_1' };
    };
    const { handle } = await begin(orderOf('o1'), { activities: { reserveStock } });
    expect(await handle.result()).toMatchObject({ status: 'shipped' });
    expect(attempts).toBe(3);
  });
});

describe('a large order', () => {
  test('waits for a person, and ships when they approve', async () => {
    const { handle, calls, until } = await begin(LARGE);
    await until('awaiting approval');
    expect(calls).not.toContain('packAndShip');
    await handle.signal('approval', { approved: true, by: 'Ines' });
    expect(await handle.result()).toMatchObject({ status: 'shipped', chargedCents: 100_500 });
  });

  test('is undone when they reject it; the first decision counts', async () => {
    const { handle, calls, until } = await begin(LARGE);
    await until('awaiting approval');
    await handle.signal('approval', { approved: false, by: 'Tom', note: 'odd' });
    await handle.signal('approval', { approved: true, by: 'Ines' }).catch(() => {});
    const result = await handle.result();
    expect(result).toMatchObject({ status: 'rejected', reason: 'rejected by Tom: odd', refundedCents: 100_500 });
    expect(calls.slice(-3)).toEqual(UNDONE);
  });

  test('is undone when nobody answers in time', async () => {
    const { handle, calls, status } = await begin(LARGE, { policy: { approvalTimeoutMs: 200 } });
    expect(await handle.result()).toMatchObject({ status: 'approval_timed_out', refundedCents: 100_500 });
    expect(calls).not.toContain('packAndShip');
    expect((await status()).compensated).toEqual(['refund', 'restock']);
  });
});

describe('an order whose deadline passes', () => {
  test('while it ships is recalled, refunded and restocked, in this order', async () => {
    const { handle, calls, status } = await begin(orderOf('o1'), {
      activities: { packAndShip: never },
      policy: { orderTimeoutMs: 1_000 },
    });
    expect(await handle.result()).toMatchObject({
      status: 'shipping_timed_out',
      chargedCents: 2500,
      refundedCents: 2500,
    });
    expect(calls.slice(-4)).toEqual(['recallShipment', ...UNDONE]);
    expect((await status()).compensated).toEqual(['recall the parcel', 'refund', 'restock']);
  });

  test('when its parcel has already left is shipped after all, and nothing is undone', async () => {
    const recallShipment = async () => ({ outcome: 'already_shipped' as const, trackingNumber: 'POST-7' });
    const { handle, calls } = await begin(orderOf('o1'), {
      activities: { packAndShip: never, recallShipment },
      policy: { orderTimeoutMs: 1_000 },
    });
    const result = await handle.result();
    expect(result).toMatchObject({ status: 'shipped', trackingNumber: 'POST-7', refundedCents: 0 });
    expect(calls).not.toContain('refundPayment');
  });

  test('at another step is undone as far as it came', async () => {
    const { handle, calls } = await begin(orderOf('o1'), {
      activities: { chargePayment: never },
      policy: { orderTimeoutMs: 500 },
    });
    expect(await handle.result()).toMatchObject({ status: 'timed_out' });
    expect(calls.slice(-3)).toEqual(UNDONE);
  });
});

test('an order that is cancelled by hand is undone', async () => {
  const { handle, calls, until } = await begin(LARGE);
  await until('awaiting approval');
  await handle.cancel();
  expect(await handle.result()).toMatchObject({ status: 'cancelled', refundedCents: 100_500 });
  expect(calls.slice(-3)).toEqual(UNDONE);
});

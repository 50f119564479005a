import { ApplicationFailure, CancelledFailure } from 'tenuto/common';
import { MockActivityEnvironment } from 'tenuto/testing';
import { describe, expect, test } from 'vitest';
import { createActivities } from '../../examples/order-fulfillment/activities.ts';
import { ServiceClient } from '../../examples/order-fulfillment/service-client.ts';
import type { Fault } from '../../examples/order-fulfillment/services/faults.ts';
import { paymentDomain } from '../../examples/order-fulfillment/services/payment.ts';
import { warehouseDomain } from '../../examples/order-fulfillment/services/warehouse.ts';
import { CATALOGUE, PlannedFaults, serviceOf } from './support.ts';

async function shop(plan: { payment?: Fault[]; warehouse?: Fault[] } = {}) {
  const payment = await serviceOf(paymentDomain, { faults: new PlannedFaults(...(plan.payment ?? [])) });
  const domain = warehouseDomain(CATALOGUE, 1);
  const warehouse = await serviceOf(domain, { faults: new PlannedFaults(...(plan.warehouse ?? [])) });
  const retries: string[] = [];
  const activities = createActivities({
    payment: new ServiceClient('payment', payment.url),
    warehouse: new ServiceClient('warehouse', warehouse.url),
    onRetry: (activity, from) => retries.push(`${activity} from ${from}`),
  });
  return { activities, payment, warehouse, retries };
}

const reservation = { orderId: 'test', items: [{ sku: 'TEA', quantity: 4 }] };

describe('an activity', () => {
  test('that is tried again after a lost answer finds its work done', async () => {
    const { activities, payment, retries } = await shop({ payment: [{ kind: 'lost answer' }] });
    const order = { orderId: 'test', amountCents: 2500, card: 'tok_visa' };
    const first = new MockActivityEnvironment({ activityType: 'authorizePayment' });
    await expect(first.run(activities.authorizePayment, order)).rejects.toMatchObject({
      name: 'ApplicationFailure',
      type: 'NoAnswer',
      nonRetryable: false,
    });
    const second = new MockActivityEnvironment({ activityType: 'authorizePayment', attempt: 2 });
    await expect(second.run(activities.authorizePayment, order)).resolves.toEqual({ authorizationId: 'auth_000001' });
    expect(payment.replayed()).toBe(1);
    expect(retries).toEqual(['authorizePayment from start']);
  });

  test('fails retryably when the service is out of order', async () => {
    const { activities } = await shop({ warehouse: [{ kind: 'unavailable' }, { kind: 'false failure' }] });
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      const failed = new MockActivityEnvironment({ attempt }).run(activities.reserveStock, reservation);
      await expect(failed).rejects.toMatchObject({ type: 'ServiceUnavailable', nonRetryable: false });
    }
    await expect(new MockActivityEnvironment().run(activities.reserveStock, reservation)).resolves.toEqual({
      reservationId: 'res_000001',
    });
  });

  test.each([
    ['card_declined', 'tok_declined'],
    ['expired_card', 'tok_expired'],
  ])('fails for good with %s', async (type, card) => {
    const { activities } = await shop();
    const order = { orderId: 'test', amountCents: 2500, card };
    const failed = new MockActivityEnvironment().run(activities.authorizePayment, order);
    await expect(failed).rejects.toBeInstanceOf(ApplicationFailure);
    await expect(failed).rejects.toMatchObject({ type, nonRetryable: true });
  });

  test('stops its call when it is cancelled', async () => {
    const { activities } = await shop({ warehouse: [{ kind: 'slow', delayMs: 60_000 }] });
    const env = new MockActivityEnvironment();
    const running = env.run(activities.reserveStock, reservation);
    setTimeout(() => env.cancel(), 20);
    await expect(running).rejects.toBeInstanceOf(CancelledFailure);
  });
});

describe('packing and shipping', () => {
  test('heartbeats how far it is, and hands over when all is packed', async () => {
    const { activities, warehouse } = await shop();
    await new MockActivityEnvironment().run(activities.reserveStock, reservation);
    const env = new MockActivityEnvironment();
    const beats: { packed: number; boxes: number }[] = [];
    env.on('heartbeat', (details) => beats.push(details));
    const shipped = await env.run(activities.packAndShip, { orderId: 'test', carrier: 'post' });
    expect(shipped).toEqual({ trackingNumber: expect.stringMatching(/^POST-/) });
    expect(beats[0]).toMatchObject({ packed: 0, boxes: 2 });
    expect(beats.at(-1)).toMatchObject({ packed: 2, boxes: 2 });
    expect(beats.map((beat) => beat.packed)).toEqual(beats.map((beat) => beat.packed).sort());
    expect((await warehouse.get('/shipments/shp_000002')).body).toMatchObject({ state: 'shipped' });
  });

  test('an attempt after a crash goes on from the last heartbeat, and starts nothing again', async () => {
    const { activities, warehouse, retries } = await shop();
    await new MockActivityEnvironment().run(activities.reserveStock, reservation);
    const env = new MockActivityEnvironment();
    const crash = new Promise((resolve) => env.on('heartbeat', resolve));
    const running = env.run(activities.packAndShip, { orderId: 'test', carrier: 'post' });
    const heartbeatDetails = await crash;
    env.cancel();
    await expect(running).rejects.toBeInstanceOf(CancelledFailure);

    const next = new MockActivityEnvironment({ attempt: 2, heartbeatDetails, activityType: 'packAndShip' });
    await expect(next.run(activities.packAndShip, { orderId: 'test', carrier: 'post' })).resolves.toBeDefined();
    expect(retries).toEqual(['packAndShip from heartbeat']);
    expect(warehouse.replayed()).toBe(0);
  });

  test('waits for a carrier that does not come until it is cancelled', async () => {
    const { activities } = await shop();
    await new MockActivityEnvironment().run(activities.reserveStock, reservation);
    const env = new MockActivityEnvironment();
    env.on('heartbeat', ({ packed }) => {
      if (packed === 2) env.cancel();
    });
    const running = env.run(activities.packAndShip, { orderId: 'test', carrier: 'ferry' });
    await expect(running).rejects.toBeInstanceOf(CancelledFailure);
    const recall = await new MockActivityEnvironment().run(activities.recallShipment, { orderId: 'test' });
    expect(recall).toEqual({ outcome: 'stopped' });
  });
});

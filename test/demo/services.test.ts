import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Faults } from '../../examples/order-fulfillment/services/faults.ts';
import { paymentDomain } from '../../examples/order-fulfillment/services/payment.ts';
import { warehouseDomain } from '../../examples/order-fulfillment/services/warehouse.ts';
import { CATALOGUE, PlannedFaults, requestsTo, serviceOf, spawnService, temporaryDir } from './support.ts';

const warehouse = () => warehouseDomain(CATALOGUE, 1);
const authorization = { orderId: 'o1', amountCents: 2500, card: 'tok_visa' };

describe('idempotency', () => {
  test('the same key and request get the same answer, and the work is done once', async () => {
    const file = join(temporaryDir(), 'payment.jsonl');
    const service = await serviceOf(paymentDomain, { file });
    const first = await service.post('/authorizations', 'k1', authorization);
    const second = await service.post('/authorizations', 'k1', authorization);
    expect(first.status).toBe(201);
    expect(second).toEqual(first);
    expect(service.replayed()).toBe(1);
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(1);
  });

  test('the same key for another request is refused', async () => {
    const service = await serviceOf(paymentDomain);
    await service.post('/authorizations', 'k1', authorization);
    const other = await service.post('/authorizations', 'k1', { ...authorization, amountCents: 1 });
    expect(other).toMatchObject({ status: 409, body: { code: 'idempotency_conflict' } });
    const elsewhere = await service.post('/refunds', 'k1', authorization);
    expect(elsewhere).toMatchObject({ status: 409, body: { code: 'idempotency_conflict' } });
  });

  test('a refusal is kept like any answer', async () => {
    const service = await serviceOf(paymentDomain);
    const declined = { ...authorization, card: 'tok_declined' };
    const first = await service.post('/authorizations', 'k1', declined);
    expect(first).toMatchObject({ status: 402, body: { code: 'card_declined' } });
    expect(await service.post('/authorizations', 'k1', declined)).toEqual(first);
  });

  test('many repeats at once are one request', async () => {
    const service = await serviceOf(warehouse());
    const reservation = { orderId: 'o1', items: [{ sku: 'TEA', quantity: 4 }] };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => service.post('/reservations', 'k1', reservation)),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await service.get('/shelf')).toMatchObject({ body: { TEA: 6, CUP: 3 } });
  });

  test('a request without a key, without sense or of the wrong shape is refused and leaves no trace', async () => {
    const file = join(temporaryDir(), 'payment.jsonl');
    const service = await serviceOf(paymentDomain, { file });
    expect((await service.post('/authorizations', '', authorization)).status).toBe(400);
    expect((await service.post('/authorizations', 'k1', { ...authorization, amountCents: 0.5 })).status).toBe(400);
    expect((await service.post('/elsewhere', 'k2', {})).status).toBe(404);
    expect((await service.post('/messages', 'k3', { text: 'x'.repeat(100_000) })).status).toBe(413);
    expect(readFileSync(file, 'utf8')).toBe('');
    expect((await service.post('/authorizations', 'k1', authorization)).status).toBe(201);
  });
});

describe('the payment service', () => {
  const pay = async (service: Awaited<ReturnType<typeof serviceOf>>) => {
    const { body } = await service.post('/authorizations', 'auth', authorization);
    return service.post('/charges', 'charge', {
      orderId: 'o1',
      amountCents: 2500,
      authorizationId: body.authorizationId,
    });
  };

  test('charges what was authorized, no more, and refunds it whole', async () => {
    const service = await serviceOf(paymentDomain);
    expect(await pay(service)).toMatchObject({ status: 201, body: { chargedCents: 2500 } });
    const more = { orderId: 'o1', amountCents: 1, authorizationId: 'auth_000001' };
    expect(await service.post('/charges', 'again', more)).toMatchObject({
      status: 422,
      body: { code: 'exceeds_authorization' },
    });
    expect(await service.get('/balance')).toMatchObject({ body: { balanceCents: 2500 } });
    const refund = await service.post('/refunds', 'refund', { orderId: 'o1' });
    expect(refund).toMatchObject({ status: 201, body: { chargedCents: 2500, refundedCents: 2500, voidedCents: 0 } });
    expect(await service.get('/balance')).toMatchObject({ body: { balanceCents: 0 } });
  });

  test('a refund voids what was only authorized, and no charge that comes late goes through', async () => {
    const service = await serviceOf(paymentDomain);
    await service.post('/authorizations', 'auth', authorization);
    const refund = await service.post('/refunds', 'refund', { orderId: 'o1' });
    expect(refund.body).toMatchObject({ refundedCents: 0, voidedCents: 2500 });
    const late = { orderId: 'o1', amountCents: 2500, authorizationId: 'auth_000001' };
    expect(await service.post('/charges', 'charge', late)).toMatchObject({
      status: 410,
      body: { code: 'order_closed' },
    });
  });

  test.each([
    ['tok_declined', 'card_declined'],
    ['tok_expired', 'expired_card'],
  ])('refuses %s when it is authorized', async (card, code) => {
    const service = await serviceOf(paymentDomain);
    const answer = await service.post('/authorizations', 'auth', { ...authorization, card });
    expect(answer).toMatchObject({ status: 402, body: { code } });
  });

  test('refuses an account without funds when it is charged', async () => {
    const service = await serviceOf(paymentDomain);
    const { body } = await service.post('/authorizations', 'auth', {
      ...authorization,
      card: 'tok_insufficient_funds',
    });
    const charge = { orderId: 'o1', amountCents: 2500, authorizationId: body.authorizationId };
    expect(await service.post('/charges', 'charge', charge)).toMatchObject({
      status: 402,
      body: { code: 'insufficient_funds' },
    });
    expect(await service.get('/balance')).toMatchObject({ body: { balanceCents: 0 } });
  });
});

describe('the warehouse', () => {
  const reservation = { orderId: 'o1', items: [{ sku: 'TEA', quantity: 4 }] };
  /** The domain alone, so that the clock is the test's. */
  function onTheShelf() {
    const domain = warehouse();
    const state = domain.create();
    let seq = 0;
    const ask = (path: string, body: unknown, now: number) => {
      seq += 1;
      const { answer, effect } = domain.decide(state, { path, body, now, seq });
      if (effect) domain.evolve(state, effect, now);
      // Answers of this domain are objects.
      return { status: answer.status, body: answer.body as Record<string, unknown> };
    };
    const view = (path: string, now: number) => domain.view(state, path, now);
    return { ask, view };
  }

  test('refuses what is not on the shelf, and takes nothing for it', async () => {
    const service = await serviceOf(warehouse());
    const items = [
      { sku: 'TEA', quantity: 1 },
      { sku: 'CUP', quantity: 2 },
      { sku: 'CUP', quantity: 2 },
    ];
    const answer = await service.post('/reservations', 'k1', { orderId: 'o1', items });
    expect(answer).toMatchObject({ status: 422, body: { code: 'out_of_stock', sku: 'CUP', available: 3 } });
    expect(await service.get('/shelf')).toMatchObject({ body: { TEA: 10, CUP: 3 } });
  });

  test('packs box by box as time goes by, then hands over once', () => {
    const { ask, view } = onTheShelf();
    ask('/reservations', reservation, 0);
    const { body } = ask('/shipments', { orderId: 'o1', carrier: 'post' }, 1_000);
    expect(body).toMatchObject({ packed: 0, boxes: 2 });
    const path = `/shipments/${body.shipmentId}`;
    expect(view(path, 1_000)).toMatchObject({ state: 'packing', packed: 0 });
    const handOver = { orderId: 'o1', shipmentId: body.shipmentId };
    expect(ask('/dispatches', handOver, 1_200)).toMatchObject({ status: 422, body: { code: 'not_ready' } });
    expect(view(path, 3_000)).toMatchObject({ state: 'ready', packed: 2 });
    expect(ask('/dispatches', handOver, 3_000).status).toBe(201);
    expect(view(path, 3_001)).toMatchObject({ state: 'shipped' });
    expect(ask('/dispatches', handOver, 3_002)).toMatchObject({ status: 422, body: { code: 'already_shipped' } });
  });

  test('a suspended carrier never picks up', () => {
    const { ask, view } = onTheShelf();
    ask('/reservations', reservation, 0);
    const { body } = ask('/shipments', { orderId: 'o1', carrier: 'ferry' }, 0);
    expect(view(`/shipments/${body.shipmentId}`, 1e9)).toMatchObject({ state: 'waiting for carrier', packed: 2 });
    const handOver = { orderId: 'o1', shipmentId: body.shipmentId };
    expect(ask('/dispatches', handOver, 1e9)).toMatchObject({ status: 422, body: { code: 'not_ready' } });
  });

  test('a recalled parcel does not leave, and its pieces go back', () => {
    const { ask, view } = onTheShelf();
    ask('/reservations', reservation, 0);
    const { body } = ask('/shipments', { orderId: 'o1', carrier: 'post' }, 0);
    expect(ask('/recalls', { orderId: 'o1' }, 100).body).toEqual({ outcome: 'stopped' });
    const handOver = { orderId: 'o1', shipmentId: body.shipmentId };
    expect(ask('/dispatches', handOver, 5_000)).toMatchObject({ status: 410, body: { code: 'recalled' } });
    expect(ask('/releases', { orderId: 'o1' }, 5_000).body).toEqual({ restocked: 4 });
    expect(view('/shelf', 5_000)).toEqual({ TEA: 10, CUP: 3 });
    expect(ask('/reservations', reservation, 5_001)).toMatchObject({ status: 410, body: { code: 'order_closed' } });
  });

  test('a parcel that has left cannot be recalled, and says under which number it left', () => {
    const { ask } = onTheShelf();
    ask('/reservations', reservation, 0);
    const { body } = ask('/shipments', { orderId: 'o1', carrier: 'post' }, 0);
    const left = ask('/dispatches', { orderId: 'o1', shipmentId: body.shipmentId }, 5_000);
    const recall = ask('/recalls', { orderId: 'o1' }, 5_001);
    expect(recall.body).toEqual({ outcome: 'already_shipped', trackingNumber: left.body.trackingNumber });
    expect(ask('/releases', { orderId: 'o1' }, 5_002)).toMatchObject({
      status: 422,
      body: { code: 'already_shipped' },
    });
  });

  test('a release of an order that never reserved closes it against a reservation that comes late', () => {
    const { ask, view } = onTheShelf();
    expect(ask('/releases', { orderId: 'o1' }, 0).body).toEqual({ restocked: 0 });
    expect(ask('/reservations', reservation, 1).status).toBe(410);
    expect(view('/shelf', 2)).toEqual({ TEA: 10, CUP: 3 });
  });
});

describe('faults', () => {
  test('a lost answer leaves the work done, and the repeat finds it', async () => {
    const service = await serviceOf(paymentDomain, { faults: new PlannedFaults({ kind: 'lost answer' }) });
    await expect(service.post('/authorizations', 'k1', authorization)).rejects.toThrow('fetch failed');
    expect((await service.post('/authorizations', 'k1', authorization)).status).toBe(201);
    expect(service.replayed()).toBe(1);
  });

  test('a false failure leaves the work done, an honest one does not', async () => {
    const service = await serviceOf(paymentDomain, {
      faults: new PlannedFaults({ kind: 'false failure' }, { kind: 'unavailable' }, { kind: 'reset' }),
    });
    expect((await service.post('/authorizations', 'k1', authorization)).status).toBe(502);
    const other = { ...authorization, orderId: 'o2' };
    expect((await service.post('/authorizations', 'k2', other)).status).toBe(503);
    await expect(service.post('/authorizations', 'k2', other)).rejects.toThrow('fetch failed');
    expect(await service.get('/balance')).toMatchObject({ body: { orders: 1 } });
    expect(service.faults).toEqual(['false failure', 'unavailable', 'reset']);
  });

  test('a slow answer is the right one', async () => {
    const service = await serviceOf(paymentDomain, { faults: new PlannedFaults({ kind: 'slow', delayMs: 20 }) });
    expect((await service.post('/authorizations', 'k1', authorization)).status).toBe(201);
  });

  test('the same seed brings the same luck, whatever else is asked for; a repeat has other luck', () => {
    const requests = Array.from({ length: 300 }, (_, index) => `order-${index}/charge`);
    const luckOf = (seed: number, order: string[]) => {
      const faults = new Faults(seed, 1);
      const luck = new Map(order.map((request) => [request, faults.next(request, 'mutate').kind]));
      return requests.map((request) => luck.get(request));
    };
    expect(luckOf(7, requests)).toEqual(luckOf(7, [...requests].reverse()));
    expect(luckOf(7, requests)).not.toEqual(luckOf(8, requests));
    const faults = new Faults(7, 1);
    const repeats = new Set(Array.from({ length: 200 }, () => faults.next('order-1/charge', 'mutate').kind));
    expect([...repeats]).toEqual(expect.arrayContaining(['none', 'unavailable', 'lost answer']));
  });

  test('every kind of fault happens, in about the intended share, and none at scale 0', () => {
    const counts = new Map<string, number>();
    const faults = new Faults(3, 1);
    const none = new Faults(3, 0);
    for (let index = 0; index < 10_000; index += 1) {
      const { kind } = faults.next(`k${index}`, 'mutate');
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      expect(none.next(`k${index}`, 'mutate').kind).toBe('none');
    }
    expect([...counts.keys()].sort()).toEqual([
      'false failure',
      'lost answer',
      'none',
      'reset',
      'slow',
      'stalled',
      'unavailable',
    ]);
    expect(counts.get('none')).toBeGreaterThan(7_500);
    expect(counts.get('none')).toBeLessThan(8_500);
  });

  test('a read never loses an answer after work, since it does none', () => {
    const faults = new Faults(5, 4);
    const kinds = new Set(Array.from({ length: 2_000 }, (_, index) => faults.next(`/shipments/${index}`, 'read').kind));
    expect(kinds).not.toContain('lost answer');
    expect(kinds).not.toContain('false failure');
    expect(kinds).toContain('reset');
  });
});

describe('recovery', () => {
  test('a service killed by SIGKILL knows everything it acknowledged', async () => {
    const dir = temporaryDir();
    const catalogue = join(dir, 'catalogue.json');
    writeFileSync(catalogue, JSON.stringify(CATALOGUE));
    const args = ['warehouse', '--file', join(dir, 'warehouse.jsonl'), '--catalogue', catalogue, '--faults', '0'];
    const first = await spawnService(args);
    const before = requestsTo(first.url);
    const reservation = { orderId: 'o1', items: [{ sku: 'TEA', quantity: 4 }] };
    const reserved = await before.post('/reservations', 'o1/reserve', reservation);
    await before.post('/reservations', 'o2/reserve', { orderId: 'o2', items: [{ sku: 'CUP', quantity: 1 }] });
    await before.post('/releases', 'o2/release', { orderId: 'o2' });
    const packing = await before.post('/shipments', 'o1/pack', { orderId: 'o1', carrier: 'post' });
    first.process.kill('SIGKILL');
    await first.gone;

    const after = requestsTo((await spawnService(args)).url);
    expect(await after.get('/shelf')).toEqual({ status: 200, body: { TEA: 6, CUP: 3 } });
    expect(await after.post('/reservations', 'o1/reserve', reservation)).toEqual(reserved);
    expect((await after.get(`/shipments/${packing.body.shipmentId}`)).body).toMatchObject({ boxes: 2 });
    const late = { orderId: 'o2', items: [{ sku: 'CUP', quantity: 1 }] };
    expect((await after.post('/reservations', 'o2/another', late)).status).toBe(410);
  });

  test('under a storm of repeats and kills each charge happens once', async () => {
    const dir = temporaryDir();
    const args = ['payment', '--file', join(dir, 'payment.jsonl'), '--faults', '2', '--seed', '9'];
    let service = await spawnService(args);
    /** As a worker does: the same key again until there is an answer. */
    const insist = async (path: string, key: string, body: unknown) => {
      for (;;) {
        const reply = await requestsTo(service.url)
          .post(path, key, body)
          .catch(() => undefined);
        if (reply && reply.status < 500) return reply;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const ids = Array.from({ length: 30 }, (_, index) => `o${index}`);
    const paid = Promise.all(
      ids.map(async (orderId) => {
        const { body } = await insist('/authorizations', `${orderId}/a`, { ...authorization, orderId });
        const charge = { orderId, amountCents: 2500, authorizationId: body.authorizationId };
        return insist('/charges', `${orderId}/c`, charge);
      }),
    );
    for (let kills = 0; kills < 3; kills += 1) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      service.process.kill('SIGKILL');
      await service.gone;
      service = await spawnService(args);
    }
    expect((await paid).map((reply) => reply.status)).toEqual(ids.map(() => 201));
    const kinds = readFileSync(join(dir, 'payment.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).effect.kind);
    expect(kinds.filter((kind) => kind === 'charged')).toHaveLength(30);
    expect(kinds.filter((kind) => kind === 'authorized')).toHaveLength(30);
  });
});

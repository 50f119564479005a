import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AuditReport, audit } from '../../examples/order-fulfillment/audit/audit.ts';
import { readBooks } from '../../examples/order-fulfillment/audit/books.ts';
import { summaryOf } from '../../examples/order-fulfillment/audit/summary.ts';
import type { OrderResult } from '../../examples/order-fulfillment/model.ts';
import { type Domain, Ledger, type LedgerRecord } from '../../examples/order-fulfillment/services/ledger.ts';
import { type PaymentEffect, paymentDomain } from '../../examples/order-fulfillment/services/payment.ts';
import { type WarehouseEffect, warehouseDomain } from '../../examples/order-fulfillment/services/warehouse.ts';
import type { Outcome } from '../../examples/order-fulfillment/supervisor/desk.ts';
import { Tally } from '../../examples/order-fulfillment/supervisor/tally.ts';
import { CATALOGUE, orderOf, temporaryDir } from './support.ts';

const SHIPPED = orderOf('shipped');
const REFUNDED = orderOf('refunded');
const DECLINED = orderOf('declined', { card: { token: 'tok_declined', brand: 'Visa', last4: '0002' } });
const INVALID = orderOf('invalid', { totalCents: 2400 });
const ORDERS = [SHIPPED, REFUNDED, DECLINED, INVALID];

type PaymentLine = LedgerRecord<PaymentEffect>;
type WarehouseLine = LedgerRecord<WarehouseEffect>;

interface World {
  payment: PaymentLine[];
  warehouse: WarehouseLine[];
  outcomes: Map<string, Outcome>;
}

let sound: World;
const cleanUps: (() => void)[] = [];
afterAll(() => {
  for (const cleanUp of cleanUps) cleanUp();
});

/** What the services write for one order of each kind. */
beforeAll(async () => {
  const dir = temporaryFiles((cleanUp) => cleanUps.push(cleanUp));
  const payment = await bookkeeper(paymentDomain, dir.payment);
  const warehouse = await bookkeeper(warehouseDomain(CATALOGUE, 1), dir.warehouse);
  for (const order of [SHIPPED, REFUNDED, DECLINED]) {
    const { orderId } = order;
    const items = order.lines.map(({ sku, quantity }) => ({ sku, quantity }));
    await warehouse('/reservations', { orderId, items }, 0);
    const { authorizationId } = await payment(
      '/authorizations',
      { orderId, amountCents: 2500, card: order.card.token },
      0,
    );
    if (authorizationId) await payment('/charges', { orderId, amountCents: 2500, authorizationId }, 0);
  }
  const { shipmentId } = await warehouse('/shipments', { orderId: 'shipped', carrier: 'post' }, 0);
  const { trackingNumber } = await warehouse('/dispatches', { orderId: 'shipped', shipmentId }, 60_000);
  for (const orderId of ['refunded', 'declined']) {
    await payment('/refunds', { orderId }, 0);
    await warehouse('/releases', { orderId }, 0);
  }
  const results: OrderResult[] = [
    {
      orderId: 'shipped',
      status: 'shipped',
      chargedCents: 2500,
      refundedCents: 0,
      trackingNumber: String(trackingNumber),
    },
    { orderId: 'refunded', status: 'rejected', chargedCents: 2500, refundedCents: 2500 },
    { orderId: 'declined', status: 'declined', chargedCents: 0, refundedCents: 0 },
    { orderId: 'invalid', status: 'invalid', chargedCents: 0, refundedCents: 0 },
  ];
  for (const { orderId, status } of results) {
    await payment('/messages', { orderId, email: 'ana@example.com', ending: status }, 0);
  }
  sound = {
    payment: linesOf<PaymentLine>(dir.payment),
    warehouse: linesOf<WarehouseLine>(dir.warehouse),
    outcomes: new Map(results.map((result) => [result.orderId, { kind: 'result', result }])),
  };
});

function temporaryFiles(atEnd?: (cleanUp: () => void) => void) {
  const dir = temporaryDir(atEnd);
  return { payment: join(dir, 'payment.jsonl'), warehouse: join(dir, 'warehouse.jsonl') };
}

async function bookkeeper<S, E>(domain: Domain<S, E>, file: string) {
  const ledger = await Ledger.open(domain, file);
  cleanUps.push(() => void ledger.close());
  let calls = 0;
  return async (path: string, body: unknown, now: number) => {
    calls += 1;
    const answer = await ledger.perform({ key: `k${calls}`, path, body, now });
    // Answers of the services are objects.
    return answer.body as Record<string, unknown>;
  };
}

function linesOf<R>(file: string): R[] {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as R);
}

/** Audits a world that `plant` has spoilt. */
function auditOf(plant: (world: World) => void = () => {}): AuditReport {
  const world = structuredClone(sound);
  plant(world);
  const files = temporaryFiles();
  for (const name of ['payment', 'warehouse'] as const) {
    writeFileSync(files[name], world[name].map((record) => `${JSON.stringify(record)}\n`).join(''));
  }
  return audit({ orders: ORDERS, catalogue: CATALOGUE, outcomes: world.outcomes, books: readBooks(files) });
}

function found(report: AuditReport): string[] {
  return report.discrepancies.map(({ orderId, what }) => `${orderId ?? 'all'}: ${what}`);
}

/** Keeps the numbering whole, so that only the planted fault is there to be found. */
function renumber(records: { seq: number }[]): void {
  for (const [index, record] of records.entries()) record.seq = index + 1;
}

function remove<R extends { seq: number; effect: { kind: string; orderId: string } }>(
  records: R[],
  kind: R['effect']['kind'],
  orderId: string,
): void {
  const index = records.findIndex(({ effect }) => effect.kind === kind && effect.orderId === orderId);
  expect(index).toBeGreaterThanOrEqual(0);
  records.splice(index, 1);
  renumber(records);
}

function repeat<R extends { seq: number; key: string; effect: { kind: string; orderId: string } }>(
  records: R[],
  kind: R['effect']['kind'],
  orderId: string,
): void {
  const record = records.find(({ effect }) => effect.kind === kind && effect.orderId === orderId);
  if (!record) throw new Error(`no ${kind} of ${orderId} to repeat`);
  records.push({ ...structuredClone(record), key: `${record.key}-again` });
  renumber(records);
}

function spoilResult(world: World, orderId: string, change: Partial<OrderResult>): void {
  const outcome = world.outcomes.get(orderId);
  if (outcome?.kind !== 'result') throw new Error(`no result of ${orderId} to spoil`);
  Object.assign(outcome.result, change);
}

test('sound books balance', () => {
  const report = auditOf();
  expect(found(report)).toEqual([]);
  expect(report).toMatchObject({ chargedCents: 5000, refundedCents: 2500, earnedCents: 2500, tillCents: 2500 });
  expect(report).toMatchObject({ piecesAtStart: 13, piecesShipped: 2, piecesOnShelf: 11 });
});

describe('the audit finds', () => {
  const cases: [string, (world: World) => void, RegExp][] = [
    ['a double charge', (w) => repeat(w.payment, 'charged', 'shipped'), /^shipped: charged 2 times: €25\.00, €25\.00/],
    [
      'a missing charge',
      (w) => remove(w.payment, 'charged', 'shipped'),
      /^shipped: shipped, charged €0\.00 where €25\.00/,
    ],
    [
      'a missing refund',
      (w) => remove(w.payment, 'refunded', 'refunded'),
      /^refunded: .*€25\.00 of the customer's money/,
    ],
    ['a double refund', (w) => repeat(w.payment, 'refunded', 'refunded'), /^refunded: refunded 2 times/],
    [
      'money still held on a card',
      (w) => {
        remove(w.payment, 'charged', 'refunded');
        remove(w.payment, 'refunded', 'refunded');
        spoilResult(w, 'refunded', { chargedCents: 0, refundedCents: 0 });
      },
      /^refunded: .*€25\.00 are still held/,
    ],
    ['a parcel sent twice', (w) => repeat(w.warehouse, 'shipped', 'shipped'), /^shipped: shipped 2 times/],
    ['a parcel never sent', (w) => remove(w.warehouse, 'shipped', 'shipped'), /^shipped: .*never handed it over/],
    ['lost stock', (w) => remove(w.warehouse, 'restocked', 'refunded'), /^refunded: .*not all of its reserved pieces/],
    [
      'a wrong count on the shelf',
      (w) => {
        const last = w.warehouse.findLast(({ effect }) => effect.kind === 'restocked');
        if (last?.effect.kind !== 'restocked' || !last.effect.shelf[0]) throw new Error('nothing restocked');
        last.effect.shelf[0].quantity -= 1;
      },
      /^all: stock of Tea \(TEA\): the shelf states 7/,
    ],
    [
      'a wrong till',
      (w) => {
        const last = w.payment.findLast(({ effect }) => effect.kind === 'refunded');
        if (last?.effect.kind !== 'refunded') throw new Error('nothing refunded');
        last.effect.balanceCents += 1;
      },
      /^all: money: the till states €25\.01/,
    ],
    [
      'a result that claims less',
      (w) => spoilResult(w, 'shipped', { chargedCents: 2499 }),
      /^shipped: result: charged €24\.99/,
    ],
    ['an order without an end', (w) => w.outcomes.delete('declined'), /^declined: has not ended/],
    [
      'a workflow that failed',
      (w) => w.outcomes.set('declined', { kind: 'failed', why: 'boom' }),
      /^declined: its workflow failed .*boom/,
    ],
    [
      'a shipped order reported as timed out',
      (w) => spoilResult(w, 'shipped', { status: 'shipping_timed_out' }),
      /^shipped: ended as 'shipping_timed_out', but was shipped/,
    ],
    [
      'a customer told nothing',
      (w) => remove(w.payment, 'messaged', 'shipped'),
      /^shipped: .*the customer was told \[\]/,
    ],
    [
      'a customer told twice',
      (w) => repeat(w.payment, 'messaged', 'shipped'),
      /^shipped: the customer was told 2 times/,
    ],
    ['a gap in a file', (w) => w.payment.splice(2, 1), /payment: record 4 stands where 3 should/],
    [
      'a request performed twice',
      (w) => {
        const [first, second] = w.payment;
        if (first && second) second.key = first.key;
      },
      /payment: the request 'k1' was performed twice/,
    ],
    [
      'an order the shop never had',
      (w) => {
        for (const record of w.payment) if (record.effect.orderId === 'declined') record.effect.orderId = 'stranger';
      },
      /^stranger: the services know this order, the shop does not/,
    ],
    [
      'an unforeseen refusal',
      (w) => spoilResult(w, 'refunded', { status: 'failed' }),
      /^refunded: a service refused it/,
    ],
  ];

  test.each(cases)('%s', (_, plant, expected) => {
    const report = auditOf(plant);
    expect(found(report)).toContainEqual(expect.stringMatching(expected));
  });
});

test('a missing file is a discrepancy, not a crash', () => {
  const files = temporaryFiles();
  const report = audit({ orders: [], catalogue: CATALOGUE, outcomes: new Map(), books: readBooks(files) });
  expect(found(report)).toEqual([
    expect.stringMatching(/payment: its file .* is missing/),
    expect.stringMatching(/warehouse: its file .* is missing/),
  ]);
});

describe('the summary', () => {
  const summary = (report: AuditReport) => {
    return summaryOf({
      report,
      outcomes: sound.outcomes,
      tally: new Tally(),
      approvals: { approved: 0, rejected: 1, unanswered: 0 },
      repeatedCalls: 0,
      seconds: 1,
      records: { payment: 9, warehouse: 7 },
    });
  };

  test('says that the books balance when they do', () => {
    expect(summary(auditOf())).toContain('The books balance: 4 orders');
  });

  test('says which order does not, when they do not', () => {
    const text = summary(auditOf((world) => repeat(world.payment, 'charged', 'shipped')));
    expect(text).toContain('The books do NOT balance');
    expect(text).toMatch(/✗.*shipped.*: charged 2 times/);
  });
});

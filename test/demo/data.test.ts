import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dataFiles, generate } from '../../examples/order-fulfillment/generate-data.ts';
import { type Order, validateOrder } from '../../examples/order-fulfillment/model.ts';
import { CATALOGUE_FILE, ORDERS_FILE } from '../../examples/order-fulfillment/paths.ts';
import { decisionFor } from '../../examples/order-fulfillment/supervisor/desk.ts';

const { orders, catalogue } = generate();

test('the data files are what the generator writes', () => {
  const files = dataFiles();
  expect(readFileSync(ORDERS_FILE, 'utf8')).toBe(files.orders);
  expect(readFileSync(CATALOGUE_FILE, 'utf8')).toBe(files.catalogue);
});

test('orders name goods and carriers of the catalogue, at its prices, and have ids of their own', () => {
  const prices = new Map(catalogue.products.map((product) => [product.sku, product.unitPriceCents]));
  const carriers = new Map(catalogue.carriers.map((carrier) => [carrier.id, carrier.priceCents]));
  for (const order of orders) {
    for (const line of order.lines) expect(prices.get(line.sku)).toBe(line.unitPriceCents);
    expect(carriers.get(order.carrier)).toBe(order.shippingCents);
  }
  expect(new Set(orders.map((order) => order.orderId)).size).toBe(300);
});

const kinds: [string, (order: Order) => boolean][] = [
  ['to be approved', (order) => order.totalCents >= 100_000],
  ['with a card that is refused', (order) => /declined|expired|insufficient/.test(order.card.token)],
  ['for scarce goods', (order) => order.lines.some((line) => /COF-GEIS|MUG-JUBI|TEA-WHIT/.test(line.sku))],
  ['by a carrier that never comes', (order) => order.carrier === 'ferry'],
  ['that do not add up', (order) => validateOrder(order) !== undefined],
];

test.each(kinds)('there are orders %s, also among the first 25, and they are a minority', (_, isOne) => {
  expect(orders.slice(0, 25).filter(isOne).length).toBeGreaterThanOrEqual(1);
  expect(orders.filter(isOne).length).toBeGreaterThanOrEqual(2);
  expect(orders.filter(isOne).length).toBeLessThan(60);
});

test('only scarce goods run out', () => {
  const demand = new Map<string, number>();
  for (const line of orders.flatMap((order) => order.lines)) {
    demand.set(line.sku, (demand.get(line.sku) ?? 0) + line.quantity);
  }
  const short = catalogue.products.filter(({ sku, stock }) => (demand.get(sku) ?? 0) > stock).map(({ sku }) => sku);
  expect(short.sort()).toEqual(['COF-GEIS-250', 'MUG-JUBI-25', 'TEA-WHIT-50']);
});

test('the approver approves most, rejects some and leaves some lying, whatever the seed', () => {
  for (const seed of [1, 42, 99_999]) {
    const decisions = Array.from({ length: 400 }, (_, index) => decisionFor(`order-${index}`, seed));
    const approved = decisions.filter((decision) => decision?.approved === true).length;
    const unanswered = decisions.filter((decision) => decision === undefined).length;
    expect(approved).toBeGreaterThan(240);
    expect(unanswered).toBeGreaterThan(20);
    expect(400 - approved - unanswered).toBeGreaterThan(20);
  }
});

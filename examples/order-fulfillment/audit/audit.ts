// Holds the workflows' results against the services' files: every order ended, charged at most once, shipped at most once, and
// money and stock balance to the cent and the piece. A discrepancy names its order.

import { type Catalogue, ENDINGS, euros, type Order, type OrderResult, totalOf, validateOrder } from '../model.ts';
import type { StockItem } from '../services/warehouse.ts';
import type { Outcome } from '../supervisor/desk.ts';
import { type Books, booksOf, type OrderBooks } from './books.ts';

export interface Discrepancy {
  /** Absent when it concerns the whole. */
  orderId?: string;
  what: string;
}

export interface AuditReport {
  discrepancies: Discrepancy[];
  orders: number;
  chargedCents: number;
  refundedCents: number;
  /** What shipped orders are worth. */
  earnedCents: number;
  tillCents: number;
  piecesAtStart: number;
  piecesOnShelf: number;
  piecesShipped: number;
}

export interface AuditInput {
  orders: readonly Order[];
  catalogue: Catalogue;
  outcomes: ReadonlyMap<string, Outcome>;
  books: Books;
}

export function audit({ orders, catalogue, outcomes, books }: AuditInput): AuditReport {
  const discrepancies: Discrepancy[] = books.problems.map((problem) => ({ ...problem }));
  const known = new Set(orders.map((order) => order.orderId));
  for (const orderId of books.orders.keys()) {
    if (!known.has(orderId)) discrepancies.push({ orderId, what: 'the services know this order, the shop does not' });
  }
  for (const order of orders) {
    const found = auditOrder(order, outcomes.get(order.orderId), booksOf(books, order.orderId));
    for (const what of found) discrepancies.push({ orderId: order.orderId, what });
  }
  const money = auditMoney(orders, outcomes, books);
  const stock = auditStock(catalogue, books);
  return {
    discrepancies: [...discrepancies, ...money.discrepancies, ...stock.discrepancies],
    orders: orders.length,
    ...money.sums,
    ...stock.sums,
  };
}

function auditOrder(order: Order, outcome: Outcome | undefined, books: OrderBooks): string[] {
  const wrong: string[] = [];
  const check = (holds: boolean, what: () => string) => {
    if (!holds) wrong.push(what());
  };

  // What must hold whatever the workflow says.
  const charged = sum(books.charges);
  const refunded = sum(books.refunds);
  check(
    books.charges.length <= 1,
    () => `charged ${books.charges.length} times: ${books.charges.map(euros).join(', ')}`,
  );
  check(
    books.refunds.length <= 1,
    () => `refunded ${books.refunds.length} times: ${books.refunds.map(euros).join(', ')}`,
  );
  check(books.shipped.length <= 1, () => `shipped ${books.shipped.length} times: ${books.trackingNumbers.join(', ')}`);
  check(books.reserved.length <= 1, () => `stock was reserved ${books.reserved.length} times`);
  check(books.messages.length <= 1, () => `the customer was told ${books.messages.length} times`);
  check(refunded <= charged, () => `refunded ${euros(refunded)} of ${euros(charged)} charged`);

  if (outcome === undefined) return [...wrong, 'has not ended: no result'];
  if (outcome.kind === 'failed') return [...wrong, `its workflow failed instead of ending the order: ${outcome.why}`];
  const { result } = outcome;
  check(result.orderId === order.orderId, () => `its workflow returned the result of ${result.orderId}`);
  check(ENDINGS.includes(result.status), () => `ended as '${result.status}', which is no way to end`);
  check(result.status !== 'failed', () => `a service refused it in a way the workflow does not know: ${result.reason}`);
  check(
    result.chargedCents === charged,
    () => `result: charged ${euros(result.chargedCents)}; books: ${euros(charged)}`,
  );
  check(
    result.refundedCents === refunded,
    () => `result: refunded ${euros(result.refundedCents)}; books: ${euros(refunded)}`,
  );
  check(books.messages.length === 1 && books.messages[0] === result.status, () => {
    return `ended as '${result.status}', but the customer was told [${books.messages.join(', ')}]`;
  });
  return [
    ...wrong,
    ...(result.status === 'shipped' ? auditShipped(order, result, books) : auditUndone(order, result, books)),
  ];
}

/** Charged in full, once, and every piece ordered has left. */
function auditShipped(order: Order, result: OrderResult, books: OrderBooks): string[] {
  const wrong: string[] = [];
  const due = totalOf(order);
  if (sum(books.charges) !== due)
    wrong.push(`shipped, charged ${euros(sum(books.charges))} where ${euros(due)} is due`);
  if (sum(books.refunds) !== 0) wrong.push(`shipped, and refunded ${euros(sum(books.refunds))} all the same`);
  if (books.shipped.length === 0) wrong.push('the workflow says shipped, the warehouse never handed it over');
  const ordered = pieces([order.lines]);
  if (books.shipped.length > 0 && !same(pieces(books.shipped), ordered))
    wrong.push('shipped other pieces than ordered');
  if (!same(pieces(books.reserved), ordered)) wrong.push('shipped, but other pieces than ordered were reserved');
  if (books.restocked.length > 0) wrong.push('shipped, and its pieces were put back on the shelf all the same');
  if (books.trackingNumbers[0] !== result.trackingNumber) {
    wrong.push(`tracking number ${result.trackingNumber ?? 'missing'}; the warehouse has ${books.trackingNumbers[0]}`);
  }
  return wrong;
}

/** Nothing left, nothing kept: neither money nor pieces. */
function auditUndone(order: Order, result: OrderResult, books: OrderBooks): string[] {
  const wrong: string[] = [];
  const kept = sum(books.charges) - sum(books.refunds);
  if (kept !== 0) wrong.push(`ended as '${result.status}', but ${euros(kept)} of the customer's money was kept`);
  const held = books.authorizedCents - sum(books.charges) - books.voidedCents;
  if (held !== 0) wrong.push(`ended as '${result.status}', but ${euros(held)} are still held on the card`);
  if (books.shipped.length > 0)
    wrong.push(`ended as '${result.status}', but was shipped as ${books.trackingNumbers[0]}`);
  if (!same(pieces(books.reserved), pieces(books.restocked))) {
    wrong.push(`ended as '${result.status}', but not all of its reserved pieces are back on the shelf`);
  }
  if (result.status === 'declined' && books.declines.length === 0)
    wrong.push('ended as declined, but no card was declined');
  if (result.status === 'invalid' && validateOrder(order) === undefined) wrong.push('ended as invalid, but is valid');
  if (result.status === 'invalid' && books.reserved.length + books.charges.length > 0) {
    wrong.push('ended as invalid, but the services were asked for it');
  }
  return wrong;
}

function auditMoney(orders: readonly Order[], outcomes: ReadonlyMap<string, Outcome>, books: Books) {
  const discrepancies: Discrepancy[] = [];
  const all = [...books.orders.values()];
  const chargedCents = sum(all.flatMap((order) => order.charges));
  const refundedCents = sum(all.flatMap((order) => order.refunds));
  const earnedCents = sum(orders.map((order) => (isShipped(outcomes.get(order.orderId)) ? totalOf(order) : 0)));
  if (chargedCents - refundedCents !== earnedCents) {
    const left = `${euros(chargedCents)} charged − ${euros(refundedCents)} refunded = ${euros(chargedCents - refundedCents)}`;
    discrepancies.push({ what: `money: ${left}, but shipped orders are worth ${euros(earnedCents)}` });
  }
  if (books.statedBalanceCents !== chargedCents - refundedCents) {
    const ought = euros(chargedCents - refundedCents);
    discrepancies.push({
      what: `money: the till states ${euros(books.statedBalanceCents)} where its records give ${ought}`,
    });
  }
  return { discrepancies, sums: { chargedCents, refundedCents, earnedCents, tillCents: books.statedBalanceCents } };
}

function auditStock(catalogue: Catalogue, books: Books) {
  const discrepancies: Discrepancy[] = [];
  const all = [...books.orders.values()];
  const reserved = pieces(all.flatMap((order) => order.reserved));
  const restocked = pieces(all.flatMap((order) => order.restocked));
  const shipped = pieces(all.flatMap((order) => order.shipped));
  const sums = { piecesAtStart: 0, piecesOnShelf: 0, piecesShipped: 0 };
  for (const { sku, name, stock } of catalogue.products) {
    const gone = shipped.get(sku) ?? 0;
    const onShelf = stock - (reserved.get(sku) ?? 0) + (restocked.get(sku) ?? 0);
    const stated = books.statedShelf.get(sku) ?? stock;
    sums.piecesAtStart += stock;
    sums.piecesOnShelf += stated;
    sums.piecesShipped += gone;
    if (stated !== onShelf) {
      discrepancies.push({
        what: `stock of ${name} (${sku}): the shelf states ${stated} where its records give ${onShelf}`,
      });
    }
    if (stated + gone !== stock) {
      discrepancies.push({ what: `stock of ${name} (${sku}): ${stock} at first, ${gone} shipped, ${stated} left` });
    }
    if (stated < 0) discrepancies.push({ what: `stock of ${name} (${sku}): ${stated} pieces on the shelf` });
  }
  return { discrepancies, sums };
}

function isShipped(outcome: Outcome | undefined): boolean {
  return outcome?.kind === 'result' && outcome.result.status === 'shipped';
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function pieces(lists: readonly (readonly StockItem[])[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { sku, quantity } of lists.flat()) counts.set(sku, (counts.get(sku) ?? 0) + quantity);
  return counts;
}

function same(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([sku, count]) => b.get(sku) === count);
}

// Reads the services' files and does their sums again, from the effects alone: what each order was charged, refunded, sent and
// told, and what is left in the till and on the shelf. Shares no code with the services, so that it cannot share their mistakes.

import { existsSync, readFileSync } from 'node:fs';
import type { LedgerRecord } from '../services/ledger.ts';
import type { PaymentEffect } from '../services/payment.ts';
import type { StockItem, WarehouseEffect } from '../services/warehouse.ts';

/** What the files say of one order. */
export interface OrderBooks {
  authorizedCents: number;
  voidedCents: number;
  charges: number[];
  refunds: number[];
  declines: string[];
  messages: string[];
  reserved: StockItem[][];
  restocked: StockItem[][];
  shipped: StockItem[][];
  trackingNumbers: string[];
}

export interface Books {
  orders: Map<string, OrderBooks>;
  /** Till as the last payment record states it. */
  statedBalanceCents: number;
  /** Pieces a SKU as the last warehouse record that touched it states them. */
  statedShelf: Map<string, number>;
  /** Faults of the files themselves: a gap, a repeated key, an order of two effects that cannot be. */
  problems: { orderId?: string; what: string }[];
  records: { payment: number; warehouse: number };
}

export interface BookFiles {
  payment: string;
  warehouse: string;
}

export function readBooks(files: BookFiles): Books {
  const books: Books = {
    orders: new Map(),
    statedBalanceCents: 0,
    statedShelf: new Map(),
    problems: [],
    records: { payment: 0, warehouse: 0 },
  };
  const payment = readRecords<PaymentEffect>('payment', files.payment, books);
  for (const { effect } of payment) addPayment(books, effect);
  const warehouse = readRecords<WarehouseEffect>('warehouse', files.warehouse, books);
  for (const { effect } of warehouse) addWarehouse(books, effect);
  books.records = { payment: payment.length, warehouse: warehouse.length };
  return books;
}

export function booksOf(books: Books, orderId: string): OrderBooks {
  const known = books.orders.get(orderId);
  if (known) return known;
  const fresh: OrderBooks = {
    authorizedCents: 0,
    voidedCents: 0,
    charges: [],
    refunds: [],
    declines: [],
    messages: [],
    reserved: [],
    restocked: [],
    shipped: [],
    trackingNumbers: [],
  };
  books.orders.set(orderId, fresh);
  return fresh;
}

function readRecords<E extends { orderId: string }>(name: string, path: string, books: Books): LedgerRecord<E>[] {
  if (!existsSync(path)) {
    books.problems.push({ what: `${name}: its file ${path} is missing` });
    return [];
  }
  const lines = readFileSync(path, 'utf8').split('\n');
  // A line without its newline was never acknowledged.
  const complete = lines.slice(0, -1);
  const records: LedgerRecord<E>[] = [];
  const keys = new Set<string>();
  for (const [index, line] of complete.entries()) {
    let record: LedgerRecord<E>;
    try {
      record = JSON.parse(line);
    } catch {
      books.problems.push({ what: `${name}: line ${index + 1} of ${path} is not JSON` });
      continue;
    }
    const { orderId } = record.effect;
    if (record.seq !== index + 1) {
      books.problems.push({ orderId, what: `${name}: record ${record.seq} stands where ${index + 1} should` });
    }
    if (keys.has(record.key)) {
      books.problems.push({ orderId, what: `${name}: the request '${record.key}' was performed twice` });
    }
    keys.add(record.key);
    records.push(record);
  }
  return records;
}

function addPayment(books: Books, effect: PaymentEffect): void {
  const order = booksOf(books, effect.orderId);
  switch (effect.kind) {
    case 'authorized':
      order.authorizedCents += effect.amountCents;
      return;
    case 'declined':
      order.declines.push(effect.code);
      return;
    case 'charged':
      order.charges.push(effect.amountCents);
      books.statedBalanceCents = effect.balanceCents;
      return;
    case 'refunded':
      if (effect.refundedCents > 0) order.refunds.push(effect.refundedCents);
      order.voidedCents += effect.voidedCents;
      books.statedBalanceCents = effect.balanceCents;
      return;
    case 'messaged':
      order.messages.push(effect.ending);
      return;
  }
}

function addWarehouse(books: Books, effect: WarehouseEffect): void {
  const order = booksOf(books, effect.orderId);
  switch (effect.kind) {
    case 'reserved':
      order.reserved.push(effect.items);
      for (const { sku, quantity } of effect.shelf) books.statedShelf.set(sku, quantity);
      return;
    case 'restocked':
      if (effect.items.length > 0) order.restocked.push(effect.items);
      for (const { sku, quantity } of effect.shelf) books.statedShelf.set(sku, quantity);
      return;
    case 'shipped':
      order.shipped.push(effect.items);
      order.trackingNumbers.push(effect.trackingNumber);
      return;
    case 'out of stock':
    case 'packing':
    case 'recalled':
      return;
  }
}

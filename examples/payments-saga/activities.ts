// What the saga asks of the world: a bank and a shop, here in memory. Each step takes a key, so that a repeat of it is no second step.

import { ApplicationFailure } from 'tenuto/activity';

export interface Payment {
  account: string;
  item: string;
  /** Cents. */
  amount: number;
}

/** The books, by key: what a real bank and shop would keep. */
export const books = {
  charged: new Map<string, number>(),
  reserved: new Map<string, string>(),
  stock: new Map([
    ['kettle', 1],
    ['piano', 0],
  ]),
};

export async function charge(key: string, { account, amount }: Payment): Promise<void> {
  if (amount > 100_000) throw ApplicationFailure.nonRetryable(`${account} has not that much`, 'NotCovered');
  books.charged.set(key, amount);
}

export async function refund(key: string): Promise<void> {
  books.charged.delete(key);
}

export async function reserve(key: string, { item }: Payment): Promise<void> {
  const left = books.stock.get(item) ?? 0;
  if (books.reserved.has(key)) return;
  if (left === 0) throw ApplicationFailure.nonRetryable(`no ${item} is left`, 'SoldOut');
  books.stock.set(item, left - 1);
  books.reserved.set(key, item);
}

export async function release(key: string): Promise<void> {
  const item = books.reserved.get(key);
  if (item === undefined) return;
  books.reserved.delete(key);
  books.stock.set(item, (books.stock.get(item) ?? 0) + 1);
}

export async function ship(_key: string, { account }: Payment): Promise<string> {
  if (account === 'nowhere') throw ApplicationFailure.nonRetryable('there is no such address', 'NoAddress');
  return `parcel for ${account}`;
}

import { describe, expect, test } from 'vitest';
import { Saga } from '../../examples/order-fulfillment/saga.ts';

describe('a saga', () => {
  test('undoes what was done in reverse order, one after the other', async () => {
    const log: string[] = [];
    const saga = new Saga();
    for (const name of ['restock', 'refund', 'recall']) {
      saga.add(name, async () => {
        log.push(`begin ${name}`);
        await Promise.resolve();
        log.push(`end ${name}`);
      });
    }
    const undone: string[] = [];
    await saga.compensate((name) => undone.push(name));
    expect(log).toEqual(['begin recall', 'end recall', 'begin refund', 'end refund', 'begin restock', 'end restock']);
    expect(undone).toEqual(['recall', 'refund', 'restock']);
  });

  test('does nothing when nothing was done', async () => {
    await expect(new Saga().compensate()).resolves.toBeUndefined();
  });

  test('goes on with the undo that failed, and undoes nothing twice', async () => {
    const log: string[] = [];
    const saga = new Saga();
    saga.add('restock', async () => void log.push('restock'));
    let fails = true;
    saga.add('refund', async () => {
      if (fails) throw new Error('the bank is closed');
      log.push('refund');
    });
    saga.add('recall', async () => void log.push('recall'));
    await expect(saga.compensate()).rejects.toThrow('the bank is closed');
    expect(log).toEqual(['recall']);
    fails = false;
    await saga.compensate();
    await saga.compensate();
    expect(log).toEqual(['recall', 'refund', 'restock']);
  });
});

// The examples of the guides do what the guides say.
import { expect, it } from 'vitest';
import { run as payments } from '../../examples/payments-saga/main.ts';
import { run as provisioning } from '../../examples/provisioning/main.ts';

it('payments saga: what fails is taken back, and nothing else', { timeout: 60_000 }, async () => {
  const { outcomes, books } = await payments();
  expect(outcomes).toEqual({
    kettle: 'parcel for ada',
    piano: 'payment payment-piano was taken back',
    castle: 'payment payment-castle was taken back',
  });
  expect([...books.charged]).toEqual([['payment-kettle', 4_900]]);
  expect([...books.reserved]).toEqual([['payment-kettle', 'kettle']]);
  expect(books.stock.get('kettle')).toBe(0);
});

it('provisioning: waits for a decision, by somebody else, up to a bound', { timeout: 60_000 }, async () => {
  expect(await provisioning()).toEqual({
    stages: {
      ...{ before: 'waiting', wanted: { ready: 'ssh build-7.example.com' } },
      ...{ frowned: 'refused', forgotten: 'expired' },
    },
    told: ['somebody else has to decide', 'approved by grace', 'refused by grace'],
    machines: ['build-7'],
  });
});

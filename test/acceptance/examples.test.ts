// The examples of the guides do what the guides say.
import { expect, it } from 'vitest';
import { run as jobs } from '../../examples/background-jobs/main.ts';
import { run as pipeline } from '../../examples/data-pipeline/main.ts';
import { run as payments } from '../../examples/payments-saga/main.ts';
import { run as provisioning } from '../../examples/provisioning/main.ts';
import { run as subscription } from '../../examples/subscription/main.ts';
import { run as tuning } from '../../examples/worker-tuning/main.ts';

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

it('data pipeline: 1,000 activities at once, each counted', { timeout: 60_000 }, async () => {
  expect(await pipeline()).toBe(4_000);
});

it('subscription: charges over several runs, by the plan it has', { timeout: 60_000 }, async () => {
  const { ended, charged } = await subscription();
  expect(ended).toMatchObject({ account: 'ada', plan: 'large' });
  expect(ended.periods).toBeGreaterThanOrEqual(5);
  expect(charged).toHaveLength(ended.periods);
  expect(charged.slice(0, 2)).toEqual(['ada small', 'ada small']);
  expect(charged.at(-1)).toBe('ada large');
});

it('background jobs: each ends once, by itself', { timeout: 60_000 }, async () => {
  expect(await jobs()).toEqual({
    made: {
      cat: 'cat.small.png (attempt 1)',
      dog: 'dog.small.png (attempt 1)',
      'slow-disk': 'slow-disk.small.png (attempt 2)',
      fox: 'fox.small.png (attempt 1)',
      owl: 'owl.small.png (attempt 1)',
    },
    failed: { 'broken-1': 'broken-1 is no picture', 'broken-2': 'broken-2 is no picture' },
    again: 'refused',
    completed: 5,
  });
});

it('worker tuning: two workers share what there is, and give all of it back', { timeout: 60_000 }, async () => {
  const { films, peak, used, back, shorts } = await tuning();
  expect(films).toEqual([10, 10]);
  expect(peak).toBeLessThanOrEqual(4);
  expect(used).toEqual({ trailers: 10, features: 10 });
  expect([back, shorts]).toEqual([4, 12]);
});

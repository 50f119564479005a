import { describe, expect, test } from 'vitest';
import { euros } from '../../examples/order-fulfillment/model.ts';
import { parseOptions } from '../../examples/order-fulfillment/supervisor/options.ts';
import { countStandings } from '../../examples/order-fulfillment/supervisor/view.ts';

describe('the command line', () => {
  test('has defaults for everything', () => {
    const parsed = parseOptions([], 300);
    expect(parsed).toMatchObject({
      kind: 'run',
      options: {
        orders: 300,
        mode: 'calm',
        atEnd: 'stop',
        dataDir: undefined,
        store: undefined,
        concurrency: 48,
        address: undefined,
        worker: 'own',
        services: { ip: '127.0.0.1', port: 0 },
      },
    });
  });

  test('takes every option', () => {
    const argv = '--orders 25 --seed 7 --chaos --keep --data-dir d --concurrency 3'.split(' ');
    expect(parseOptions(argv, 300)).toEqual({
      kind: 'run',
      options: {
        orders: 25,
        seed: 7,
        mode: 'chaos',
        atEnd: 'stay up',
        dataDir: 'd',
        concurrency: 3,
        address: undefined,
        worker: 'own',
        services: { ip: '127.0.0.1', port: 0 },
      },
    });
  });

  test('takes a server and a worker that are there already', () => {
    const argv = '--address node-1:7280 --no-worker --services 0.0.0.0:8081'.split(' ');
    expect(parseOptions(argv, 300)).toMatchObject({
      kind: 'run',
      options: { address: 'node-1:7280', worker: 'elsewhere', services: { ip: '0.0.0.0', port: 8_081 } },
    });
  });

  test.each([
    [['--orders', '301'], /--orders 301: a whole number from 1 to 300/],
    [['--orders', '0'], /--orders 0/],
    [['--orders', 'ten'], /--orders ten/],
    [['--seed', '1.5'], /--seed 1\.5/],
    [['--concurrency', '0'], /--concurrency 0/],
    [['--kaos'], /--kaos/],
    [['--services', '0.0.0.0'], /--services 0\.0\.0\.0: IP:PORT is needed/],
    [['--services', '0.0.0.0:65535'], /a port from 1 to 65534/],
    [['--chaos', '--address', 'a:1'], /leave out --address/],
    [['--chaos', '--no-worker'], /leave out .*--no-worker/],
  ])('refuses %j and says why', (argv, message) => {
    expect(parseOptions(argv, 300)).toEqual({ kind: 'usage', message: expect.stringMatching(message) });
  });

  test('--help wins', () => {
    expect(parseOptions(['--help'], 300)).toEqual({ kind: 'help' });
  });
});

test.each([
  [0, '€0.00'],
  [5, '€0.05'],
  [123_456, '€1,234.56'],
  [100_000_000, '€1,000,000.00'],
  [-2_505, '-€25.05'],
])('%d cents are %s', (cents, text) => {
  expect(euros(cents)).toBe(text);
});

test('standings are counted by step and ending', () => {
  const result = { orderId: 'c', status: 'declined', chargedCents: 0, refundedCents: 0 } as const;
  const counts = countStandings(
    new Map([
      ['a', { phase: 'waiting' }],
      ['b', { phase: 'running', step: 'charging' }],
      ['c', { phase: 'ended', outcome: { kind: 'result', result } }],
      ['d', { phase: 'ended', outcome: { kind: 'failed', why: 'boom' } }],
    ]),
  );
  expect(counts).toEqual({
    total: 4,
    waiting: 1,
    ended: 2,
    steps: new Map([['charging', 1]]),
    endings: new Map([
      ['declined', 1],
      ['failed', 1],
    ]),
  });
});

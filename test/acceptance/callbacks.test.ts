// Completion callbacks from outside: the example, and the command line.

import { afterEach, describe, expect, it } from 'vitest';
import { run as runExample } from '../../examples/callbacks/main.ts';
import { receive } from '../../examples/callbacks/receiver.ts';
import { type AtEnd, startServer, tenuto } from '../support/processes.ts';

const undo: (() => unknown)[] = [];
const atEnd: AtEnd = (step) => undo.push(step);
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

describe('completion callbacks', () => {
  it('are heard of by the example’s receiver, once each, signed', async () => {
    expect(await runExample()).toEqual([
      { state: 'succeeded', tenant: 'shop-1', body: { order: 'order-1', amount: 20 } },
      { state: 'failed', tenant: 'shop-1', body: expect.objectContaining({ message: 'nothing to pay for order-2' }) },
    ]);
  });

  it('are attached and shown on the command line, and refused where the server names no address', async () => {
    const { url, server } = await receive('nobody-knows-this-one');
    atEnd(() => server.close());
    const host = new URL(url).host;
    const node = await startServer(['start-dev', '--port', '0', '--callback-address', host], { atEnd });
    const env = { TENUTO_ADDRESS: node.address };
    const start = ['workflow', 'start', '--type', 'pay', '-t', 'payments', '-w', 'p1', '--callback-url'];
    expect(await tenuto([...start, 'https://elsewhere.test/'], { env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('elsewhere.test is none of the addresses'),
    });
    expect((await tenuto([...start, url], { env })).code).toBe(0);
    const described = async () =>
      JSON.parse((await tenuto(['workflow', 'describe', '-w', 'p1', '-o', 'json'], { env })).stdout);
    expect((await described()).callbacks).toMatchObject([{ url, state: 'STANDBY', attempt: 0 }]);
    await tenuto(['workflow', 'terminate', '-w', 'p1'], { env });
    // It is not signed, so the receiver refuses it for good.
    await expect.poll(async () => (await described()).callbacks).toMatchObject([{ state: 'FAILED', attempt: 1 }]);
    const shown = await tenuto(['workflow', 'describe', '-w', 'p1'], { env });
    expect(shown.stdout).toContain('Callbacks: 1');
    expect(shown.stdout).toContain('answered with status 403');
  });
});

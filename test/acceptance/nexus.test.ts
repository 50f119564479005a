// Nexus with the SDK of this package: the example.

import { expect, it } from 'vitest';
import { run } from '../../examples/nexus/main.ts';

it('calls a service of another namespace: at once, as a workflow, failing, and cancelled', async () => {
  expect(await run()).toEqual({
    bought: 'paid 2 for apple',
    unknown: 'there is no spaceship',
    notForSale: 'gift is not for sale',
    cancelled: 'cancelled',
    payment: 'CANCELLED',
  });
}, 60_000);

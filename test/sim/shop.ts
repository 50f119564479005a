// A service of Nexus operations in the simulation, as callers and handlers see it. Its operations answer at once, go on as workflows, or wait to be
// cancelled. Its callers: shopping.ts; its handlers: shop-handler.ts.

import { operation, service } from 'nexus-rpc';

export const ENDPOINT = 'shop';

export const shop = service('shop', {
  price: operation<string, string>(),
  pay: operation<string, string>(),
  wait: operation<string, string>(),
});

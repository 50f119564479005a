// What callers and handlers agree on: the service's name, and what goes into and comes out of its operations.

import * as nexus from 'nexus-rpc';

export interface Order {
  id: string;
  amount: number;
}

export const payments = nexus.service('payments', {
  /** Answered at once. */
  price: nexus.operation<{ item: string }, number>(),
  /** Goes on as a workflow. */
  pay: nexus.operation<Order, string>(),
});

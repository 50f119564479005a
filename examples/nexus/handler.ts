// The service, as the billing team runs it.

import * as nexus from 'nexus-rpc';
import { startWorkflow, WorkflowRunOperationHandler } from 'tenuto/nexus';
import { payments } from './service.ts';
import { payment } from './workflows.ts';

const PRICES: Readonly<Record<string, number>> = { apple: 2, pear: 3, gift: 0 };

export const handler = nexus.serviceHandler(payments, {
  price: async (_ctx, { item }) => {
    const price = PRICES[item];
    // Final: an operation that ended so is not tried again.
    if (price === undefined) throw new nexus.OperationError('failed', `there is no ${item}`);
    return price;
  },
  pay: new WorkflowRunOperationHandler(
    async (ctx, order) => await startWorkflow(ctx, payment, { workflowId: `pay-${order.id}`, args: [order] }),
  ),
});

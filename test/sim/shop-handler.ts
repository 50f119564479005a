// Handles the operations of shop.ts in workers of the simulation. Each workflow that backs an operation has the operation's request id in its own id, so
// an operation that is begun twice as two requests has two of them: nexus-watch.ts sees it.

import { HandlerError, type ServiceHandler, serviceHandler } from 'nexus-rpc';
import { startWorkflow, WorkflowRunOperationHandler } from '../../sdk/nexus/index.ts';
import type { Process } from './kernel.ts';
import type { Service } from './service.ts';
import { shop } from './shop.ts';
import type { payment, waiting } from './shopping.ts';

export function shopHandler(process: Process, service: Service): ServiceHandler {
  const { random } = process;
  /** Slow at times, so that a crash finds it at work; at times it fails, whatever it has done by then. */
  const trouble = async (): Promise<void> => {
    await new Promise<void>((resolve) => {
      process.after(random.next() ** 4 * 300, resolve);
    });
    if (!service.calm && random.chance(0.15)) throw new HandlerError('UNAVAILABLE', 'the shop is busy');
  };
  return serviceHandler(shop, {
    price: async (_ctx, thing) => {
      await trouble();
      return `${thing} for 1`;
    },
    pay: new WorkflowRunOperationHandler<string, string>(async (ctx, price) => {
      const workflowId = `pay-${ctx.requestId}`;
      const handle = await startWorkflow<typeof payment>(ctx, 'payment', { workflowId, args: [price] });
      await trouble();
      return handle;
    }),
    wait: new WorkflowRunOperationHandler<string, string>(async (ctx) => {
      await trouble();
      return startWorkflow<typeof waiting>(ctx, 'waiting', { workflowId: `wait-${ctx.requestId}`, args: [] });
    }),
  });
}

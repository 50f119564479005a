// What a Nexus worker answers with: at once, or by a workflow.

import { randomUUID } from 'node:crypto';
import * as temporalNexus from '@temporalio/nexus';
import * as nexus from 'nexus-rpc';
import { greetingOf } from './nexus.ts';
import { helloService } from './nexus-service.ts';

export const helloHandler = nexus.serviceHandler(helloService, {
  echo: async (_ctx, { message }) => ({ message }),
  hello: new temporalNexus.WorkflowRunOperationHandler<{ name: string; language: 'en' | 'es' }, { message: string }>(
    async (ctx, input) =>
      await temporalNexus.startWorkflow(ctx, greetingOf, {
        args: [input],
        workflowId: ctx.requestId ?? randomUUID(),
      }),
  ),
});

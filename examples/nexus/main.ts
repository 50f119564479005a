// A shop and a billing team, each in a namespace of its own: the shop's workflows call the team's service. `node dist/examples/nexus/main.js`; needs no
// server.

import { fileURLToPath } from 'node:url';
import { Client, WorkflowFailedError } from 'tenuto/client';
import { NexusOperationFailure } from 'tenuto/common';
import { TestWorkflowEnvironment } from 'tenuto/testing';
import { Worker } from 'tenuto/worker';
import { handler } from './handler.ts';
import { buy, buyAndCancel } from './workflows.ts';

/** What came of it. */
export async function run(): Promise<Record<string, unknown>> {
  const environment = await TestWorkflowEnvironment.createLocal({ server: { namespaces: ['default', 'billing'] } });
  const { client, connection, nativeConnection } = environment;
  await connection.operatorService.createNexusEndpoint({
    spec: { name: 'payments', target: { worker: { namespace: 'billing', taskQueue: 'payments' } } },
  });
  const workflowsPath = fileURLToPath(
    new URL(`./workflows${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
  );
  const shop = await Worker.create({ connection: nativeConnection, taskQueue: 'shop', workflowsPath });
  const billing = await Worker.create({
    connection: nativeConnection,
    namespace: 'billing',
    taskQueue: 'payments',
    workflowsPath,
    nexusServices: [handler],
  });
  try {
    return await shop.runUntil(
      billing.runUntil(async () => {
        const call = (workflow: typeof buy, item: string) =>
          client.workflow.execute(workflow, {
            workflowId: `${workflow.name}-${item}`,
            taskQueue: 'shop',
            args: [item],
          });
        const why = (error: unknown): unknown => {
          const failure = error instanceof WorkflowFailedError ? error.cause : error;
          return failure instanceof NexusOperationFailure ? failure.cause?.message : failure;
        };
        return {
          bought: await call(buy, 'apple'),
          unknown: await call(buy, 'spaceship').catch(why),
          notForSale: await call(buy, 'gift').catch(why),
          cancelled: await call(buyAndCancel, 'villa'),
          payment: (await new Client({ connection, namespace: 'billing' }).workflow.getHandle('pay-villa').describe())
            .status.name,
        };
      }),
    );
  } finally {
    await environment.teardown();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await run());

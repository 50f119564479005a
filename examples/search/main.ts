// Finding workflows by what they are about: registers search attributes, starts parcels with them, moves some, and asks where they are.
// `node dist/examples/search/main.js`; needs no server.

import { fileURLToPath } from 'node:url';
import type { Client } from 'tenuto/client';
import { TestWorkflowEnvironment } from 'tenuto/testing';
import { Worker } from 'tenuto/worker';
import { arrived, CITY, delivered, LABELS, NOTE, parcel, WEIGHT } from './workflows.ts';

const TASK_QUEUE = 'parcels';

/** Ids of the parcels that a filter finds, in its order. */
async function find(client: Client, query: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query })) found.push(workflowId);
  return found;
}

async function send(client: Client): Promise<void> {
  const parcels = [
    { id: 'books', city: 'Rome', weight: 4.5, labels: ['heavy'], note: 'Ring twice, please' },
    { id: 'vase', city: 'Oslo', weight: 1.2, labels: ['fragile', 'insured'], note: 'Leave with the porter' },
    { id: 'piano', city: 'Rome', weight: 310, labels: ['heavy', 'fragile'], note: 'Two porters needed' },
  ];
  for (const { id, city, weight, labels, note } of parcels) {
    await client.workflow.start(parcel, {
      workflowId: id,
      taskQueue: TASK_QUEUE,
      args: [],
      typedSearchAttributes: [
        { key: CITY, value: city },
        { key: WEIGHT, value: weight },
        { key: LABELS, value: labels },
        { key: NOTE, value: note },
      ],
    });
  }
}

/** What was found, by what was asked. */
export async function run(): Promise<Record<string, unknown>> {
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { searchAttributes: [CITY, WEIGHT, LABELS, NOTE] },
  });
  const { client } = environment;
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(
      new URL(`./workflows${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
    ),
  });
  try {
    return await worker.runUntil(async () => {
      await send(client);
      const answers: Record<string, unknown> = {
        // What was just started is in the next list.
        inRome: await find(client, "City = 'Rome' ORDER BY Weight"),
        fragile: await find(client, "Labels = 'fragile' ORDER BY Weight DESC"),
        porters: await find(client, "Note = 'porter porters'"),
        heavy: await find(client, 'Weight > 100'),
      };
      await client.workflow.getHandle('piano').signal(arrived, 'Oslo');
      await client.workflow.getHandle('books').signal(delivered);
      await client.workflow.getHandle('books').result();
      answers.byCity = (await client.workflow.count("ExecutionStatus = 'Running' GROUP BY City")).groups;
      answers.nowhere = await find(client, 'City IS NULL');
      answers.byStatus = (await client.workflow.count('GROUP BY ExecutionStatus')).groups;
      return answers;
    });
  } finally {
    await environment.teardown();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(await run(), null, 2));

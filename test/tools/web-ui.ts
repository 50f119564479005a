// Temporal's web UI, its server and its pages as they are, against ours: each page shows what it has to, no request of its is answered with an error, and
// what can be done there is done (web-ui-actions.ts).

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { Outcome } from '../languages/program.ts';
import { Browser } from './browser.ts';
import { type Page, Visit } from './visit.ts';
import { actions } from './web-ui-actions.ts';

export interface WebUiPlace {
  /** Its server. */
  readonly program: string;
  readonly chromium: string;
  readonly grpcAddress: string;
  readonly taskQueue: string;
  /** Files of this run. */
  readonly folder: string;
}

const READY_MS = 20_000;

export async function checkWebUi(place: WebUiPlace, say: (line: string) => void): Promise<Outcome> {
  const { server, base } = await startServer(place);
  const connection = await Connection.connect({ address: place.grpcAddress });
  const outcome = { passed: 0, failed: 0 };
  let browser: Browser | undefined;
  try {
    browser = await Browser.open(place.chromium, join(place.folder, 'browser'));
    const ids = await prepare(new Client({ connection }), place.taskQueue);
    const visit = new Visit(browser, base, outcome, say);
    for (const page of pages(ids, place.taskQueue)) await visit.page(page);
    await actions(visit, new Client({ connection }), place.taskQueue);
  } finally {
    await browser?.close();
    await connection.close();
    server.kill('SIGTERM');
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  }
  say(`${outcome.passed} pages and actions are as they have to be`);
  return outcome;
}

interface Ids {
  readonly hello: string;
  readonly counter: string;
  readonly parent: string;
  readonly obedient: string;
}

async function prepare(client: Client, taskQueue: string): Promise<Ids> {
  const start = async (type: string, args: unknown[]): Promise<string> => {
    const { firstExecutionRunId } = await client.workflow.start(type, { taskQueue, workflowId: `ui-${type}`, args });
    return firstExecutionRunId;
  };
  const ids = {
    hello: await start('hello', ['you']),
    counter: await start('counter', []),
    parent: await start('parent', ['you']),
    obedient: await start('obedient', ['x']),
  };
  await client.workflow.getHandle('ui-parent').result();
  await client.workflow.getHandle('ui-hello').result();
  const { workflowService } = client;
  const action = {
    startWorkflow: { workflowId: 'ui-scheduled', workflowType: { name: 'hello' }, taskQueue: { name: taskQueue } },
  };
  await workflowService.createSchedule({
    ...{ namespace: 'default', scheduleId: 'ui-schedule', requestId: 'ui-schedule', identity: 'me' },
    schedule: { spec: { interval: [{ interval: { seconds: 3_600 as never } }] }, action },
  });
  await workflowService.startBatchOperation({
    ...{ namespace: 'default', jobId: 'ui-batch', reason: 'for the page', visibilityQuery: "WorkflowId = 'ui-nobody'" },
    cancellationOperation: { identity: 'me' },
  });
  return ids;
}

function pages({ hello, counter, parent, obedient }: Ids, taskQueue: string): Page[] {
  const of = (id: string, runId: string): string => `/namespaces/default/workflows/${id}/${runId}`;
  const filter = encodeURIComponent('`WorkflowId`="ui-counter"');
  return [
    ['/namespaces', 'default'],
    ['/namespaces/default', 'default', 'Retention'],
    ['/namespaces/default/workflows', 'ui-hello', 'ui-counter', 'COMPLETED', 'RUNNING'],
    [`/namespaces/default/workflows?query=${filter}`, 'WorkflowId = "ui-counter"', '1–1 of 1'],
    [`${of('ui-hello', hello)}/timeline`, 'ui-hello', 'Hello, you!', 'greet'],
    [`${of('ui-hello', hello)}/history`, 'Activity Task Scheduled', 'Workflow Execution Completed'],
    [`${of('ui-hello', hello)}/history/events/5`, 'greet'],
    [`${of('ui-hello', hello)}/workers`, 'Workers', 'official'],
    [`${of('ui-hello', hello)}/relationships`, 'Relationships'],
    [`${of('ui-hello', hello)}/search-attributes`, 'BuildIds'],
    [`${of('ui-hello', hello)}/memo`, 'Memo'],
    [`${of('ui-counter', counter)}/call-stack`, 'workflows.ts'],
    [`${of('ui-counter', counter)}/query`, 'Query'],
    [`${of('ui-counter', counter)}/user-metadata`, 'User Metadata'],
    [`${of('ui-parent', parent)}/relationships`, 'ui-parent/child'],
    [`${of('ui-obedient', obedient)}/pending-activities`, 'obey', 'not allowed yet'],
    ['/namespaces/default/schedules', 'ui-schedule'],
    ['/namespaces/default/schedules/ui-schedule', 'ui-schedule', 'hello'],
    ['/namespaces/default/schedules/ui-schedule/edit', 'ui-schedule'],
    ['/namespaces/default/schedules/create', 'Create Schedule'],
    ['/namespaces/default/batch-operations', 'ui-batch'],
    ['/namespaces/default/batch-operations/ui-batch', 'for the page'],
    [`/namespaces/default/task-queues/${taskQueue}`, taskQueue],
    // A worker of the official SDK tells of itself after a minute; the native one at once.
    ['/namespaces/default/workers', 'Workers', 'Tenuto'],
    ['/namespaces/default/worker-deployments', 'dep'],
    ['/namespaces/default/worker-deployments/dep', '1'],
    ['/namespaces/default/activities', 'Standalone Activities'],
    ['/namespaces/default/archival', 'Archival'],
    ['/nexus', 'Nexus'],
    ['/nexus/create', 'Nexus'],
    ['/namespaces/default/workflows/start-workflow', 'Task Queue', 'Workflow Type'],
    ['/import/events', 'Import'],
  ];
}

/** With a configuration of its own, on a free port. */
async function startServer({
  program,
  grpcAddress,
  folder,
}: WebUiPlace): Promise<{ server: ChildProcess; base: string }> {
  const port = await freePort();
  const config = join(folder, 'web-ui');
  mkdirSync(config);
  const settings = [
    ...[`temporalGrpcAddress: ${grpcAddress}`, 'host: 127.0.0.1', `port: ${port}`, 'enableUi: true'],
    ...['defaultNamespace: default', 'disableNewsFetch: true', 'refreshInterval: 0s'],
    ...['cors:', '  cookieInsecure: true', '  allowOrigins:', `    - http://127.0.0.1:${port}`],
  ];
  writeFileSync(join(config, 'ours.yaml'), `${settings.join('\n')}\n`);
  const args = ['--root', folder, '--config', 'web-ui', '--env', 'ours', 'start'];
  const server = spawn(program, args, { stdio: 'ignore' });
  process.once('exit', () => server.kill('SIGKILL'));
  const base = `http://127.0.0.1:${port}`;
  const until = performance.now() + READY_MS;
  for (;;) {
    const isUp = await fetch(`${base}/api/v1/settings`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return { server, base };
    if (performance.now() > until) throw new Error('the server of the web UI does not come up');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}

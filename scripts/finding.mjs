// `node scripts/finding.mjs [--executions N]`: how long it takes to find executions among many (decisions 0025, 0057). Starts N workflows that nobody runs, in a data
// directory of its own, and asks. A minute or two for the 200,000 of the usual run.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { ensureBuilt, ensureInstalled } from './ensure.mjs';

const { values } = parseArgs({ options: { executions: { type: 'string', default: '200000' } } });
const executions = Number(values.executions);
if (!Number.isSafeInteger(executions) || executions < 1_000) {
  console.error('--executions takes a whole number from 1000');
  process.exit(2);
}
ensureInstalled();
ensureBuilt();
const { Server } = await import('../dist/src/server.js');
const { Client, Connection } = await import('../dist/sdk/client/index.js');

/** Starts at a time. */
const AT_ONCE = 256;
const ASKED = 50;
/** Questions that take seconds. */
const FEW = 3;

const folder = mkdtempSync(join(tmpdir(), 'tenuto-finding-'));
const server = await Server.create({ dataDir: join(folder, 'data'), logLevel: 'error' });
const connection = Connection.fromTransport(() => server.connect());
try {
  const { workflow } = new Client({ connection });
  await connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: { City: 2, Size: 3, Note: 1 },
  });
  await fill(workflow);
  const rare = [
    ['a rare keyword', "City = 'Rome'"],
    ['a rare keyword among a common type', "City = 'Rome' AND WorkflowType = 'order'"],
    ['a rare number', `Size = ${executions - 7}`],
    ['one workflow id', "WorkflowId = 'w-17'"],
    ['a rare type', "WorkflowType = 'return'"],
  ];
  for (const [what, query] of rare) {
    let found = 0;
    await timed(`list by ${what}`, async () => {
      found = 0;
      for await (const _ of workflow.list({ query })) found += 1;
    });
    if (found === 0) throw new Error(`${query} found nothing`);
  }
  await timed('count by status', () => workflow.count('GROUP BY ExecutionStatus'));
  await timed('count of one status', () => workflow.count("ExecutionStatus = 'Running'"));
  await timed('count of a keyword', () => workflow.count("City = 'city-7'"));
  const { runId } = await workflow.getHandle('w-17').describe();
  const lookups = [
    ['one run id', `RunId = '${runId}'`, 1],
    ['one root', `RootWorkflowId = 'w-17'`, 1],
    ['a parent that has no children', `ParentWorkflowId = 'w-17'`, 0],
    ['a rare task queue', "TaskQueue = 'somebody'", 10],
    ['a rare word of a text', "Note = 'fragile'", 10],
    ['a build of few', "BuildIds = 'unversioned:somebody'", 10],
    ['a deployment of few', "TemporalWorkerDeployment = 'somebody'", 10],
  ];
  for (const [what, query, expected] of lookups) {
    const { count } = await workflow.count(query);
    if (count !== expected) throw new Error(`${query} counts ${count}, and there are ${expected}`);
    await timed(`count by ${what}`, () => workflow.count(query));
  }
  // Everything is looked at: what nearly all have is in no index.
  await timed('count by the common task queue', () => workflow.count("TaskQueue = 'nobody'"), FEW);
  await timed('count by each value of a keyword', () => workflow.count('GROUP BY City'), FEW);
  await timed('count by each type', () => workflow.count('GROUP BY WorkflowType'), FEW);
  const grouped = [
    ['a rare keyword by status', "City = 'Rome' GROUP BY ExecutionStatus", ASKED],
    ['a keyword of many by type', "City = 'city-7' GROUP BY WorkflowType", ASKED],
    ['a common type by status', "WorkflowType = 'order' GROUP BY ExecutionStatus", FEW],
    ['a common type by a keyword', "WorkflowType = 'order' GROUP BY City", FEW],
    ['a status by type', "ExecutionStatus = 'Running' GROUP BY WorkflowType", FEW],
  ];
  for (const [what, query, asked] of grouped) await timed(`count of ${what}`, () => workflow.count(query), asked);
} finally {
  await connection.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

async function fill(workflow) {
  const started = performance.now();
  let next = 0;
  const one = async () => {
    for (let i = next++; i < executions; i = next++) {
      const city = i % (executions / 10) === 0 ? 'Rome' : `city-${i % 100}`;
      const isRare = i % (executions / 10) === 7;
      const build = isRare ? 'somebody' : 'all';
      const searchAttributes = {
        ...{ City: [city], Size: [i], Note: [isRare ? 'fragile things' : 'things'] },
        // What workers' builds add, without running them.
        ...{ BuildIds: ['unversioned', `unversioned:${build}`], TemporalWorkerDeployment: [build] },
      };
      const taskQueue = isRare ? 'somebody' : 'nobody';
      await workflow.start(isRare ? 'return' : 'order', { taskQueue, workflowId: `w-${i}`, searchAttributes });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  const seconds = (performance.now() - started) / 1_000;
  console.log(`${executions} executions started in ${seconds.toFixed(0)} s`);
}

async function timed(what, ask, asked = ASKED) {
  await ask();
  const times = [];
  for (let i = 0; i < asked; i += 1) {
    const at = performance.now();
    await ask();
    times.push(performance.now() - at);
  }
  times.sort((a, b) => a - b);
  const [median, worst] = [times[Math.floor(asked / 2)], times[asked - 1]];
  console.log(`${what.padEnd(40)} ${median.toFixed(2).padStart(8)} ms, at most ${worst.toFixed(2)} ms`);
}

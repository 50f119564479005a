// DBOS's side of a client process: a library in the application that asks, so this process runs the workflows too.
// As a program, `client.mjs URL` makes the tables and ends.

import { fileURLToPath } from 'node:url';
import { DBOS } from '@dbos-inc/dbos-sdk';

const advance = async ({ value, n }) => ({ value, n: n + 1 });
const step = (at) => DBOS.runStep(() => advance(at), { name: 'advance' });

async function none({ value }) {
  return { value, n: 0 };
}

/** DBOS's steps run in the workflow's own process: it has no others. */
async function sequence({ value, count }) {
  let at = { value, n: 0 };
  for (let i = 0; i < count; i += 1) at = await step(at);
  return at;
}

async function parallel({ value, count }) {
  const results = await Promise.all(Array.from({ length: count }, (_, n) => step({ value, n })));
  return { value, n: results.filter((result, i) => result.value === value && result.n === i + 1).length };
}

async function children({ value, count }) {
  const handles = await Promise.all(
    Array.from({ length: count }, (_, i) => DBOS.startWorkflow(WORKFLOWS.none)({ value: `${value}/${i}`, count: 0 })),
  );
  const results = await Promise.all(handles.map((handle) => handle.getResult()));
  return { value, n: results.filter((result, i) => result.value === `${value}/${i}`).length };
}

async function timer({ value, count }) {
  await DBOS.sleep(count);
  return { value, n: count };
}

const WORKFLOWS = Object.fromEntries(
  Object.entries({ none, sequence, parallel, children, timer }).map(([name, workflow]) => [
    name,
    DBOS.registerWorkflow(workflow, { name }),
  ]),
);
WORKFLOWS.local = WORKFLOWS.sequence;

async function launch(url) {
  // An executor takes up what one of its name left behind; those beside it are at work.
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: url, executorID: `bench-${process.pid}`, logLevel: 'error' });
  await DBOS.launch();
}

export async function connect({ url }) {
  await launch(url);
  return {
    execute: async ({ kind, id, input }) => {
      const handle = await DBOS.startWorkflow(WORKFLOWS[kind], { workflowID: id })(input);
      return await handle.getResult();
    },
    close: () => DBOS.shutdown(),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await launch(process.argv[2]);
  await DBOS.shutdown();
  process.exit(0);
}

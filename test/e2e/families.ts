// Families for the test of a cluster's backup: parents, children and signals that cross shards all the time.

import {
  condition,
  defineQuery,
  defineSignal,
  executeChild,
  getExternalWorkflowHandle,
  setHandler,
  sleep,
} from 'tenuto/workflow';

const born = defineSignal<[string]>('born');
const names = defineQuery<string[]>('names');
const enough = defineSignal('enough');

/** Hears of every child. */
export async function registry(): Promise<string[]> {
  const all: string[] = [];
  let isOver = false;
  setHandler(born, (name) => {
    all.push(name);
  });
  setHandler(names, () => all);
  setHandler(enough, () => {
    isOver = true;
  });
  await condition(() => isOver);
  return all;
}

export async function child(name: string): Promise<string> {
  await getExternalWorkflowHandle('registry').signal(born, name);
  await sleep(20);
  return name;
}

export async function parent(name: string): Promise<string[]> {
  const all: string[] = [];
  for (let i = 0; i < 3; i += 1) {
    const id = `${name}-${i}`;
    all.push(await executeChild(child, { workflowId: id, args: [id] }));
  }
  return all;
}

// A workflow that runs what a document says: activities one after the other and side by side, results bound to names.

import { proxyActivities } from '@temporalio/workflow';

export interface Dsl {
  variables: Record<string, string>;
  root: Statement;
}

export type Statement =
  | { activity: { name: string; arguments?: string[]; result?: string } }
  | { sequence: { elements: Statement[] } }
  | { parallel: { branches: Statement[] } };

const activities = proxyActivities<Record<string, (...args: string[]) => Promise<string>>>({
  startToCloseTimeout: '1 minute',
});

export async function dslInterpreter({ variables, root }: Dsl): Promise<Record<string, string>> {
  const bindings: Record<string, string> = { ...variables };
  await execute(root, bindings);
  return bindings;
}

async function execute(statement: Statement, bindings: Record<string, string>): Promise<void> {
  if ('parallel' in statement) {
    await Promise.all(statement.parallel.branches.map((branch) => execute(branch, bindings)));
  } else if ('sequence' in statement) {
    for (const element of statement.sequence.elements) await execute(element, bindings);
  } else {
    const { name, arguments: names = [], result } = statement.activity;
    const said = await activities[name]?.(...names.map((arg) => bindings[arg] ?? arg));
    if (result !== undefined && said !== undefined) bindings[result] = said;
  }
}

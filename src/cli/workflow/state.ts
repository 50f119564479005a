// `tenuto workflow state`: what a workflow publishes, once or as it changes. The server has it: no worker is asked.

import type { Command } from 'commander';
import type { StateChange } from '../../../sdk/client/index.ts';
import { type Session, withClient } from '../connect.ts';
import { CommandError, ExitCode } from '../exit-codes.ts';
import { collect } from '../input.ts';
import { toJson } from '../output.ts';
import { type TargetFlags, withTarget } from './options.ts';

interface StateFlags extends TargetFlags {
  key?: string[];
  follow?: true;
}

export function defineStateCommand(define: (name: string, description: string) => Command): void {
  withTarget(define('state', 'what a workflow publishes with setState; no worker is asked'))
    .option('--key <key>', 'only this key; repeat for several', collect)
    .option('-f, --follow', 'stay and print each change, until the workflow ends')
    .addHelpText(
      'after',
      '\nExamples:\n  tenuto workflow state -w order-17\n  tenuto workflow state -w order-17 --key step --follow',
    )
    .action(withClient<StateFlags>((session, flags) => (flags.follow ? follow(session, flags) : once(session, flags))));
}

async function once({ client, output }: Session, { workflowId, runId, key: keys }: StateFlags): Promise<void> {
  const all = await client.workflow.getHandle(workflowId, runId).states();
  const missing = keys?.find((key) => !all.has(key));
  if (missing !== undefined) {
    const there = all.size === 0 ? 'It publishes nothing' : `It publishes ${[...all.keys()].join(', ')}`;
    throw new CommandError(`${workflowId} publishes no state ${missing}`, {
      exitCode: ExitCode.NOT_FOUND,
      hint: `${there} so far; setState of tenuto/workflow publishes.`,
    });
  }
  const shown = [...all].filter(([key]) => keys === undefined || keys.includes(key));
  if (output.format === 'table' && shown.length === 0) output.say(`${workflowId} publishes nothing`);
  else
    output.record(
      Object.fromEntries(shown.map(([key, value]) => [key, output.format === 'table' ? text(value) : value])),
    );
}

async function follow({ client, output }: Session, { workflowId, runId, key: keys }: StateFlags): Promise<void> {
  const changes: StateChange[] = [];
  for await (const change of client.workflow.getHandle(workflowId, runId).watchState({ keys })) {
    if (output.format === 'json') changes.push(change);
    else if (output.format === 'jsonl') output.line(toJson(change));
    else output.say(`${change.key}  ${text(change.value)}`);
  }
  if (output.format === 'json') output.line(toJson(changes, 2));
}

/** As JSON, but texts without their quotes, as queries are answered. */
const text = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

// `tenuto workflow trace`: an execution as a tree of what it did and does: its activities, timers and children, and theirs. Read from histories, and of
// what is pending from describe; with --follow again and again until the workflow has closed.

import type { Command } from 'commander';
import { msToNumber } from '../../../sdk/common/index.ts';
import type { DescribeWorkflowExecutionResponse } from '../../wire/api.ts';
import { EventType, WorkflowExecutionStatus } from '../../wire/enums.ts';
import { type Session, withClient } from '../connect.ts';
import { nameOf, type Output } from '../output.ts';
import { positiveInteger, type TargetFlags, withTarget } from './options.ts';
import { readEvents } from './show.ts';
import { type Step, stepsOf } from './steps.ts';

type Wrap = (command: Command) => Command;

interface TraceFlags extends TargetFlags {
  follow?: true;
  depth: string;
  interval: string;
}

export interface Traced {
  workflowId: string;
  runId: string;
  type: string;
  status: string;
  durationMs: number;
  steps: (Step & { execution?: Traced | undefined })[];
}

/** Children of one execution that are looked into; the others are shown by their id and state (I9). */
const MAX_CHILDREN = 100;

export function defineTraceCommand(workflow: Command, withConnection: Wrap): void {
  withTarget(withConnection(workflow.command('trace').description('what a workflow and its children do, as a tree')))
    .option('-f, --follow', 'stay and show it again as it changes, until the workflow ends')
    .option('--depth <n>', 'how many generations of children to look into', '3')
    .option('--interval <duration>', 'between two looks of --follow', '1s')
    .addHelpText('after', '\nExample:\n  tenuto workflow trace -w order-17 --follow')
    .action(withClient<TraceFlags>(trace));
}

/** A paused workflow goes on when it is unpaused. */
const OPEN: ReadonlySet<string> = new Set(['RUNNING', 'PAUSED']);

async function trace(session: Session, flags: TraceFlags): Promise<void> {
  const depth = positiveInteger(flags.depth, '--depth');
  const intervalMs = msToNumber(flags.interval);
  let shown = '';
  for (;;) {
    const tree = await traced(session, flags, depth);
    const text = linesOf(session.output, tree).join('\n');
    if (text !== shown) show(session.output, tree, text, shown !== '');
    shown = text;
    if (flags.follow !== true || !OPEN.has(tree.status)) return;
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}

function show(output: Output, tree: Traced, text: string, isAgain: boolean): void {
  if (output.format !== 'table') {
    output.record({ ...tree });
    return;
  }
  // On a terminal the tree is drawn in its own place.
  if (isAgain) output.line(process.stdout.isTTY ? '\u001b[2J\u001b[H' : '');
  output.line(text);
}

async function traced(session: Session, target: TargetFlags, depth: number): Promise<Traced> {
  const { raw } = await session.client.workflow.getHandle(target.workflowId, target.runId).describe();
  const described: DescribeWorkflowExecutionResponse = raw;
  const { workflowId, runId, workflowType, status, startTime, closeTime } = described.workflowExecutionInfo;
  const events = [];
  for await (const event of readEvents(session, { workflowId, runId })) {
    // A workflow's own tasks say nothing of what it does.
    if (event.eventType !== EventType.WORKFLOW_TASK_SCHEDULED) events.push(event);
  }
  const steps: Traced['steps'] = stepsOf(events, described.pendingActivities);
  let children = 0;
  for (const step of steps) {
    if (step.kind !== 'child' || step.runId === undefined || depth <= 1 || children >= MAX_CHILDREN) continue;
    children += 1;
    // Its retention may be over.
    step.execution = await traced(session, { workflowId: step.id, runId: step.runId }, depth - 1).catch(
      () => undefined,
    );
  }
  return {
    ...{ workflowId, runId, type: workflowType, status: nameOf(WorkflowExecutionStatus, status) },
    durationMs: Math.max(0, (closeTime ?? Date.now()) - startTime),
    steps,
  };
}

const SIGNS: Readonly<Record<Step['state'], string>> = {
  waiting: '·',
  running: '▷',
  done: '✓',
  failed: '✗',
  cancelled: '–',
};

function linesOf(output: Output, { workflowId, type, status, steps, durationMs }: Traced, indent = ''): string[] {
  const { bold, dim, green, red, yellow } = output.colors;
  const paint = status === 'COMPLETED' ? green : OPEN.has(status) ? yellow : red;
  // How long it has been running changes with every look, and is none of its steps.
  const took = OPEN.has(status) ? '' : dim(` ${durationMs} ms`);
  const lines = [`${indent}${bold(type)} ${dim(workflowId)} ${paint(status)}${took}`];
  for (const step of steps) {
    const sign =
      step.state === 'done' ? green(SIGNS.done) : step.state === 'failed' ? red(SIGNS.failed) : SIGNS[step.state];
    if (step.execution !== undefined) {
      const [head = '', ...rest] = linesOf(output, step.execution, `${indent}   `);
      lines.push(`${indent} ${sign} ${head.trimStart()}`, ...rest);
      continue;
    }
    const attempt = step.attempt > 1 ? dim(` attempt ${step.attempt}`) : '';
    const failure = step.failure === undefined ? '' : red(` ${step.failure}`);
    lines.push(`${indent} ${sign} ${step.kind} ${bold(step.name)} ${dim(step.id)}${attempt}${failure}`);
  }
  return lines;
}

// `tenuto workflow trace`: an execution as a tree of what it did and does: its activities, timers and children, and theirs. Read from histories, and of
// what is pending from describe; with --follow again and again until the workflow has closed.

import type { Command } from 'commander';
import { msToNumber } from '../../../sdk/common/index.ts';
import { EventType, WorkflowExecutionStatus } from '../../wire/enums.ts';
import type { DescribeWorkflowExecutionResponse } from '../../wire/execution-info.ts';
import { type Session, withClient } from '../connect.ts';
import { UsageError } from '../exit-codes.ts';
import { nameOf, type Output } from '../output.ts';
import { positiveInteger, type TargetFlags, withTarget } from './options.ts';
import { readEvents } from './show.ts';
import { type Step, stepsOf } from './steps.ts';

type Wrap = (command: Command) => Command;

interface TraceFlags extends TargetFlags {
  follow?: true;
  depth: string;
  interval: string;
  concurrency: string;
  /** `false`: --no-fold. */
  fold?: string[] | false;
}

interface Look {
  /** Generations of children that are looked into, the execution itself included. */
  depth: number;
  /** Children of one execution at a time. */
  concurrency: number;
  /** Statuses of children that are shown without their steps. */
  fold: ReadonlySet<string>;
}

export interface Traced {
  workflowId: string;
  runId: string;
  type: string;
  status: string;
  durationMs: number;
  /** Its steps were not looked at. */
  folded?: true;
  steps: (Step & { execution?: Traced | undefined })[];
}

/** Children of one execution that are looked into; the others are shown by their id and state (I9). */
const MAX_CHILDREN = 100;

export function defineTraceCommand(workflow: Command, withConnection: Wrap): void {
  withTarget(withConnection(workflow.command('trace').description('what a workflow and its children do, as a tree')))
    .option('-f, --follow', 'stay and show it again as it changes, until the workflow ends')
    .option('--depth <n>', 'how many generations of children to look into; -1: all', '3')
    .option(
      '--fold <status>',
      'children of this status are shown without their steps (several: repeat it, or commas)',
      (status: string, before: string[] | false | undefined) => [...(before || []), ...status.split(',')],
    )
    .option('--no-fold', 'show the steps of all children, whatever --fold says')
    .option('--concurrency <n>', 'how many children to fetch at a time', '10')
    .option('--interval <duration>', 'between two looks of --follow', '1s')
    .addHelpText('after', '\nExample:\n  tenuto workflow trace -w order-17 --follow')
    .action(withClient<TraceFlags>(trace));
}

/** A paused workflow goes on when it is unpaused. */
const OPEN: ReadonlySet<string> = new Set(['RUNNING', 'PAUSED']);

async function trace(session: Session, flags: TraceFlags): Promise<void> {
  const look: Look = {
    depth: flags.depth === '-1' ? Number.POSITIVE_INFINITY : positiveInteger(flags.depth, '--depth'),
    concurrency: positiveInteger(flags.concurrency, '--concurrency'),
    fold: new Set((flags.fold || []).map(foldedStatus)),
  };
  const intervalMs = msToNumber(flags.interval);
  let shown = '';
  for (;;) {
    const tree = await traced(session, flags, look);
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

const STATUSES = Object.keys(WorkflowExecutionStatus).filter((name) => name !== 'UNSPECIFIED');

/** Temporal's command writes them without underscores, and one of them in another form. */
function foldedStatus(text: string): string {
  const plain = text.trim().toUpperCase().replaceAll('_', '').replace('CONTINUEASNEW', 'CONTINUEDASNEW');
  const found = STATUSES.find((name) => name.replaceAll('_', '') === plain);
  if (found !== undefined) return found;
  throw new UsageError(`--fold takes ${STATUSES.map((name) => name.toLowerCase()).join(', ')}, not ${text}`);
}

async function traced(session: Session, target: TargetFlags, look: Look, isChild = false): Promise<Traced> {
  const { raw } = await session.client.workflow.getHandle(target.workflowId, target.runId).describe();
  const described: DescribeWorkflowExecutionResponse = raw;
  const { workflowId, runId, workflowType, status, startTime, closeTime } = described.workflowExecutionInfo;
  const whole = {
    ...{ workflowId, runId, type: workflowType, status: nameOf(WorkflowExecutionStatus, status) },
    durationMs: Math.max(0, (closeTime ?? Date.now()) - startTime),
  };
  if (isChild && look.fold.has(whole.status)) return { ...whole, folded: true, steps: [] };
  const events = [];
  for await (const event of readEvents(session, { workflowId, runId })) {
    // A workflow's own tasks say nothing of what it does.
    if (event.eventType !== EventType.WORKFLOW_TASK_SCHEDULED) events.push(event);
  }
  const steps: Traced['steps'] = stepsOf(events, described.pendingActivities);
  const children = look.depth <= 1 ? [] : steps.filter(({ kind }) => kind === 'child');
  const deeper = { ...look, depth: look.depth - 1 };
  for (let i = 0; i < Math.min(children.length, MAX_CHILDREN); i += look.concurrency) {
    const some = children.slice(i, Math.min(i + look.concurrency, MAX_CHILDREN));
    await Promise.all(
      some.map(async (step) => {
        if (step.runId === undefined) return;
        // Its retention may be over.
        step.execution = await traced(session, { workflowId: step.id, runId: step.runId }, deeper, true).catch(
          () => undefined,
        );
      }),
    );
  }
  return { ...whole, steps };
}

const SIGNS: Readonly<Record<Step['state'], string>> = {
  waiting: '·',
  running: '▷',
  done: '✓',
  failed: '✗',
  cancelled: '–',
};

function linesOf(
  output: Output,
  { workflowId, type, status, steps, durationMs, folded }: Traced,
  indent = '',
): string[] {
  const { bold, dim, green, red, yellow } = output.colors;
  const paint = status === 'COMPLETED' ? green : OPEN.has(status) ? yellow : red;
  // How long it has been running changes with every look, and is none of its steps.
  const took = OPEN.has(status) ? '' : dim(` ${durationMs} ms`);
  const more = folded === true ? dim(' …') : '';
  const lines = [`${indent}${bold(type)} ${dim(workflowId)} ${paint(status)}${took}${more}`];
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

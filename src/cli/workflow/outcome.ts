// How a workflow that has closed ended: what `show` and `describe` say last.

import { WorkflowContinuedAsNewError, WorkflowFailedError } from '../../../sdk/client/index.ts';
import { readClosingEvent } from '../../../sdk/client/workflow-result.ts';
import { decode } from '../../wire/codec.ts';
import { EventType } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type { Session } from '../connect.ts';
import { describeForPeople } from '../errors.ts';
import { toJson } from '../output.ts';

const CLOSING: ReadonlySet<number> = new Set([
  EventType.WORKFLOW_EXECUTION_COMPLETED,
  EventType.WORKFLOW_EXECUTION_FAILED,
  EventType.WORKFLOW_EXECUTION_CANCELED,
  EventType.WORKFLOW_EXECUTION_TERMINATED,
  EventType.WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
]);

export const isClosing = (event: HistoryEvent): boolean => CLOSING.has(event.eventType);

/** Of one run: what continues or retries it has an outcome of its own. */
export type RunOutcome =
  | { kind: 'result'; value: unknown }
  | { kind: 'continued'; runId: string }
  | { kind: 'failed'; error: WorkflowFailedError };

/** What a closing event says. */
export async function outcomeOf({ client }: Session, workflowId: string, closing: HistoryEvent): Promise<RunOutcome> {
  try {
    const outcome = await readClosingEvent(closing, 'stop', client.options.loadedDataConverter, { workflowId });
    return outcome.kind === 'result' ? outcome : { kind: 'continued', runId: outcome.runId };
  } catch (error) {
    if (error instanceof WorkflowContinuedAsNewError) return { kind: 'continued', runId: error.newExecutionRunId };
    if (error instanceof WorkflowFailedError) return { kind: 'failed', error };
    throw error;
  }
}

/** Of a run that has closed; of an open one it would come when that closes. */
export async function outcomeOfRun(session: Session, workflowId: string, runId: string): Promise<RunOutcome> {
  const { connection, namespace } = session;
  const asked = { namespace, workflowId, runId, followRuns: false };
  const { closeEvent } = await connection.request('awaitWorkflowResult', asked);
  const [closing] = decode(closeEvent) as HistoryEvent[];
  if (closing === undefined) throw new TypeError(`the server says of run ${runId} that it has closed, and not how`);
  return outcomeOf(session, workflowId, closing);
}

export function printOutcome({ output }: Session, outcome: RunOutcome): void {
  const { bold, green, red } = output.colors;
  switch (outcome.kind) {
    case 'result': {
      const value = outcome.value === undefined ? '(none)' : toJson(outcome.value, 2);
      output.line(`\n${bold(green('Result'))} ${value}`);
      return;
    }
    case 'continued':
      output.line(`\n${bold('Continued')} in run ${outcome.runId}`);
      return;
    case 'failed': {
      const [first, ...causes] = describeForPeople(outcome.error);
      output.line([`\n${bold(red(outcome.error.status ?? 'FAILED'))} ${first}`, ...causes].join('\n'));
    }
  }
}

/** For programs: one field of these, as in the JSON of `workflow result`. */
export function outcomeFields(outcome: RunOutcome | undefined): Record<string, unknown> {
  switch (outcome?.kind) {
    case undefined:
      return {};
    case 'result':
      return { result: outcome.value };
    case 'continued':
      return { continuedInRun: outcome.runId };
    case 'failed':
      return { failure: outcome.error.cause };
  }
}

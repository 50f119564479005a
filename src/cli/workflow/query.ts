// `tenuto workflow query|metadata|stack`: what a workflow answers, and when it is not asked.

import { type Command, Option } from 'commander';
import { WorkflowClient, type WorkflowHandle } from '../../../sdk/client/index.ts';
import { QueryRejectCondition } from '../../../sdk/common/index.ts';
import { type Session, withClient } from '../connect.ts';
import { withHeaders } from '../headers.ts';
import { type InputFlags, inputs, withInput } from '../input.ts';
import { type TargetFlags, withTarget } from './options.ts';
import { withNote } from './waiting.ts';

interface AskFlags extends TargetFlags {
  rejectCondition?: keyof typeof CONDITIONS;
}

const CONDITIONS = {
  not_open: QueryRejectCondition.NOT_OPEN,
  not_completed_cleanly: QueryRejectCondition.NOT_COMPLETED_CLEANLY,
} as const;

const withAsked = (command: Command): Command =>
  withHeaders(withTarget(command)).addOption(
    new Option('--reject-condition <when>', 'do not ask a workflow that is').choices(Object.keys(CONDITIONS)),
  );

function asked({ client, connection, namespace }: Session, flags: AskFlags): WorkflowHandle {
  const { rejectCondition, workflowId, runId } = flags;
  if (rejectCondition === undefined) return client.workflow.getHandle(workflowId, runId);
  const { interceptors } = client.options;
  const queryRejectCondition = CONDITIONS[rejectCondition];
  const asking = { connection, namespace, queryRejectCondition, interceptors: interceptors.workflow };
  return new WorkflowClient(asking).getHandle(workflowId, runId);
}

export function defineQueryCommands(define: (name: string, description: string) => Command): void {
  withInput(withAsked(define('query', 'ask a workflow, running or closed')))
    .requiredOption('--name, --type <name>', 'query name (required)')
    .action(
      withClient<AskFlags & InputFlags & { type: string }>(async (session, flags) => {
        const answer = await withNote(session, flags, asked(session, flags).query(flags.type, ...inputs(flags)));
        const { output } = session;
        if (output.format === 'table')
          output.line(typeof answer === 'string' ? answer : JSON.stringify(answer, null, 2));
        else output.record({ queryResult: answer });
      }),
    );

  withAsked(
    define('metadata', 'which signals, queries and updates a workflow handles, and what it says of itself'),
  ).action(
    withClient<AskFlags>(async (session, flags) => {
      const metadata = await withNote(
        session,
        flags,
        asked(session, flags).query<object>('__temporal_workflow_metadata'),
      );
      const { output } = session;
      if (output.format === 'table') output.line(JSON.stringify(metadata, null, 2));
      else output.record({ ...metadata });
    }),
  );

  withAsked(define('stack', 'print where a workflow is waiting')).action(
    withClient<AskFlags>(async (session, flags) => {
      const trace = await withNote(session, flags, asked(session, flags).query<string>('__stack_trace'));
      const { output } = session;
      if (output.format === 'table') output.line(trace || '(not waiting for anything)');
      else output.record({ stackTrace: trace });
    }),
  );
}

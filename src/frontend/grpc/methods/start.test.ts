// What a signal with a start says of itself to clients that say who they are.

import { expect, it } from 'vitest';
import type { Message } from '../../../core/workflow/message.ts';
import { WorkflowExecutionStatus } from '../../../wire/enums.ts';
import { called, MADE_UP } from './calling.test-support.ts';
import { SignalWithStartWorkflowExecution } from './start.ts';

const SIGNAL = { workflowId: 'w', workflowType: { name: 'T' }, taskQueue: { name: 'q' }, signalName: 's' };
const response = { runId: 'run', started: true, status: WorkflowExecutionStatus.RUNNING };

it.each([
  ['mine', 'mine'],
  ['', MADE_UP],
])('the link of a signal with a start by the request %j is to %j', (given, requestId) => {
  const asked: Message[] = [];
  const request = { ...SIGNAL, requestId: given };
  const submit = (_to: object, message: Message, done: (error: undefined, reply: typeof started) => void): void => {
    asked.push(message);
    done(undefined, started);
  };
  const started = { type: 'started', response } as const;
  const { answer } = called(SignalWithStartWorkflowExecution, request, { submit }, { isNamed: true });
  expect(asked).toMatchObject([{ requestId, signal: { requestId } }]);
  expect(answer?.signalLink).toMatchObject({
    workflowEvent: { namespace: 'default', workflowId: 'w', runId: 'run', requestIdRef: { requestId } },
  });
});

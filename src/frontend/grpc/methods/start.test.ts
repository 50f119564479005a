// What a signal with a start says of itself to clients that say who they are.

import { expect, it } from 'vitest';
import type { Message } from '../../../core/workflow/message.ts';
import { NamespaceState, WorkflowExecutionStatus } from '../../../wire/enums.ts';
import type { Caller } from '../../door.ts';
import { DEFAULT_DOOR_LIMITS } from '../../limits.ts';
import type { RpcCall, RpcServices } from '../rpc.ts';
import { SignalWithStartWorkflowExecution } from './start.ts';

/** The link of the answer, and under which id of a request the engine was asked. */
function linked(requestId: string): { link: unknown; asked: string | undefined } {
  let link: unknown;
  let asked: string | undefined;
  const call = {
    ...{ isOpen: true, header: (name: string) => (name === 'client-name' ? 'somebody' : undefined) },
    reply: (answer: { signalLink?: unknown }) => void (link = answer.signalLink),
  };
  const response = { runId: 'run', started: true, status: WorkflowExecutionStatus.RUNNING };
  const services = {
    limits: DEFAULT_DOOR_LIMITS,
    random: { uuid: () => 'made-up' },
    namespaces: { get: () => ({ name: 'default', state: NamespaceState.REGISTERED }) },
    attributes: {
      stamped: (_namespace: string, given: unknown, then: (e: undefined, g: unknown) => void) => then(undefined, given),
    },
    engine: {
      submit: (_to: object, message: Message, then: (e: undefined, r: object) => void) => {
        asked = 'requestId' in message ? message.requestId : undefined;
        then(undefined, { type: 'started', response });
      },
    },
  };
  const caller = { mayUse: () => true } as unknown as Caller;
  const request = {
    ...{ namespace: 'default', workflowId: 'w', workflowType: { name: 'T' }, taskQueue: { name: 'q' } },
    ...{ signalName: 's', requestId },
  };
  SignalWithStartWorkflowExecution.run(services as unknown as RpcServices, caller, request, call as unknown as RpcCall);
  return { link, asked };
}

it.each([
  ['mine', 'mine'],
  ['', 'made-up'],
])('the link of a signal with a start by the request %j is to %j', (given, requestId) => {
  const { link, asked } = linked(given);
  expect(asked).toBe(requestId);
  expect(link).toMatchObject({ workflowEvent: { workflowId: 'w', runId: 'run', requestIdRef: { requestId } } });
});

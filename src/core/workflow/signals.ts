// A signal as an event.

import type { WorkflowExecutionSignaledEventAttributes } from '../../wire/event-attributes.ts';
import type { SignalInput } from './message.ts';

export const signalAttributes = (signal: SignalInput): WorkflowExecutionSignaledEventAttributes => ({
  signalName: signal.signalName,
  input: signal.input,
  identity: signal.identity,
  header: signal.header,
});

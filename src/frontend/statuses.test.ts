import { expect, it } from 'vitest';
import { deadlineExceeded } from './statuses.ts';

it.each([
  ['queryWorkflow', 'query timed out before a worker could process it: none has answered within 2000 ms'],
  ['QueryWorkflow', 'query timed out before a worker could process it: none has answered within 2000 ms'],
  ['describeWorkflowExecution', 'describeWorkflowExecution was not done within 2000 ms.'],
  ['signalWorkflow', 'signalWorkflow was not done within 2000 ms; what it asked for may still be applied.'],
])('a late %s says whether anything may have been done', (method, message) => {
  expect(deadlineExceeded(method, 2_000).message).toBe(message);
});

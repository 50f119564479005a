// The filters of the older lists, as the filter language has them.

import { expect, it } from 'vitest';
import { parseQuery, plan, schemaOf } from '../../../core/visibility/index.ts';
import type { ListRequest } from '../../../ports/engine.ts';
import { called } from './calling.test-support.ts';
import { ListClosedWorkflowExecutions, ListOpenWorkflowExecutions } from './visibility.ts';

/** What the engine is asked. */
function asked(method: typeof ListOpenWorkflowExecutions, request: object): string {
  let query = '';
  const list = (given: ListRequest): void => {
    query = given.query;
  };
  const call = called(method, { ...request }, { list, searchAttributes: (_namespace, done) => done(undefined, {}) });
  expect(call.refused).toBeUndefined();
  return query;
}

it.each([1_700_000_000_123, 8.64e15 + 1, Number.MAX_SAFE_INTEGER])(
  'a time of %d ms is the same in the filter',
  (ms) => {
    const query = asked(ListOpenWorkflowExecutions, { startTimeFilter: { earliestTime: 1, latestTime: ms } });
    const { from, to } = plan(parseQuery(query, schemaOf(new Map())));
    expect(from).toBe(1);
    expect(to).toBe(Math.min(ms, 2 ** 48 - 2));
    expect(asked(ListClosedWorkflowExecutions, { startTimeFilter: { earliestTime: ms } })).toContain(
      `CloseTime >= ${ms}`,
    );
  },
);

import { expect, it } from 'vitest';
import { checkRequestId, checkStart } from './standalone.ts';

const link = { workflowEvent: { namespace: 'n', workflowId: 'w', runId: 'r', eventRef: { eventType: 1 } } };

it.each([
  ['a link that leads nowhere', { links: [{}] }, 'unsupported link variant.'],
  ['callbacks', { completionCallbacks: [{}] }, 'completion callbacks are not enabled for this namespace'],
  [
    'callbacks of another start, without its request',
    { onConflictOptions: { attachCompletionCallbacks: true } },
    'on_conflict_options: attach_completion_callbacks requires attach_request_id to be set',
  ],
  [
    'links of another start, without its request',
    { links: [link], onConflictOptions: { attachLinks: true } },
    'on_conflict_options: attach_links requires attach_request_id to be set',
  ],
  [
    'a request that brings nothing',
    { onConflictOptions: { attachRequestId: true } },
    'on_conflict_options: attach_request_id requires at least one completion callback or link',
  ],
])('a start of an activity with %s is refused', (_what, request, message) => {
  expect(() => checkStart({ activityId: 'a', ...request })).toThrow(message);
});

it('takes a start that brings a link along', () => {
  const request = { links: [link], onConflictOptions: { attachRequestId: true, attachLinks: true } };
  expect(checkStart({ ...request, activityType: { name: 'T' }, taskQueue: { name: 'q' } })).toMatchObject({
    ...{ activityType: 'T', taskQueue: 'q' },
  });
});

it('takes no id of a request that is longer than one may be', () => {
  expect(() => checkRequestId({ requestId: 'x'.repeat(1_001) })).toThrow('Length=1001 Limit=1000');
  expect(checkRequestId({ requestId: 'x'.repeat(1_000) })).toMatchObject({ requestId: 'x'.repeat(1_000) });
});

import { expect, it } from 'vitest';
import { payloads, setUp } from './client.test-support.ts';
import type { ActivityClientInterceptor } from './index.ts';

const raw = {
  ...{ activityId: 'pay-1', runId: 'run-1', activityType: 'pay', taskQueue: 'q', status: 1, runState: 1 },
  ...{ scheduleTime: 0, attempt: 1, stateTransitionCount: 1 },
};
const answers = {
  startActivityExecution: () => ({ runId: 'run-1', started: true }),
  pollActivityExecution: () => ({ runId: 'run-1', outcome: { result: payloads('paid') } }),
  describeActivityExecution: () => ({ runId: 'run-1', info: raw, longPollToken: new Uint8Array() }),
  requestCancelActivityExecution: () => ({}),
  terminateActivityExecution: () => ({}),
  listActivityExecutions: () => ({ executions: [raw] }),
  countActivityExecutions: () => ({ count: 1 }),
  pauseActivityExecution: () => ({}),
  unpauseActivityExecution: () => ({}),
  updateActivityExecutionOptions: () => ({ activityOptions: { taskQueue: 'other' } }),
};

/** Notes each call, and what it was about. */
function noting(seen: unknown[][], name: string): ActivityClientInterceptor {
  const noted = <I extends { readonly headers: unknown }>(method: string, input: I): I => {
    const { headers: _, ...shown } = input;
    seen.push([`${name} ${method}`, shown]);
    return input;
  };
  return {
    start: (input, next) => next(noted('start', input)),
    getResult: (input, next) => next(noted('getResult', input)),
    describe: (input, next) => next(noted('describe', input)),
    cancel: (input, next) => next(noted('cancel', input)),
    terminate: (input, next) => next(noted('terminate', input)),
    list: (input, next) => next(noted('list', input)),
    count: (input, next) => next(noted('count', input)),
    pause: (input, next) => next(noted('pause', input)),
    unpause: (input, next) => next(noted('unpause', input)),
    updateOptions: (input, next) => next(noted('updateOptions', input)),
    restoreOriginalOptions: (input, next) => next(noted('restoreOriginalOptions', input)),
  };
}

const options = { id: 'pay-1', taskQueue: 'q', startToCloseTimeout: '1m' } as const;

it('interceptors stand around every call of the activity client and of its handles', async () => {
  const seen: unknown[][] = [];
  const { client, run } = setUp(answers, { interceptors: { activity: [noting(seen, 'a')] } });
  const handle = await run(client.activity.start('pay', options));
  expect(await run(handle.result())).toBe('paid');
  await run(handle.describe({ includeInput: true }));
  await run(handle.cancel('late'));
  await run(handle.terminate('later'));
  await run(handle.pause({ reason: 'look' }));
  await run(handle.unpause({ jitter: '1s' }));
  await run(handle.updateOptions({ taskQueue: 'other' }));
  await run(client.activity.getHandle('pay-1').restoreOriginalOptions());
  const listed = client.activity.list("ActivityType = 'pay'")[Symbol.asyncIterator]();
  expect((await run(listed.next())).value).toMatchObject({ activityId: 'pay-1' });
  expect(await run(client.activity.count())).toMatchObject({ count: 1 });

  const which = { activityId: 'pay-1', activityRunId: 'run-1' };
  expect(seen).toEqual([
    ['a start', { activityType: 'pay', options }],
    ['a getResult', which],
    [
      'a describe',
      {
        ...which,
        options: {
          includeInput: true,
          includeOutcome: false,
          includeHeartbeatDetails: false,
          includeLastFailure: false,
        },
      },
    ],
    ['a cancel', { ...which, reason: 'late' }],
    ['a terminate', { ...which, reason: 'later' }],
    ['a pause', { ...which, options: { reason: 'look' } }],
    ['a unpause', { ...which, options: { jitter: '1s' } }],
    ['a updateOptions', { ...which, options: { taskQueue: 'other' } }],
    // Without a run: the latest.
    ['a restoreOriginalOptions', { ...which, activityRunId: '' }],
    ['a list', { query: "ActivityType = 'pay'" }],
    ['a count', { query: '' }],
  ]);
});

it('the first is the outermost; each may change what goes in and what comes out', async () => {
  const seen: unknown[][] = [];
  const loud: ActivityClientInterceptor = {
    cancel: (input, next) => next({ ...input, reason: `${input.reason}!` }),
    getResult: async (input, next) => `${await next(input)}!`,
  };
  const { client, run, server } = setUp(answers, { interceptors: { activity: [loud, noting(seen, 'inner')] } });
  const handle = await run(client.activity.start('pay', options));
  expect(await run(handle.result())).toBe('paid!');
  await run(handle.cancel('stop'));
  expect(seen.at(-1)).toMatchObject(['inner cancel', { reason: 'stop!' }]);
  expect(server.last).toMatchObject({ method: 'requestCancelActivityExecution', body: { reason: 'stop!' } });
});

it('a handle needs an id', () => {
  const { client } = setUp(answers);
  expect(() => client.activity.getHandle('')).toThrow(TypeError);
  expect(client.activity.getHandleWithOptions('pay-1', { runId: 'r' })).toMatchObject({ runId: 'r' });
});

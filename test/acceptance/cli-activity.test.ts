// `tenuto activity …` against a real node and worker: what is held back, changed and completed from the command line.

import { beforeAll, expect, it } from 'vitest';
import type { Client } from '../../sdk/client/index.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { type Finished, type ServerProcess, startServer, tenuto } from '../support/processes.ts';
import { inhabit, printedJson, TASK_QUEUE } from './world.ts';

const atFileEnd = undoneAtFileEnd();

let node: ServerProcess;
let client: Client;
beforeAll(async () => {
  node = await startServer(['start-dev', '--port', '0'], { atEnd: atFileEnd });
  ({ client } = await inhabit({ address: node.address }, atFileEnd));
});

const activity = (...args: string[]): Promise<Finished> =>
  tenuto(['activity', ...args], { env: { TENUTO_ADDRESS: node.address } });

/** The pending activity of a workflow, once it passes `check`. */
async function pending(
  workflowId: string,
  check: (info: { attempt: number; paused?: boolean | undefined }) => boolean,
) {
  for (;;) {
    const { pendingActivities } = (await client.workflow.getHandle(workflowId).describe()).raw;
    const [info] = pendingActivities;
    if (info !== undefined && check(info)) return info;
  }
}

it('pauses an activity in its retry interval, changes it, and lets it go on; somebody completes it', async () => {
  // Nobody listens on the queue of its activity.
  const handle = await client.workflow.start('elsewhere', {
    workflowId: 'w',
    taskQueue: TASK_QUEUE,
    args: ['nowhere'],
  });
  const { activityId } = await pending('w', () => true);
  const one = ['-w', 'w', '-a', activityId];
  expect(await printedJson(activity('pause', ...one, '--reason', 'a look', '-o', 'json'))).toEqual({
    workflowId: 'w',
    activityId,
    paused: true,
  });
  expect(await pending('w', ({ paused }) => paused === true)).toMatchObject({ pauseInfo: { reason: 'a look' } });
  const described = await tenuto(['workflow', 'describe', '-w', 'w'], { env: { TENUTO_ADDRESS: node.address } });
  const query = "TemporalPauseInfo = 'property:activityType=greet'";
  const found = tenuto(['workflow', 'list', '-q', query, '-o', 'json'], { env: { TENUTO_ADDRESS: node.address } });
  expect(await printedJson(found)).toMatchObject([{ workflowId: 'w' }]);
  expect(described.stdout).toMatch(/pausedBecause +pausedBy[\s\S]*PAUSED[\s\S]*a look +cli:\d+/);
  const changed = await printedJson(
    activity(
      'update-options',
      '-w',
      'w',
      '--match-all',
      '--start-to-close-timeout',
      '77s',
      '--retry-maximum-attempts',
      '4',
      '-o',
      'json',
    ),
  );
  expect(changed).toMatchObject({ startToCloseTimeout: 77_000, retryPolicy: { maximumAttempts: 4 } });
  expect((await activity('reset', ...one, '--keep-paused', '--reset-heartbeats')).code).toBe(0);
  expect((await pending('w', () => true)).paused).toBe(true);
  expect((await activity('unpause', '-w', 'w', '--activity-type', 'greet', '--jitter', '1ms')).code).toBe(0);
  expect((await pending('w', () => true)).paused).toBe(false);
  expect(await printedJson(activity('complete', ...one, '--result', '"by hand"', '-o', 'json'))).toMatchObject({
    status: 'COMPLETED',
  });
  expect(await handle.result()).toBe('by hand');
});

it('says what is missing', async () => {
  expect(await activity('pause', '-w', 'w')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('one of --activity-id, --activity-type\n') as unknown,
  });
  expect(await activity('unpause', '-w', 'w')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('one of --activity-id, --activity-type, --match-all') as unknown,
  });
  expect((await activity('pause', '-w', 'nobody', '-a', '1')).code).toBe(3);
  expect((await activity('update-options', '-w', 'w', '-a', '1')).code).toBe(2);
});

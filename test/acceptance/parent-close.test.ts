// What becomes of a child when its parent is cancelled and then closes: the three parent close policies × the four cancellation types.

import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { type WorkflowHandle, WorkflowNotFoundError } from '../../sdk/client/index.ts';
import { EventType } from '../../src/wire/enums.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { startServer, until } from '../support/processes.ts';
import { inhabit, type World } from './world.ts';

const atFileEnd = undoneAtFileEnd();

const workflowsPath = fileURLToPath(new URL('./relatives.ts', import.meta.url));
const taskQueue = 'families';
let world: World;
beforeAll(async () => {
  const node = await startServer(['start-dev', '--port', '0', '--shard-count', '4'], { atEnd: atFileEnd });
  world = await inhabit({ address: node.address }, atFileEnd, { worker: { workflowsPath, taskQueue } });
});

const has = async (handle: WorkflowHandle, type: EventType): Promise<true | undefined> =>
  (await handle.fetchHistory()).events.some(({ eventType }) => eventType === type) ? true : undefined;

const statusOf = async (handle: WorkflowHandle): Promise<string> => (await handle.describe()).status.name;

async function release(child: WorkflowHandle): Promise<void> {
  try {
    await child.signal('release', 'go');
  } catch (error) {
    // Terminated with its parent.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

describe('a child whose parent is cancelled, and closes', () => {
  it.each([
    // What the parent asks of it, what the server does at the parent's close, whether the parent waits for it, its end
    ['ABANDON', 'TERMINATE', 'at once', 'TERMINATED'],
    ['ABANDON', 'REQUEST_CANCEL', 'at once', 'CANCELLED'],
    ['ABANDON', 'ABANDON', 'at once', 'COMPLETED'],
    ['TRY_CANCEL', 'TERMINATE', 'at once', 'TERMINATED'],
    ['TRY_CANCEL', 'REQUEST_CANCEL', 'at once', 'CANCELLED'],
    ['TRY_CANCEL', 'ABANDON', 'at once', 'CANCELLED'],
    // The promise of its result settles with its end, as recorded of the reference SDK (child-cancelled-wait-requested).
    ['WAIT_CANCELLATION_REQUESTED', 'TERMINATE', 'after it', 'CANCELLED'],
    ['WAIT_CANCELLATION_REQUESTED', 'REQUEST_CANCEL', 'after it', 'CANCELLED'],
    ['WAIT_CANCELLATION_REQUESTED', 'ABANDON', 'after it', 'CANCELLED'],
    ['WAIT_CANCELLATION_COMPLETED', 'TERMINATE', 'after it', 'CANCELLED'],
    ['WAIT_CANCELLATION_COMPLETED', 'REQUEST_CANCEL', 'after it', 'CANCELLED'],
    ['WAIT_CANCELLATION_COMPLETED', 'ABANDON', 'after it', 'CANCELLED'],
  ])(
    'cancellation type %s, parent close policy %s: the parent closes %s, the child is %s',
    async (type, policy, when, end) => {
      const { workflow } = world.client;
      const workflowId = `${type} ${policy}`;
      const parent = await workflow.start('leavesCancelled', { taskQueue, workflowId, args: [policy, type] });
      const child = workflow.getHandle(`${workflowId}/child`);
      await until(() => has(parent, EventType.CHILD_WORKFLOW_EXECUTION_STARTED));
      await parent.cancel();
      if (when === 'at once') {
        await expect(parent.result()).rejects.toThrow();
      } else {
        await until(() => has(child, EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED));
        expect(await statusOf(parent)).toBe('RUNNING');
      }
      if (end === 'CANCELLED') await until(() => has(child, EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED));
      if (end === 'TERMINATED') await until(() => has(child, EventType.WORKFLOW_EXECUTION_TERMINATED));
      await release(child);
      await child.result().catch(() => undefined);
      expect(await statusOf(child)).toBe(end);
      await parent.result().catch(() => undefined);
      expect(await statusOf(parent)).toBe('CANCELLED');
      const requests = (await child.fetchHistory()).events.filter(
        ({ eventType }) => eventType === EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED,
      );
      // One that is cancelled already is not asked twice.
      expect(requests.length).toBeLessThanOrEqual(1);
    },
  );
});

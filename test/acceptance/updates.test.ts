// Updates as a user of the SDK meets them, with a real worker against a real node: what is accepted, rejected and repeated, with a start, over
// restarts of worker and node, and what default handlers get.

import { join } from 'node:path';
import { onTestFinished as atTestEnd, beforeAll, describe, expect, it } from 'vitest';
import {
  type Client,
  ServiceError,
  WithStartWorkflowOperation,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '../../sdk/client/index.ts';
import { WorkflowNotFoundError } from '../../sdk/common/index.ts';
import { Worker } from '../../sdk/worker/index.ts';
import { EventType } from '../../src/wire/enums.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { type AtEnd, type ServerProcess, startServer, temporaryDir, until } from '../support/processes.ts';
import { connect, inhabit, startWorker, TASK_QUEUE, workflowsPath } from './world.ts';

const onTestFinished: AtEnd = (step) => atTestEnd(async () => void (await step()));
const atFileEnd = undoneAtFileEnd();

let node: ServerProcess;
let client: Client;
beforeAll(async () => {
  node = await startServer(['start-dev', '--port', '0'], { atEnd: atFileEnd });
  ({ client } = await inhabit({ address: node.address }, atFileEnd));
});

const start = (workflowId: string, type = 'cart', more: object = {}) =>
  client.workflow.start(type, { workflowId, taskQueue: TASK_QUEUE, ...more });

type Handle = Awaited<ReturnType<typeof start>>;

const typesOf = async (handle: Handle): Promise<number[]> =>
  (await handle.fetchHistory()).events.map(({ eventType }) => eventType);

const finish = async (handle: Handle, how = 'finished'): Promise<unknown> => {
  await handle.signal('checkOut', how);
  return handle.result();
};

const addItem = (handle: Handle, item: string, updateId?: string) =>
  handle.executeUpdate<number, [string]>('addItem', { args: [item], ...(updateId && { updateId }) });

describe('an update', () => {
  it('changes the workflow and returns what its handler returns', async () => {
    const handle = await start('adds');
    expect(await addItem(handle, 'tea')).toBe(1);
    expect(await addItem(handle, 'cake')).toBe(2);
    expect(await handle.executeUpdate<string, [string]>('greetItem', { args: ['bread'] })).toBe('Hello, bread!');
    expect(await handle.query('items')).toEqual(['tea', 'cake', 'Hello, bread!']);
    expect(await finish(handle)).toEqual(['tea', 'cake', 'Hello, bread!']);
  });

  it('that its validator refuses is in no history; nor is one that nobody handles', async () => {
    const handle = await start('refuses');
    await addItem(handle, 'tea');
    const before = await typesOf(handle);
    for (const [item, type] of [
      ['', 'Nameless'],
      ['tea', 'Twice'],
    ] as const) {
      const error = await addItem(handle, item).catch((err: unknown) => err);
      expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
      expect(error).toMatchObject({ cause: { type, name: 'ApplicationFailure' } });
    }
    await expect(handle.executeUpdate('nothing')).rejects.toMatchObject({
      cause: {
        message: expect.stringMatching(
          /^No registered handler for update: nothing\. Registered updates: \[.*addItem.*\]$/,
        ),
      },
    });
    await expect(addItem(handle, 'sleeping')).rejects.toMatchObject({
      cause: { message: expect.stringContaining('An update validator may not change its workflow') },
    });
    expect(await typesOf(handle)).toEqual(before);
    expect(await finish(handle)).toEqual(['tea']);
    await Worker.runReplayHistory({ workflowsPath }, await handle.fetchHistory(), 'refuses');
  });

  it('sent again under its id is the same update, also after the workflow has closed', async () => {
    const handle = await start('repeats');
    expect(await Promise.all([1, 2, 3].map(() => addItem(handle, 'tea', 'the-update')))).toEqual([1, 1, 1]);
    expect(await finish(handle)).toEqual(['tea']);
    expect(await addItem(handle, 'tea', 'the-update')).toBe(1);
    expect(await handle.getUpdateHandle<number>('the-update').result()).toBe(1);
    await expect(addItem(handle, 'cake')).rejects.toThrow(WorkflowNotFoundError);
    await expect(handle.getUpdateHandle('other').result()).rejects.toThrow(WorkflowNotFoundError);
    await expect(client.workflow.getHandle('nobody').executeUpdate('addItem')).rejects.toThrow(WorkflowNotFoundError);
  });

  it('may be started and awaited later; it fails when its workflow ends before it', async () => {
    const handle = await start('hangs');
    const update = await handle.startUpdate('hang', { waitForStage: 'ACCEPTED', updateId: 'hanging' });
    expect(update).toMatchObject({
      updateId: 'hanging',
      workflowId: 'hangs',
      workflowRunId: handle.firstExecutionRunId,
    });
    expect(await typesOf(handle)).toContain(EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED);
    await expect(client.withDeadline(Date.now() + 200, () => update.result())).rejects.toThrow(
      WorkflowUpdateRPCTimeoutOrCancelledError,
    );
    const result = update.result().catch((err: unknown) => err);
    await finish(handle, 'abandoned');
    expect(await result).toMatchObject({ cause: { type: 'AcceptedUpdateCompletedWorkflow', nonRetryable: true } });
    await expect(handle.startUpdate('hang', { waitForStage: 'COMPLETED' as 'ACCEPTED' })).rejects.toThrow(TypeError);
  });

  it('knows itself in its handler, also after an await', async () => {
    const handle = await start('knows');
    const info = { id: 'me', name: 'who' };
    expect(await handle.executeUpdate('who', { updateId: 'me' })).toEqual([info, info, info]);
    await finish(handle);
  });

  it('whose handler has a bug fails the workflow task, and is applied once that is mended', async () => {
    const handle = await start('buggy');
    await addItem(handle, 'tea');
    void handle.startUpdate('bug', { waitForStage: 'ACCEPTED' }).catch(() => undefined);
    await until(async () => ((await typesOf(handle)).includes(EventType.WORKFLOW_TASK_FAILED) ? true : undefined));
    await handle.terminate();
  });

  it('is bounded: ten in flight', async () => {
    const handle = await start('bounded');
    const ids = Array.from({ length: 10 }, (_, i) => `update-${i}`);
    await Promise.all(ids.map((updateId) => handle.startUpdate('hang', { waitForStage: 'ACCEPTED', updateId })));
    const error = await client
      .withDeadline(Date.now() + 2_000, () => handle.executeUpdate('hang'))
      .catch((err: unknown) => err);
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ cause: { code: 8, details: expect.stringContaining('10 updates in flight') } });
    await handle.terminate();
  });

  it('comes through continue-as-new: nothing is lost that was acknowledged', async () => {
    const handle = await start('continues');
    const added: Promise<number>[] = [];
    for (let i = 0; i < 30; i += 1) {
      added.push(client.workflow.getHandle('continues').executeUpdate('addItem', { args: [`item ${i}`] }));
      if (i % 10 === 9) {
        await Promise.all(added);
        await client.workflow.getHandle('continues').signal('checkOut', i === 29 ? 'finished' : 'again');
      }
    }
    const list = (await handle.result()) as unknown as string[];
    expect([...list].sort()).toEqual(Array.from({ length: 30 }, (_, i) => `item ${i}`).sort());
  });
});

describe('an update with start', () => {
  const operation = (workflowId: string, workflowIdConflictPolicy: 'FAIL' | 'USE_EXISTING') =>
    new WithStartWorkflowOperation('cart', { workflowId, taskQueue: TASK_QUEUE, workflowIdConflictPolicy });

  it('starts the workflow once, however many race, and gives it all updates', async () => {
    const totals = await Promise.all(
      ['tea', 'cake', 'bread'].map((item) =>
        client.workflow.executeUpdateWithStart('addItem', {
          args: [item],
          startWorkflowOperation: operation('races', 'USE_EXISTING'),
        }),
      ),
    );
    expect([...totals].sort()).toEqual([1, 2, 3]);
    const handle = client.workflow.getHandle('races');
    expect((await handle.describe()).historyLength).toBeGreaterThan(4);
    await handle.signal('checkOut', 'finished');
    expect(((await handle.result()) as string[]).sort()).toEqual(['bread', 'cake', 'tea']);
  });

  it('gives a handle to the workflow and one to the update; is refused where the workflow runs', async () => {
    const first = operation('with start', 'FAIL');
    const update = await client.workflow.startUpdateWithStart('greetItem', {
      args: ['tea'],
      waitForStage: 'ACCEPTED',
      startWorkflowOperation: first,
    });
    const handle = await first.workflowHandle();
    expect(await update.result()).toBe('Hello, tea!');
    const second = operation('with start', 'FAIL');
    const send = () =>
      client.workflow.executeUpdateWithStart('addItem', { args: ['cake'], startWorkflowOperation: second });
    await expect(send()).rejects.toThrow('already started');
    await expect(second.workflowHandle()).rejects.toThrow('already started');
    await expect(send()).rejects.toThrow('has already been executed');
    await handle.signal('checkOut', 'finished');
    expect(await handle.result()).toEqual(['Hello, tea!']);
  });
});

describe('default handlers', () => {
  it('get every signal, query and update that nobody else handles', async () => {
    const handle = await start('defaults', 'anything');
    expect(await handle.executeUpdate<number, [number]>('first', { args: [1] })).toBe(1);
    await handle.signal('second', 2);
    expect(await handle.query('third', 3)).toBe('query third 3');
    await handle.signal('stop');
    expect(await handle.result()).toEqual(['update first 1', 'signal second 2', 'signal stop ']);
  });
});

describe('queries of the server’s own', () => {
  it('tell what a workflow handles, and where it waits', async () => {
    const handle = await start('told');
    const metadata = await handle.query<{ definition: { updateDefinitions: object[] }; currentDetails: string }>(
      '__temporal_workflow_metadata',
    );
    expect(metadata.definition.updateDefinitions).toContainEqual({
      name: 'addItem',
      description: 'puts an item into the cart',
    });
    expect(metadata.currentDetails).toBe('0 items at first');
    expect(await handle.query('__stack_trace')).toMatch(/at cart \(.*workflows\.ts:\d+:\d+\)/);
    const enhanced = await handle.query<{ sdk: { name: string }; stacks: { locations: object[] }[] }>(
      '__enhanced_stack_trace',
    );
    expect(enhanced.sdk.name).toBe('typescript');
    expect(enhanced.stacks[0]?.locations).toContainEqual({
      file_path: expect.stringMatching(/workflows\.ts$/),
      line: expect.any(Number),
      column: expect.any(Number),
      function_name: 'cart',
      internal_code: false,
    });
    await handle.terminate();
    expect(await handle.query('items')).toEqual([]);
  });
});

describe('signals', () => {
  it('a thousand, over ten continuations, are all handled once, in order', async () => {
    const handle = await start('relay', 'relay', { args: [1_000, 100, []] });
    const relay = client.workflow.getHandle('relay');
    for (let i = 0; i < 1_000; i += 1) await relay.signal('add', i);
    expect(await handle.result()).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
  }, 60_000);
});

describe('a hundred signal-with-starts at once', () => {
  it('begin one run, which gets all hundred signals', async () => {
    const racing = Array.from({ length: 100 }, (_, i) =>
      client.workflow.signalWithStart('relay', {
        ...{ workflowId: 'raced', taskQueue: TASK_QUEUE, args: [100, 1_000, []] },
        ...{ signal: 'add', signalArgs: [i] },
      }),
    );
    const handles = await Promise.all(racing);
    expect(new Set(handles.map(({ signaledRunId }) => signaledRunId)).size).toBe(1);
    const got = (await handles[0]?.result()) as number[];
    expect(got.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    const runs: string[] = [];
    for await (const { runId } of client.workflow.list({ query: "WorkflowId = 'raced'" })) runs.push(runId);
    expect(runs).toHaveLength(1);
  }, 60_000);
});

describe('over restarts', () => {
  it('an accepted update goes on with another worker, and on another start of the node', async () => {
    const dataDir = join(temporaryDir(onTestFinished), 'data');
    const options = ['start-dev', '--data-dir', dataDir, '--shard-count', '4'];
    const first = await startServer([...options, '--port', '0'], { atEnd: onTestFinished });
    const { address } = first;
    const connection = await connect({ address }, onTestFinished);
    const { client: own, worker } = await inhabit({ address }, onTestFinished);
    const taskQueue = TASK_QUEUE;
    const handle = await own.workflow.start('cart', { workflowId: 'restarts', taskQueue });
    expect(await handle.executeUpdate<number, [string]>('addItem', { args: ['tea'], updateId: 'first' })).toBe(1);
    worker.shutdown();
    await until(() => (worker.getState() === 'STOPPED' ? true : undefined));
    // Nobody is there: it waits, while the node is killed under it.
    const waiting = handle.executeUpdate<number, [string]>('addItem', { args: ['cake'], updateId: 'second' });
    await until(async () => ((await typesOf(handle)).length > 0 ? true : undefined));
    first.kill('SIGKILL');
    await startServer([...options, '--port', address.split(':').at(-1) ?? ''], { atEnd: onTestFinished });
    await startWorker(connection, onTestFinished);
    expect(await waiting).toBe(2);
    expect(await handle.executeUpdate<number, [string]>('addItem', { args: ['tea'], updateId: 'first' })).toBe(1);
    expect(await finish(handle)).toEqual(['tea', 'cake']);
  }, 60_000);
});

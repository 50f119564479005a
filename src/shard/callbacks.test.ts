// Callbacks on a node: called after the commit, at least once whatever crashes, and noted once.
import { describe, expect, it } from 'vitest';
import type { CallbackAnswer, CallbackRequest } from '../ports/callbacks.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { CallbackState } from '../wire/enums.ts';
import type { DescribeWorkflowExecutionResponse } from '../wire/execution-info.ts';
import { NAMESPACE, World } from './testing.ts';

const HOOK = { nexus: { url: 'https://example.test/hook', header: { tenant: 'a' } } };

interface Call {
  request: CallbackRequest;
  answer(answer: CallbackAnswer): void;
}

async function world() {
  const disk = new MemoryDisk();
  const calls: Call[] = [];
  const callbacks = {
    send: (request: CallbackRequest, done: (answer: CallbackAnswer) => void) =>
      void calls.push({ request, answer: done }),
  };
  const w = await new World(() => openMemoryStore({ disk, shardCount: 4 }), { callbacks }).open();
  const described = async (runId?: string): Promise<DescribeWorkflowExecutionResponse['callbacks']> => {
    const { value } = await w.call<DescribeWorkflowExecutionResponse>((done) =>
      w.engine.describe({ namespace: NAMESPACE, workflowId: 'a' }, runId, done),
    );
    return value?.callbacks ?? [];
  };
  return { w, calls, described };
}

describe('a callback on a node', () => {
  it('is called with the result once its workflow has closed, and says so in describe', async () => {
    const { w, calls, described } = await world();
    w.autopilot(0);
    await w.start('a', { completionCallbacks: [HOOK] });
    await w.time.settle();
    expect(calls.length).toBe(1);
    const [{ request, answer } = { request: undefined, answer: () => undefined }] = calls;
    expect(request).toMatchObject({ url: HOOK.nexus.url, attempt: 1, headers: { tenant: 'a' } });
    expect(request?.headers['nexus-operation-state']).toBe('succeeded');
    expect(new TextDecoder().decode(request?.body)).toBe('0');
    answer({});
    await w.time.settle();
    expect(await described()).toMatchObject([{ state: CallbackState.SUCCEEDED, attempt: 1 }]);
    await w.time.advance(100_000);
    expect(calls.length).toBe(1);
  });

  it('is called again after a crash, by the same id, also when another run has its workflow id', async () => {
    const { w, calls, described } = await world();
    w.autopilot(0);
    const runId = await w.start('a', { completionCallbacks: [HOOK] });
    await w.time.settle();
    await w.restart();
    await w.start('a');
    await w.time.advance(20_000);
    expect(calls.length).toBe(2);
    expect(calls[1]?.request).toMatchObject({ callbackId: calls[0]?.request.callbackId, attempt: 2 });
    // The first one's answer reaches nobody: its process is gone.
    calls[1]?.answer({ failure: { message: 'busy', retryable: true } });
    await w.time.settle();
    expect(await described(runId)).toMatchObject([{ state: CallbackState.BACKING_OFF, attempt: 2 }]);
    await w.time.advance(3_000);
    calls[2]?.answer({});
    await w.time.settle();
    await w.restart();
    expect(await described(runId)).toMatchObject([{ state: CallbackState.SUCCEEDED, attempt: 3 }]);
  });
  it('is called again after a crash, also when a later run of its workflow id was deleted', async () => {
    const { w, calls, described } = await world();
    w.autopilot(0);
    const runId = await w.start('a', { completionCallbacks: [HOOK] });
    await w.time.settle();
    await w.start('a', { taskQueue: 'nobody' });
    const to = { namespace: NAMESPACE, workflowId: 'a' };
    const deleted = { type: 'deleteExecution', target: {}, identity: '' } as const;
    expect((await w.call((done) => w.engine.submit(to, deleted, done))).error).toBeUndefined();
    await w.restart();
    await w.time.advance(20_000);
    expect(calls[1]?.request).toMatchObject({ callbackId: calls[0]?.request.callbackId, attempt: 2 });
    calls[1]?.answer({});
    await w.time.settle();
    await w.restart();
    expect(await described(runId)).toMatchObject([{ state: CallbackState.SUCCEEDED, attempt: 2 }]);
    await w.start('a', { taskQueue: 'nobody' });
  });
});

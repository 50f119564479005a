import { afterAll, expect, it } from 'vitest';
import type { ThreadPort } from './ports.ts';
import { bundleOf } from './runtime/test-run.test-support.ts';
import { SpareThreads, workflowThreads } from './spawn-thread.ts';
import type { WorkflowThreadOptions } from './thread-protocol.ts';

const ports: ThreadPort[] = [];
afterAll(() => {
  for (const port of ports) port.terminate();
});

it('a thread that was started before its code was known runs it all the same; the next one is started as ever', async () => {
  const spares = new SpareThreads();
  const given: (WorkflowThreadOptions | undefined)[] = [];
  const noted = {
    take(options: WorkflowThreadOptions) {
      const taken = spares.take(options);
      given.push(taken && options);
      return taken;
    },
  };
  const bundle = await bundleOf('export async function nothing() {}');
  const shared = { namespace: 'default', taskQueue: 'q', identity: 'me', maxCachedWorkflows: 1 };
  const factory = workflowThreads({ ...shared, bundle }, noted);
  const ready = (): Promise<string[]> =>
    new Promise((resolve, reject) => {
      const port = factory({ onMessages: (messages) => resolve(messages.map(({ type }) => type)), onExit: reject });
      ports.push(port);
    });
  spares.prepare();
  spares.prepare();
  expect(await ready()).toEqual(['ready']);
  expect(await ready()).toEqual(['ready']);
  expect(given.map((options) => options?.taskQueue)).toEqual(['q', undefined]);
  spares.prepare();
  spares.close();
});

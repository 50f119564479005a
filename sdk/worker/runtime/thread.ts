// Entry of a workflow thread (node:worker_threads). One message is handled per turn of the event loop: Node reports rejected promises
// in between, so that each can be laid to the run whose code has just run; answers leave after that.

import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { FromWorkflowThread, ToWorkflowThread, WorkflowThreadOptions } from '../thread-protocol.ts';
import { WorkflowHost } from './host.ts';
import { Realm } from './realm.ts';

/** Used when the main thread does not say: histories then show that the version is unknown. */
const UNKNOWN_VERSION = '0.0.0';

function runThread(port: NonNullable<typeof parentPort>, options: WorkflowThreadOptions): void {
  const inbox: ToWorkflowThread[] = [];
  let outbox: FromWorkflowThread[] = [];
  let scheduled = false;

  const flush = (): void => {
    if (outbox.length === 0) return;
    port.postMessage(outbox);
    outbox = [];
  };
  const host = new WorkflowHost(
    {
      realm: new Realm(options.bundle),
      namespace: options.namespace,
      taskQueue: options.taskQueue,
      maxCachedWorkflows: options.maxCachedWorkflows,
      sdkVersion: options.sdkVersion ?? UNKNOWN_VERSION,
    },
    (message) => {
      outbox.push(message);
      // The main thread must know before the code runs: it may never return.
      if (message.type === 'busy') flush();
    },
  );
  const next = (): void => {
    flush();
    const message = inbox.shift();
    scheduled = message !== undefined;
    if (message === undefined) return;
    setImmediate(next);
    host.handle(message);
    if (message.type === 'close') port.close();
  };

  process.on('unhandledRejection', (error) => {
    const failed = host.unhandledRejection(error);
    if (failed === undefined) return;
    outbox = outbox.filter((message) => !answers(message, failed.runId));
    outbox.push(failed.message);
  });
  port.on('message', (messages: ToWorkflowThread | ToWorkflowThread[]) => {
    inbox.push(...(Array.isArray(messages) ? messages : [messages]));
    if (scheduled) return;
    scheduled = true;
    setImmediate(next);
  });
  port.postMessage([{ type: 'ready' }] satisfies FromWorkflowThread[]);
}

function answers(message: FromWorkflowThread, runId: string): boolean {
  return (message.type === 'completed' || message.type === 'failed') && message.runId === runId;
}

if (!isMainThread && parentPort !== null) runThread(parentPort, workerData);

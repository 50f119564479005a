// The client where there is neither Buffer nor process nor any of Node's modules, as in a browser: its bundle in a context of its own that has what
// browsers have, over a WebSocket of that kind, with a real server.

import { fileURLToPath } from 'node:url';
import { type Context, createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type * as sdk from '../../sdk/client/index.ts';
import type { WebSocketLike } from '../../sdk/connection/index.ts';
import { Server } from '../../src/server.ts';

const OF_BROWSERS = {
  ...{ TextDecoder, URL, AbortController, crypto, performance, console, queueMicrotask },
  ...{ setTimeout, clearTimeout, setInterval, clearInterval },
};

/** What makes bytes has to make them of the context's own kind, as a browser's does. */
function contextOfBrowser(): Context {
  const context = createContext({ ...OF_BROWSERS });
  const define = runInContext(
    '(encode) => { globalThis.TextEncoder = class { encode(text) { return Uint8Array.from(encode(text)); } }; }',
    context,
  ) as (encode: (text: string) => Uint8Array) => void;
  define((text) => Buffer.from(text));
  return context;
}

async function clientIn(context: Context): Promise<typeof sdk> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../../sdk/client/index.ts', import.meta.url))],
    ...{ bundle: true, write: false, format: 'iife', platform: 'browser', globalName: 'client', logLevel: 'silent' },
  });
  return runInContext(`${outputFiles[0]?.text};client`, context) as typeof sdk;
}

/** Of that context, as a browser's would be: what comes is an ArrayBuffer of it. */
function webSocketOf(context: Context, url: string, protocol: string): WebSocketLike {
  const made = runInContext('(bytes) => Uint8Array.from(bytes).buffer', context) as (bytes: number[]) => ArrayBuffer;
  const socket = new WebSocket(url, protocol);
  const like: WebSocketLike = {
    ...{ binaryType: '', bufferedAmount: 0, onopen: null, onmessage: null, onclose: null, onerror: null },
    send: (bytes) => socket.send(Buffer.from(bytes)),
    close: (code, reason) => socket.close(code, reason),
  };
  const tell = (listener: ((event: never) => void) | null, event: object): void => listener?.(event as never);
  socket.on('open', () => tell(like.onopen, {}));
  socket.on('message', (data: Buffer) => tell(like.onmessage, { data: made([...data]) }));
  socket.on('close', (code, reason) => tell(like.onclose, { code, reason: reason.toString() }));
  socket.on('error', (error) => tell(like.onerror, error));
  return like;
}

it('starts a workflow, describes and ends it, and reads what it has said', async () => {
  const server = await Server.create({ port: 0 });
  const context = contextOfBrowser();
  const { Connection, Client, WorkflowFailedError } = await clientIn(context);
  expect(runInContext('[typeof Buffer, typeof process, typeof require]', context).join()).toBe(
    'undefined,undefined,undefined',
  );
  const connection = await Connection.connect({
    address: server.address,
    webSocketFactory: (url, protocol) => webSocketOf(context, url, protocol),
  });
  const client = new Client({ connection });
  const args = [{ text: 'é😀', numbers: [1, 2.5, -1e300], nothing: null }];
  const handle = await client.workflow.start('order', { taskQueue: 'nobody', workflowId: 'w', args });
  const { status, taskQueue } = await handle.describe();
  expect([status.name, taskQueue]).toEqual(['RUNNING', 'nobody']);
  const [started] = (await handle.fetchHistory()).events;
  expect(started?.attributes).toMatchObject({ identity: 'browser' });
  await handle.terminate('enough');
  await expect(handle.result()).rejects.toBeInstanceOf(WorkflowFailedError);
  await connection.close();
  await server.close();
});

// A node as its callers see it: sockets, HTTP, TLS, start errors, the way down. Real ports (0) and real directories.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { stateFile } from '../cluster/node/state.ts';
import { type ConfigOptions, completeConfig } from './config/config.ts';
import { NodeStartError, type RunningNode, startNode } from './node.ts';
import { type Log, silentLog } from './ports/log.ts';
import { openMemoryStore } from './store/memory/store.ts';
import { decodeAll, encode } from './wire/codec.ts';
import { FrameKind, SUBPROTOCOL } from './wire/frame.ts';

const undo: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const lines: string[] = [];
const log: Log = {
  debug() {},
  info() {},
  warn: (_fields, message) => void lines.push(message),
  error: (_fields, message) => void lines.push(message),
};

async function start(options: ConfigOptions = {}): Promise<RunningNode> {
  const config = completeConfig({ listen: { port: 0 }, shutdownGraceMs: 200, ...options });
  const node = await startNode(config, { log });
  undo.push(() => node.close());
  return node;
}

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tenuto-node-'));
  undo.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Opens a WebSocket; resolves with it, or rejects with the refusal's text. */
function dial(
  node: RunningNode,
  headers: Record<string, string> = {},
  path = '/',
  protocol = SUBPROTOCOL,
): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${node.address}${path}`, protocol === '' ? [] : protocol, { headers });
    undo.push(() => socket.terminate());
    socket.on('open', () => resolve(socket));
    socket.on('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => reject(new Error(`${response.statusCode}: ${text}`)));
    });
    socket.on('error', reject);
  });
}

const HELLO = [FrameKind.HELLO, { protocol: [1, 1], client: 'test', identity: 'me', capabilities: [] }];

function ask(socket: WebSocket, ...frames: unknown[]): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    socket.once('message', (data: Buffer) => resolve(decodeAll(data)));
    socket.once('close', (code, reason) => reject(new Error(`closed ${code}: ${reason.toString()}`)));
    socket.send(Buffer.concat(frames.map(encode)));
  });
}

describe('a socket', () => {
  it('keeps no large message for who has not said hello, and takes one from who has', async () => {
    const node = await start();
    const stranger = await dial(node);
    const closed = new Promise<number>((resolve) => stranger.once('close', resolve));
    // Not answered, as what is no hello would be: it ends before the message is whole.
    stranger.send(Buffer.alloc(3_000_000));
    expect(await closed).toBe(1006);
    const known = await dial(node);
    await ask(known, HELLO);
    const large = [FrameKind.REQUEST, 1, 'getServerInfo', 0, { padding: 'x'.repeat(3_000_000) }];
    expect(await ask(known, large)).toMatchObject([[FrameKind.RESPONSE, 1, {}]]);
  });

  it('speaks the protocol', async () => {
    const node = await start();
    const socket = await dial(node);
    expect(socket.protocol).toBe(SUBPROTOCOL);
    expect(socket.extensions).toBe('');
    expect(await ask(socket, HELLO)).toMatchObject([[FrameKind.WELCOME, { protocol: 1, nodeId: node.nodeId }]]);
    expect(await ask(socket, [FrameKind.REQUEST, 1, 'getServerInfo', 0, {}])).toMatchObject([
      [FrameKind.RESPONSE, 1, { store: 'memory', namespaces: ['default'] }],
    ]);
  });

  it.each([
    [
      'another origin',
      { origin: 'https://evil.example' },
      '/',
      SUBPROTOCOL,
      /^403: Origin "https:\/\/evil.example" is not allowed/,
    ],
    ['a foreign host', { host: 'evil.example' }, '/', SUBPROTOCOL, /^403: Host "evil.example" is not allowed/],
    ['another path', {}, '/elsewhere', SUBPROTOCOL, /^404/],
    ['no subprotocol', {}, '/', '', /^400: name the WebSocket subprotocol tenuto.v1/],
  ])('is refused to %s', async (_who, headers, path, protocol, text) => {
    const node = await start();
    await expect(dial(node, headers, path, protocol)).rejects.toThrow(text);
  });

  it('is refused beyond the number of connections', async () => {
    const node = await start({ doorLimits: { connections: 1 } });
    await dial(node);
    await expect(dial(node)).rejects.toThrow(/^503: the node has 1 connections/);
  });

  it('is closed at once beyond those that have not said what they speak', async () => {
    const node = await start({ doorLimits: { connections: 1, httpConnections: 1 } });
    const port = Number(node.address?.split(':')[1]);
    const silent = async (): Promise<{ isClosed: Promise<true> }> => {
      const socket = connectTcp(port, '127.0.0.1');
      undo.push(() => socket.destroy());
      socket.on('error', () => {});
      const isClosed = new Promise<true>((resolve) => socket.once('close', () => resolve(true)));
      await new Promise((resolve) => socket.once('connect', resolve));
      return { isClosed };
    };
    await silent();
    await silent();
    const third = await silent();
    expect(await third.isClosed).toBe(true);
  });

  it('closes with 1009 for a message too large, 1003 for text', async () => {
    const node = await start();
    const big = await dial(node);
    big.send(Buffer.alloc(4 * 1024 * 1024 + 1));
    expect(await new Promise((resolve) => big.on('close', resolve))).toBe(1009);
    const text = await dial(node);
    text.send('hello');
    expect(await new Promise((resolve) => text.on('close', resolve))).toBe(1003);
  });

  it('survives peers that speak no WebSocket at all', async () => {
    const node = await start();
    const port = Number(node.address?.split(':')[1]);
    for (const noise of ['\x16\x03\x01\x02', 'GET / HTTP/1.1\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']) {
      await new Promise<void>((resolve) => {
        const socket = connectTcp(port, '127.0.0.1', () => socket.write(noise));
        socket.on('data', () => socket.destroy());
        socket.on('error', () => {});
        socket.on('close', () => resolve());
        setTimeout(() => socket.destroy(), 500);
      });
    }
    expect((await fetch(`http://${node.address}/readyz`)).status).toBe(200);
  });

  it('hears GOAWAY and a close when the node shuts down', async () => {
    const node = await start();
    const socket = await dial(node);
    await ask(socket, HELLO);
    const heard = new Promise((resolve) => {
      socket.once('message', (data: Buffer) => resolve(decodeAll(data)));
    });
    const closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve([code, reason.toString()]));
    });
    await node.close();
    expect(await heard).toEqual([[FrameKind.GOAWAY, 'the node is shutting down']]);
    expect(await closed).toEqual([1001, 'the node is shutting down']);
  });

  it('that reads nothing holds a bounded amount of memory', async () => {
    const node = await start({ doorLimits: { outgoingPauseBytes: 256 * 1024, slowReaderMs: 300 } });
    const socket = await dial(node);
    await ask(socket, HELLO);
    socket.pause();
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    // Each answer is much larger than its request.
    for (let batch = 0; batch < 40; batch += 1) {
      const requests = Array.from({ length: 1_000 }, (_, i) =>
        encode([FrameKind.REQUEST, batch * 1_000 + i + 1, 'describeNamespace', 0, { namespace: 'x'.repeat(900) }]),
      );
      socket.send(Buffer.concat(requests));
    }
    // A peer that reads again after it was given up finds the close, or the end of the connection.
    setTimeout(() => socket.resume(), 1_500);
    expect([1013, 1006]).toContain(await closed);
  });
});

describe('HTTP', () => {
  it('answers health, readiness and metrics, and nothing else', async () => {
    const node = await start();
    const get = (path: string, headers: Record<string, string> = {}) =>
      fetch(`http://${node.address}${path}`, { headers });
    expect(await (await get('/healthz')).text()).toBe('ok\n');
    expect(await (await get('/readyz')).text()).toBe('ready\n');
    expect((await get('/elsewhere')).status).toBe(404);
    // Who opens it in a browser is told what it is.
    expect(await (await get('/')).text()).toMatch(
      /^This is the port of a Tenuto node\..*\/readyz.*tenuto workflow list/s,
    );
    expect((await get('/readyz', { origin: 'https://evil.example' })).status).toBe(403);
    expect((await fetch(`http://${node.address}/readyz`, { method: 'POST' })).status).toBe(405);
    const socket = await dial(node);
    await ask(socket, HELLO);
    await ask(socket, [FrameKind.REQUEST, 1, 'getServerInfo', 0, {}]);
    const metrics = await (await get('/metrics')).text();
    expect(metrics).toContain('tenuto_requests_total{method="getServerInfo",code="OK"} 1');
    expect(metrics).toMatch(/tenuto_request_duration_seconds_bucket\{le="\+Inf",method="getServerInfo"\} 1/);
    for (const name of [
      'tenuto_connections 1',
      'tenuto_engine_commits_total',
      'tenuto_store_fsyncs_total',
      'tenuto_engine_waiting_tasks',
      'tenuto_credit{kind="workflow"} 0',
      'nodejs_eventloop_lag_seconds',
      'process_resident_memory_bytes',
    ]) {
      expect(metrics).toContain(name);
    }
  });
});

describe('TLS', () => {
  it('serves wss with the files given', async (context) => {
    const path = await directory();
    const certFile = join(path, 'cert.pem');
    const keyFile = join(path, 'key.pem');
    try {
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          'rsa:2048',
          '-nodes',
          '-days',
          '1',
          '-subj',
          '/CN=localhost',
          '-keyout',
          keyFile,
          '-out',
          certFile,
        ],
        { stdio: 'ignore' },
      );
    } catch {
      context.skip('openssl is not installed');
    }
    const node = await start({ tls: { certFile, keyFile } });
    const port = node.address?.split(':')[1];
    const socket = new WebSocket(`wss://localhost:${port}`, SUBPROTOCOL, { ca: await readFile(certFile) });
    undo.push(() => socket.terminate());
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
    expect(await ask(socket, HELLO)).toMatchObject([[FrameKind.WELCOME, {}]]);
  });
});

describe('a node that cannot start says why in one line, and what to do', () => {
  const failure = async (options: ConfigOptions): Promise<NodeStartError> => {
    const error = await start(options).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof NodeStartError)) throw new Error(`it started, or failed with ${String(error)}`);
    expect(error.message).not.toContain('\n');
    expect(error.hint).not.toBe('');
    return error;
  };

  it('port taken', async () => {
    const other = await start();
    const port = Number(other.address?.split(':')[1]);
    const error = await failure({ listen: { port } });
    expect(error).toMatchObject({
      kind: 'portTaken',
      message: `127.0.0.1:${port} is taken by another process`,
      exitCode: 1,
    });
  });

  it('an address of another machine', async () => {
    expect(await failure({ listen: { ip: '203.0.113.1', port: 0 } })).toMatchObject({ kind: 'address' });
  });

  it('a data directory in use', async () => {
    const dataDirectory = await directory();
    await start({ dataDirectory });
    expect(await failure({ dataDirectory })).toMatchObject({ kind: 'locked' });
  });

  it('a data directory that is something else', async () => {
    const dataDirectory = await directory();
    writeFileSync(join(dataDirectory, 'letter.txt'), 'dear diary');
    expect(['version', 'data']).toContain((await failure({ dataDirectory })).kind);
  });

  it('certificate files that are not there', async () => {
    const error = await failure({ tls: { certFile: 'no-such-cert.pem', keyFile: 'no-such-key.pem' } });
    expect(error).toMatchObject({ kind: 'config', exitCode: 2 });
    expect(error.message).toContain('no-such-cert.pem');
  });

  it('a cluster it is to be part of', async () => {
    const error = await failure({
      cluster: { id: 'orders', name: 'node-1', redis: { url: 'redis://127.0.0.1:6379' } },
    });
    expect(error).toMatchObject({ kind: 'config', exitCode: 2 });
    expect(error.message).toContain('cluster orders');
  });

  it('a directory of a node of a cluster, alone', async () => {
    const dataDirectory = await directory();
    await start({ dataDirectory }).then((node) => node.close());
    const record = { clusterId: 'orders', incarnation: 'i', shardCount: 4, createdAtMs: 1 };
    await stateFile(dataDirectory).write({ record, plan: '', firstPlan: '', born: true, draining: 'no' });
    const error = await failure({ dataDirectory });
    expect(error).toMatchObject({
      kind: 'config',
      exitCode: 2,
      message: expect.stringMatching(/cluster orders.*alone/),
    });
  });

  it('and gives its port back', async () => {
    const dataDirectory = await directory();
    await start({ dataDirectory });
    const probe = await start();
    const port = Number(probe.address?.split(':')[1]);
    await probe.close();
    await failure({ dataDirectory, listen: { port } });
    await start({ listen: { port } });
  });
});

describe('a node whose disk refuses a write', () => {
  it('stops serving, says why on /readyz, logs what to do, and goes down cleanly', async () => {
    lines.length = 0;
    const store = openMemoryStore({ shardCount: 4 });
    let told: Error | undefined;
    const onFatal = (error: Error): void => {
      told = error;
    };
    const config = completeConfig({ listen: { port: 0 }, shutdownGraceMs: 100 });
    const node = await startNode(config, { log, store, onFatal });
    undo.push(() => node.close());
    const socket = await dial(node);
    await ask(socket, HELLO);
    store.disk.faults.beforeWrite = () => {
      throw new Error('ENOSPC: no space left on device');
    };
    const start = {
      namespace: 'default',
      workflowId: 'w',
      workflowType: 'T',
      taskQueue: 'q',
      identity: '',
      requestId: 'r',
    };
    expect(await ask(socket, [FrameKind.REQUEST, 1, 'startWorkflowExecution', 0, start])).toMatchObject([
      [FrameKind.ERROR, 1, { code: 14, detail: { kind: 'Unavailable', applied: 'maybe' } }],
    ]);
    expect(await ask(socket, [FrameKind.REQUEST, 2, 'startWorkflowExecution', 0, start])).toMatchObject([
      [FrameKind.ERROR, 2, { code: 14, detail: { kind: 'Unavailable', applied: 'no' } }],
    ]);
    const ready = await fetch(`http://${node.address}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toMatch(/^not ready: the store failed: .*no space left/);
    expect((await fetch(`http://${node.address}/healthz`)).status).toBe(200);
    expect(told?.message).toMatch(/no space left/);
    expect(lines.some((line) => line.includes('the node stops serving'))).toBe(true);
  });
});

describe('a node that listens beyond this machine', () => {
  it('warns when it does so without TLS or tokens', async () => {
    lines.length = 0;
    await start({ listen: { ip: '0.0.0.0', port: 0 } });
    expect(lines).toEqual([
      'listening beyond this machine without TLS and without tokens for namespace default: everyone who reaches the port may use it',
    ]);
  });
});

describe('a new node of a cluster', () => {
  it('waits for Redis, and ends when it is told to', async () => {
    const giveUp = new AbortController();
    const config = completeConfig({
      dataDirectory: join(await mkdtemp(join(tmpdir(), 'tenuto-node-')), 'data'),
      cluster: { id: 'c', name: 'n', redis: { url: 'redis://127.0.0.1:1' }, gossip: { port: 0 }, link: { port: 0 } },
    });
    const start = startNode(config, { log: silentLog, giveUp: giveUp.signal });
    giveUp.abort();
    await expect(start).rejects.toThrow(/ended while it waited for Redis/);
  });
});

// What can go wrong around a node, each with an error of its own that says what to do; afterwards node and data are sound.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onTestFinished as atTestEnd, beforeAll, describe, expect, it } from 'vitest';
import { Client, WorkflowFailedError } from '../../sdk/client/index.ts';
import { EventType, WorkflowTaskFailedCause } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import {
  type AtEnd,
  MAIN,
  type RunOptions,
  runNode,
  type ServerProcess,
  startServer,
  temporaryDir,
  tenuto,
  until,
} from '../support/processes.ts';
import { connect, inhabit, TASK_QUEUE, type World } from './world.ts';

/** `nobody`: whom permissions bind when the tests run as root. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const MIB = 1024 * 1024;

const onTestFinished: AtEnd = (step) => atTestEnd(async () => void (await step()));
const atFileEnd = undoneAtFileEnd();

let dataDir = '';
let node: ServerProcess;
let world: World;

beforeAll(async () => {
  dataDir = join(temporaryDir(atFileEnd), 'data');
  node = await startServer(['start-dev', '--data-dir', dataDir, '--port', '0'], { atEnd: atFileEnd });
  world = await inhabit({ address: node.address }, atFileEnd);
});

const cli = (...args: string[]) => tenuto(['workflow', ...args], { env: { TENUTO_ADDRESS: node.address } });
const starting = (type: string, workflowId: string, ...more: string[]) =>
  cli('start', '--type', type, '-t', TASK_QUEUE, '-w', workflowId, ...more);

/** It still serves, and does its work. */
async function expectSound(): Promise<void> {
  expect((await fetch(`http://${node.address}/readyz`)).status).toBe(200);
  const workflowId = `sound ${performance.now()}`;
  expect(await world.client.workflow.execute('hello', { workflowId, taskQueue: TASK_QUEUE, args: ['again'] })).toBe(
    'Hello, again!',
  );
}

/** A server that is refused; resolves with what it said. */
async function refusedServer(
  args: readonly string[],
  options: RunOptions = {},
): Promise<{ code: number | null; said: string }> {
  const running = runNode(MAIN, ['server', ...args], options);
  const { code } = await running.ended;
  expect(running.stdout()).toBe('');
  const said = running.stderr();
  expect(said).not.toMatch(/\n\s+at /);
  return { code, said };
}

/** Whether a user without rights of its own gets at a file. */
function openToAll(file: string): boolean {
  for (let path = realpathSync(file); path !== dirname(path); path = dirname(path)) {
    if ((statSync(path).mode & 0o005) !== 0o005 && path !== realpathSync(file)) return false;
  }
  return (statSync(file).mode & 0o004) !== 0;
}

/** A directory that can be made read-only for a node. Root writes where it likes: then the node is another user's, or the mount is. */
function lockable(): { directory: string; options: RunOptions; lock(): void; unlock(): void } {
  const directory = temporaryDir();
  if (isRoot && !(openToAll(MAIN) && openToAll(process.execPath))) {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', directory]);
    onTestFinished(() => void execFileSync('umount', ['-l', directory]));
    const remount = (how: 'ro' | 'rw') => (): void => void execFileSync('mount', ['-o', `remount,${how}`, directory]);
    return { directory, options: {}, lock: remount('ro'), unlock: remount('rw') };
  }
  if (isRoot) chownSync(directory, NOBODY, NOBODY);
  const change = (mode: number) => (): void => {
    for (const path of [directory, join(directory, 'existing')]) chmodSync(path, mode);
  };
  return { directory, options: isRoot ? { uid: NOBODY } : {}, lock: change(0o555), unlock: change(0o755) };
}

describe('a server that cannot start', () => {
  it('because its port is taken', async () => {
    const unmade = join(temporaryDir(), 'data');
    const port = node.address.split(':')[1] ?? '';
    const { code, said } = await refusedServer(['start-dev', '--port', port, '--data-dir', unmade]);
    expect(code).toBe(1);
    expect(said).toBe(`tenuto: ${node.address} is taken by another process
  Stop that one, or choose another port with --port.
`);
    expect(existsSync(unmade)).toBe(false);
    await expectSound();
  });

  it('because another one has its data directory', async () => {
    const { code, said } = await refusedServer(['start-dev', '--port', '0', '--data-dir', dataDir]);
    expect(code).toBe(1);
    expect(said.startsWith(`tenuto: ${dataDir} is in use by another server (process ${node.pid})\n`)).toBe(true);
    expect(said.match(/is in use/g)).toHaveLength(1);
    expect(said).toContain('\n  Stop that one first, or name another directory with --data-dir.\n');
    await expectSound();
  });

  it('because its data directory is a file, or below one', async () => {
    const file = join(temporaryDir(), 'package.json');
    writeFileSync(file, '{}');
    const itself = await refusedServer(['start-dev', '--port', '0', '--data-dir', file]);
    expect(itself).toEqual({
      code: 1,
      said: `tenuto: ${file} is not a directory\n  Name an empty or absent directory, or one that a server or a backup made.\n`,
    });
    const below = await refusedServer(['start-dev', '--port', '0', '--data-dir', join(file, 'data')]);
    expect(below.code).toBe(1);
    expect(below.said).toMatch(/ENOTDIR.*\n {2}A part of that path is a file: name another directory\.\n$/);
  });

  it('because its data directory is read-only, new or with data', async () => {
    const { directory, options, lock, unlock } = lockable();
    const existing = join(directory, 'existing');
    const server = await startServer(['start-dev', '--port', '0', '--data-dir', existing], options);
    server.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    lock();
    for (const path of [join(directory, 'new'), existing]) {
      const { code, said } = await refusedServer(['start-dev', '--port', '0', '--data-dir', path], options);
      expect(code).toBe(1);
      expect(said).toContain(`tenuto: cannot use data directory ${path}: `);
      expect(said).toContain(
        'The server needs to write there: check owner, permissions, and whether the file system is read-only.',
      );
    }
    unlock();
    await startServer(['start-dev', '--port', '0', '--data-dir', existing], options);
  });

  it.each([
    ['an unknown key', 'listen: { prot: 1 }', 'listen: Unrecognized key: "prot"'],
    ['a value that cannot be', 'listen: { port: 70000 }', 'listen.port: '],
    [
      'a duration that is none',
      'namespaces: [{ name: a, retention: soon }]',
      'namespaces[0].retention: "soon" is no duration',
    ],
    ['something that is no YAML', 'listen: [', ''],
    ['text', 'hello', 'the file: '],
  ])('because its configuration has %s', async (_, text, message) => {
    const file = join(temporaryDir(), 'node.yaml');
    writeFileSync(file, text);
    const { code, said } = await refusedServer(['start', '--config', file]);
    expect(code).toBe(2);
    expect(said).toContain(`tenuto: ${file}: ${message}`);
  });

  it('because there is no such configuration', async () => {
    const { code, said } = await refusedServer(['start', '--config', 'no-such-file.yaml']);
    expect(code).toBe(2);
    expect(said).toContain('cannot read no-such-file.yaml');
  });

  it.each([
    ['--port', 'abc', '0 to 65535'],
    ['--port', '70000', '0 to 65535'],
    ['--shard-count', '0', '1 to 65536'],
  ])('because of %s %s', async (flag, value, range) => {
    for (const verb of ['start', 'start-dev']) {
      const { code, said } = await refusedServer([verb, flag, value]);
      expect(code).toBe(2);
      expect(said).toBe(`tenuto: ${flag} takes a whole number from ${range}, not ${value}\n`);
    }
  });

  it('because of what a flag leaves open', async () => {
    expect(await refusedServer(['start', '--cluster-id', 'orders', '--name', 'node-1'])).toEqual({
      code: 2,
      said: 'tenuto: cluster.redis: is needed: url, sentinels or nodes\n',
    });
    expect(await refusedServer(['start', '--data-dir', ''])).toEqual({
      code: 2,
      said: 'tenuto: --data-dir is empty\n',
    });
  });

  it('because the gRPC port is none', async () => {
    const { code, said } = await refusedServer(['start-dev', '--grpc-port', 'seven']);
    expect(code).toBe(2);
    expect(said).toContain('--grpc-port takes a whole number from 0 to 65535, not seven');
  });
});

describe('a workflow', () => {
  /** Its first failed task. */
  async function failedTask(
    workflowId: string,
  ): Promise<HistoryEvent & { eventType: typeof EventType.WORKFLOW_TASK_FAILED }> {
    const handle = world.client.workflow.getHandle(workflowId);
    return await until(async () => {
      for (const event of (await handle.fetchHistory()).events) {
        if (event.eventType === EventType.WORKFLOW_TASK_FAILED) return event;
      }
      return undefined;
    });
  }

  it('of an unknown type waits, and its history says why', async () => {
    expect((await starting('noSuchType', 'unknown type')).code).toBe(0);
    const { attributes } = await failedTask('unknown type');
    expect(attributes.failure?.message).toMatch(
      /^Failed to initialize workflow of type 'noSuchType': no such function is exported by the workflow bundle, only .*hello/,
    );
    const described = await cli('describe', '-w', 'unknown type');
    expect(described.stdout).toMatch(/status +RUNNING/);
    expect((await cli('show', '-w', 'unknown type')).stdout).toContain('noSuchType');
    expect((await cli('terminate', '-w', 'unknown type')).code).toBe(0);
    await expectSound();
  });

  it('with an activity nobody has fails with the names that there are', async () => {
    const { code, stderr } = await cli('execute', '--type', 'unregistered', '-t', TASK_QUEUE, '-w', 'unregistered');
    expect(code).toBe(1);
    expect(stderr).toContain(
      'Activity function nobodyHasThis is not registered on this Worker, available activities: ["greet","large","breakDown","slowly"]',
    );
    await expectSound();
  });

  it('is not started with an input too large, and the refusal says how large is too large', async () => {
    const file = join(temporaryDir(), 'input.json');
    writeFileSync(file, JSON.stringify('x'.repeat(2 * MIB + 1)));
    const { code, stderr } = await starting('echo', 'input too large', '--input-file', file);
    expect(code).toBe(2);
    expect(stderr).toMatch(/input too large|size exceeds limit/i);
    expect((await cli('describe', '-w', 'input too large')).code).toBe(3);
    await expectSound();
  });

  it('whose activity answers too much fails with that', async () => {
    const failure = await world.client.workflow
      .execute('tooLarge', { workflowId: 'result too large', taskQueue: TASK_QUEUE, args: [2 * MIB + 1] })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WorkflowFailedError);
    expect(describeChain(failure)).toMatch(/exceeds.*limit|too large/i);
    await expectSound();
  });

  it('with 2,001 pending activities has its task failed, and can be ended', async () => {
    const handle = await world.client.workflow.start('tooMany', {
      workflowId: 'too many',
      taskQueue: TASK_QUEUE,
      args: [2_001],
    });
    const { attributes } = await failedTask('too many');
    expect(attributes.cause).toBe(WorkflowTaskFailedCause.PENDING_ACTIVITIES_LIMIT_EXCEEDED);
    expect(attributes.failure?.message).toMatch(/2,?000/);
    const { raw, status } = await handle.describe();
    expect(status.name).toBe('RUNNING');
    expect(raw.pendingActivities).toEqual([]);
    await handle.terminate('seen');
    await expectSound();
  });
});

const describeChain = (error: unknown): string => {
  const lines: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) lines.push(cause.message);
  return lines.join('\n');
};

describe('a caller', () => {
  it('is told that no server is there', async () => {
    const { code, stderr } = await tenuto(['workflow', 'list', '--address', '127.0.0.1:9']);
    expect(code).toBe(5);
    expect(stderr).toMatch(/ECONNREFUSED/);
    expect(stderr).toContain('Is a server running there? `tenuto server start-dev` starts one');
  });

  it('is told that there is no such namespace', async () => {
    const { code, stderr } = await cli('list', '-n', 'elsewhere');
    expect(code).toBe(3);
    expect(stderr).toMatch(/namespace.*elsewhere/i);
    await expectSound();
  });

  it('is told that there is no such workflow', async () => {
    const { code, stderr } = await cli('describe', '-w', 'nobody');
    expect(code).toBe(3);
    expect(stderr).toMatch(/nobody/);
  });

  it('is told that its token does not open the namespace', async () => {
    const file = join(temporaryDir(), 'node.yaml');
    writeFileSync(file, 'listen: { port: 0 }\nnamespaces: [{ name: default, tokens: [the-right-one] }]\n');
    const { address } = await startServer(['start', '--config', file]);
    for (const token of [[], ['--token', 'the-wrong-one']]) {
      const { code, stderr } = await tenuto(['workflow', 'list', '--address', address, ...token]);
      expect(code).toBe(6);
      expect(stderr).toMatch(/token/);
      expect(stderr).not.toContain('the-right-one');
    }
    expect((await tenuto(['workflow', 'list', '--address', address, '--token', 'the-right-one'])).code).toBe(0);
  });
});

describe('a disk that is full', () => {
  /** A place with room for a few MiB, and how it gets more: a file system of its own, or where that may not be, a limit. */
  function scarce(): { directory: string; options: RunOptions; relieve(): void } {
    const directory = temporaryDir();
    const mountPoint = join(directory, 'small');
    mkdirSync(mountPoint);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', mountPoint], { stdio: 'ignore' });
    } catch {
      return { directory, options: { fileBlocks: 3_000 }, relieve: () => {} };
    }
    onTestFinished(() => void execFileSync('umount', ['-l', mountPoint]));
    const relieve = (): void => void execFileSync('mount', ['-o', 'remount,size=64m', mountPoint]);
    return { directory: mountPoint, options: {}, relieve };
  }

  it('stops the node; what was acknowledged is there once there is space', async () => {
    const { directory, options, relieve } = scarce();
    const file = join(temporaryDir(), 'node.yaml');
    const data = join(directory, 'data');
    writeFileSync(
      file,
      `dataDirectory: ${data}\nlisten: { port: 0 }\nshardCount: 4\nengine: { freeSpaceReserve: 1 }\n`,
    );
    const server = await startServer(['start', '--config', file], options);
    const connection = await connect({ address: server.address, requestTimeout: '3s' }, onTestFinished);
    const client = new Client({ connection });
    const acknowledged: string[] = [];
    const input = 'x'.repeat(200_000);
    const starts = async (): Promise<void> => {
      for (let i = 0; i < 1_000; i += 1) {
        const workflowId = `w${i}`;
        await client.workflow.start('echo', { workflowId, taskQueue: 'q', args: [input] });
        acknowledged.push(workflowId);
      }
    };
    const refusal = describeChain(await starts().catch((error: unknown) => error));
    expect(refusal).toMatch(/UNAVAILABLE.*store/);
    expect(acknowledged.length).toBeGreaterThan(3);
    const ready = await fetch(`http://${server.address}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toMatch(/^not ready: the store failed: .*(No space left|File too large)/);
    expect(server.stderr()).toMatch(/the node stops serving; nothing acknowledged is lost. Check the disk/);
    const listed = await tenuto(['workflow', 'list', '--address', server.address]);
    expect(listed.code).toBe(5);
    server.kill('SIGTERM');
    await server.ended;
    await connection.close();

    relieve();
    const again = await startServer(['start', '--config', file]);
    const after = await inhabit({ address: again.address }, onTestFinished);
    for (const workflowId of acknowledged) {
      expect((await after.client.workflow.getHandle(workflowId).describe()).status.name).toBe('RUNNING');
    }
    const greeting = { workflowId: 'afterwards', taskQueue: TASK_QUEUE, args: ['all'] };
    expect(await after.client.workflow.execute('hello', greeting)).toBe('Hello, all!');
    again.kill('SIGTERM');
    expect((await again.ended).code).toBe(0);
    expect((await tenuto(['data', 'verify', data])).code).toBe(0);
  });

  // The client repeats such a refusal for some twenty seconds before it gives up.
  it('is not filled to the last byte: below a reserve nothing new begins', { timeout: 90_000 }, async () => {
    const directory = temporaryDir();
    const file = join(directory, 'node.yaml');
    writeFileSync(file, 'dataDirectory: data\nlisten: { port: 0 }\nengine: { freeSpaceReserve: 1.0e+18 }\n');
    const { address } = await startServer(['start', '--config', file]);
    const refused = await tenuto(['workflow', 'start', '--address', address, '--type', 'echo', '-t', 'q']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/Less than \d+ MiB are free on the data disk: free space/);
    expect((await tenuto(['workflow', 'list', '--address', address])).code).toBe(0);
    expect((await fetch(`http://${address}/readyz`)).status).toBe(200);
  });
});

describe('after all this', () => {
  it('the data is sound', async () => {
    await expectSound();
    node.kill('SIGTERM');
    expect((await node.ended).code).toBe(0);
    const { code, stdout } = await tenuto(['data', 'verify', dataDir]);
    expect(stdout).toMatch(/sound +true/);
    expect(code).toBe(0);
  });
});

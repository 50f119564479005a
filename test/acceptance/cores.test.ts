// A server of several cores, as a user has it: one command, one port, one directory. Real processes, killed too.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Connection as TemporalConnection } from '@temporalio/client';
import { beforeAll, describe, expect, it } from 'vitest';
import { completeConfig } from '../../src/config/config.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { selfSigned } from '../support/certificate.ts';
import {
  MAIN,
  restartServer,
  runNode,
  type ServerProcess,
  startServer,
  temporaryDir,
  tenuto,
  until,
} from '../support/processes.ts';
import { inhabit, TASK_QUEUE, type World } from './world.ts';

const atEnd = undoneAtFileEnd();

const WORKFLOWS = 30;
let data = '';
let port = '0';
let server: ServerProcess;
let world: World;

const flags = (cores: number): string[] => [
  ...['start-dev', '--data-dir', data, '--port', port, '--grpc-port', '0', '--shard-count', '16'],
  ...['--cores', String(cores), '--log-level', 'info'],
];
const ready = (address: string): Promise<true> =>
  until(async () => ((await fetch(`http://${address}/readyz`)).ok ? true : undefined));
const cli = (...args: string[]) => tenuto(args, { env: { TENUTO_ADDRESS: server.address } });

/** Of the core's latest start. */
function pidOf(core: number): number {
  const lines = server.stderr().matchAll(new RegExp(`"core":${core},"pid":(\\d+)`, 'g'));
  return Number([...lines].at(-1)?.[1]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Requests of a method that each core has answered. */
async function requests(metrics: string, method: string): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  const lines = metrics.matchAll(
    new RegExp(`^tenuto_requests_total\\{core="(\\d+)",method="${method}".* (\\d+)$`, 'gm'),
  );
  for (const [, core, count] of lines) counts.set(Number(core), (counts.get(Number(core)) ?? 0) + Number(count));
  return counts;
}

beforeAll(async () => {
  data = join(temporaryDir(atEnd), 'data');
  server = await startServer(flags(2), { atEnd });
  port = server.address.slice(server.address.lastIndexOf(':') + 1);
  await ready(server.address);
  world = await inhabit({ address: server.address }, atEnd);
}, 60_000);

describe('a server of two cores', () => {
  it('runs workflows in both: clients and workers find the core of each behind the one port', async () => {
    const { client } = world;
    const results = Array.from({ length: WORKFLOWS }, (_, n) =>
      client.workflow.execute('hello', { workflowId: `hello-${n}`, taskQueue: TASK_QUEUE, args: [`${n}`] }),
    );
    expect(await Promise.all(results)).toEqual(Array.from({ length: WORKFLOWS }, (_, n) => `Hello, ${n}!`));

    const metrics = await (await fetch(`http://${server.address}/metrics`)).text();
    const answered = await requests(metrics, 'respondWorkflowTaskCompleted');
    expect([...answered.keys()]).toEqual([1, 2]);
    for (const count of answered.values()) expect(count).toBeGreaterThan(0);

    const counted = await cli('workflow', 'count', '-o', 'json');
    expect(JSON.parse(counted.stdout)).toMatchObject({ count: WORKFLOWS });
    const members = await cli('cluster', 'members', '-o', 'json');
    expect(members.stdout).toContain(`${server.address}/cores/1`);
    expect(members.stdout).toContain(`${server.address}/cores/2`);
  });

  it('is reached through gRPC too, by clients that know nothing of cores', async () => {
    const address = /gRPC on (\S+),/.exec(server.stdout())?.[1] ?? '';
    for (let n = 0; n < 3; n += 1) {
      const connection = await TemporalConnection.connect({ address });
      const { executions } = await connection.workflowService.listWorkflowExecutions({ namespace: 'default' });
      expect(executions).toHaveLength(WORKFLOWS);
      await connection.close();
    }
  });

  it('loses nothing when a core is killed, and starts it again while the other serves', async () => {
    const { client } = world;
    const waiting = await Promise.all(
      Array.from({ length: WORKFLOWS }, (_, n) =>
        client.workflow.start('approval', { workflowId: `approval-${n}`, taskQueue: TASK_QUEUE }),
      ),
    );
    const killed = pidOf(2);
    process.kill(killed, 'SIGKILL');
    await Promise.all(waiting.map((handle) => handle.signal('approve', 'yes')));
    expect(await Promise.all(waiting.map((handle) => handle.result()))).toEqual(Array(WORKFLOWS).fill('yes'));
    expect(server.stderr()).toMatch(/"core":2,"how":"SIGKILL".*a core ended by itself and is started again/);
    await ready(server.address);
    expect(pidOf(2)).not.toBe(killed);
  });

  it('ends cleanly, and grows: shards move to a new core, and all is still there', async () => {
    server.kill('SIGTERM');
    expect(await server.ended).toMatchObject({ code: 0 });
    server = await restartServer(flags(3), { atEnd });
    await ready(server.address);
    await until(async () => {
      const { stdout } = await cli('cluster', 'shards', '-o', 'json');
      return stdout.includes('"leader": "core-3"') ? true : undefined;
    }, 40_000);
    const counted = await cli('workflow', 'count', '-o', 'json');
    expect(JSON.parse(counted.stdout)).toMatchObject({ count: 2 * WORKFLOWS });
    const again = { workflowId: 'again', taskQueue: TASK_QUEUE, args: ['again'] };
    expect(await world.client.workflow.execute('hello', again)).toBe('Hello, again!');
  }, 90_000);

  it('takes its cores with it when it is killed', async () => {
    const pids = [1, 2, 3].map(pidOf);
    expect(pids.every(isAlive)).toBe(true);
    server.kill('SIGKILL');
    await server.ended;
    await until(() => (pids.some(isAlive) ? undefined : true));
  });

  it.each([
    [2, 'is that of 3 cores, and 2 cannot serve it: each holds shards that no other has'],
    [1, 'is that of 3 cores'],
  ])('is not started with %d cores on the data of three', async (cores, message) => {
    const running = runNode(MAIN, ['server', ...flags(cores)], { atEnd });
    expect((await running.ended).code).toBe(2);
    expect(running.stderr()).toContain(message);
    expect(running.stderr()).toContain('--cores 3');
  });
});

it('has cores that live on where what is preloaded has let go of their channel', async () => {
  const preload = 'data:text/javascript,process.channel.unref()';
  const core = fork(MAIN, ['server', 'core'], {
    execArgv: ['--import', preload],
    stdio: 'ignore',
    serialization: 'json',
  });
  atEnd(() => void core.kill('SIGKILL'));
  const ended = once(core, 'exit');
  // One that is waited for by nothing ends before it is told anything. Where it may not be, it says so, and stays.
  const file = join(temporaryDir(atEnd), 'file');
  writeFileSync(file, '');
  core.send({
    type: 'start',
    core: 1,
    config: completeConfig({ dataDirectory: file }),
    address: '',
    grpcAddress: undefined,
  });
  const [said] = await Promise.race([once(core, 'message'), ended]);
  expect(said).toMatchObject({ type: 'startFailed' });
  core.disconnect();
  expect(await ended).toEqual([1, null]);
}, 30_000);

it('serves TLS: the core that a client wants is told to it before the path can be read', async () => {
  const { certificate, privateKey } = selfSigned();
  const directory = temporaryDir(atEnd);
  writeFileSync(join(directory, 'cert.pem'), certificate);
  writeFileSync(join(directory, 'key.pem'), privateKey);
  writeFileSync(
    join(directory, 'node.yaml'),
    'cores: 2\nshardCount: 16\ndataDirectory: data\nlisten: { port: 0 }\ntls: { certFile: cert.pem, keyFile: key.pem }\n',
  );
  const secure = await startServer(['start', '--config', join(directory, 'node.yaml')], { atEnd });
  const env = { TENUTO_ADDRESS: `wss://${secure.address}` };
  const authority = ['--tls-ca', join(directory, 'cert.pem')];
  const check = () => tenuto(['server', 'check', '--address', `wss://${secure.address}`, ...authority]);
  await until(async () => ((await check()).code === 0 ? true : undefined), 40_000);
  const options = { address: `wss://${secure.address}`, tls: { serverRootCACertificate: certificate } };
  const { client } = await inhabit(options, atEnd);
  const results = Array.from({ length: WORKFLOWS }, (_, n) =>
    client.workflow.execute('hello', { workflowId: `secure-${n}`, taskQueue: TASK_QUEUE, args: [`${n}`] }),
  );
  expect(await Promise.all(results)).toHaveLength(WORKFLOWS);
  const members = await tenuto(['cluster', 'members', '-o', 'json', ...authority], { env });
  expect(members.stdout).toContain('/cores/2');
}, 90_000);

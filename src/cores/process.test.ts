// Connections on their way to a core: no byte of one is lost, however long the core takes, and none hangs when it dies before it has them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { completeConfig } from '../config/config.ts';
import { DoorListener } from './doors.ts';
import { CoreProcess } from './process.ts';

/** A core that echoes what it reads. */
const ECHO = `
process.on('message', (message, socket) => {
  if (message.type === 'stop') process.exit(0);
  if (message.type !== 'socket') return;
  process.send({ type: 'socketTaken', id: message.id });
  socket.on('error', () => {});
  socket.write(Buffer.from(message.head, 'base64'));
  socket.pipe(socket);
});
process.on('disconnect', () => process.exit(1));
process.send({ type: 'started' });
`;
const TURNS = 100;

let folder: string;
let core: CoreProcess;
let listener: DoorListener;
let handed = 0;
const clients: Socket[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tenuto-cores-'));
  const module = join(folder, 'echo.cjs');
  writeFileSync(module, ECHO);
  handed = 0;
  const config = completeConfig({});
  const start = { type: 'start', core: 1, config, address: '', grpcAddress: undefined } as const;
  await new Promise<void>((started) => {
    core = new CoreProcess({
      ...{ core: 1, command: [module], start },
      events: {
        message: (_core, message) => {
          if (message.type === 'socketTaken') core.taken(message.id);
          if (message.type === 'started') started();
        },
        died: () => {},
      },
    });
  });
  listener = await DoorListener.listen({
    ...{ door: 'native', ip: '127.0.0.1', port: 0, tls: 'plain' },
    hand: (_wanted, socket, head) => {
      core.hand('native', socket, head);
      handed += 1;
    },
  });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  listener.close();
  await core.stop(1_000);
  rmSync(folder, { recursive: true, force: true });
});

const open = async (): Promise<Socket> => {
  const [host = '', port] = listener.address.split(':');
  const client = connect(Number(port), host).on('error', () => {});
  clients.push(client);
  await new Promise<void>((connected) => client.once('connect', connected));
  return client;
};

const stopped = (signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void => void process.kill(core.pid ?? 0, signal);

/** Until all have been handed over, and then for as long as what is ready by now is read. */
const until = async (count: number): Promise<void> => {
  while (handed < count) await turn();
  for (let i = 0; i < TURNS; i += 1) await turn();
};

it('what comes of a connection while the core is slow to take it is read by the core', async () => {
  stopped('SIGSTOP');
  const client = await open();
  let echoed = '';
  client.setEncoding('latin1').on('data', (text: string) => (echoed += text));
  client.write('GET /cores/1 HTTP/1.1\r\n');
  await until(1);
  await new Promise<void>((written) => client.write('Host: here\r\n\r\n', () => written()));
  await until(1);
  stopped('SIGCONT');
  while (!echoed.endsWith('\r\n\r\n')) await turn();
  expect(echoed).toBe('GET /cores/1 HTTP/1.1\r\nHost: here\r\n\r\n');
}, 60_000);

it('connections that a core had not taken when it died are closed', async () => {
  stopped('SIGSTOP');
  const opened = await Promise.all(Array.from({ length: 8 }, open));
  const closed = opened.map((client) => new Promise<void>((over) => client.resume().once('close', () => over())));
  for (const client of opened) client.write('GET / HTTP/1.1\r\n\r\n');
  await until(opened.length);
  stopped('SIGKILL');
  await Promise.all(closed);
}, 60_000);

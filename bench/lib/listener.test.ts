import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { listenerAt } from './listener.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listenAt(host: string): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('a port has a number');
  return address.port;
}

describe.runIf(process.platform === 'linux')('who listens', () => {
  it.each(['127.0.0.1', 'localhost'])('here, asked by %s', async (host) => {
    expect(listenerAt(`${host}:${await listenAt('127.0.0.1')}`)).toBe(process.pid);
  });

  it('at every address', async () => {
    expect(listenerAt(`127.0.0.1:${await listenAt('0.0.0.0')}`)).toBe(process.pid);
  });

  it('in another process', async () => {
    const code = `require('node:net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })`;
    const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const port = await new Promise<string>((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk))));
      expect(listenerAt(`127.0.0.1:${port.trim()}`)).toBe(child.pid);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('is nobody where none does', async () => {
    const port = await listenAt('127.0.0.1');
    expect(listenerAt(`127.0.0.2:${port}`)).toBeUndefined();
    const [server] = servers.splice(0);
    await new Promise((resolve) => server?.close(resolve));
    expect(listenerAt(`127.0.0.1:${port}`)).toBeUndefined();
  });

  it('is nobody of ours on another machine, whoever has the port here', async () => {
    const port = await listenAt('0.0.0.0');
    expect(listenerAt(`temporal.internal:${port}`)).toBeUndefined();
    expect(listenerAt(`203.0.113.7:${port}`)).toBeUndefined();
  });
});

// The control socket: how `tenuto data` reaches the node that has a data directory open, so that a backup needs no stop.
// A Unix socket in the temp folder, named by the directory's id and readable by its owner only; JSON lines either way.

import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { BackupOfNode } from '../../ports/cluster-backup.ts';

/** A request may not be longer than this, bytes. */
const MAX_LINE_BYTES = 64 * 1024;
const CONNECT_TIMEOUT_MS = 2_000;

interface BackupRequest {
  command: 'backup';
  /** Absolute. */
  to: string;
}

export type ControlEvent =
  | { event: 'progress'; records: number; bytes: number }
  | { event: 'done' }
  | { event: 'error'; message: string; hint: string | undefined };

export function controlPath(directoryId: string): string {
  return process.platform === 'win32'
    ? `\\\\.\\pipe\\tenuto-${directoryId}`
    : join(tmpdir(), `tenuto-${directoryId}.sock`);
}

/** Serves until closed. A socket file left by a killed process is replaced: the directory's lock says that nobody else is there. */
export async function serveControl(node: BackupOfNode): Promise<{ close(): Promise<void> }> {
  const path = controlPath(node.directoryId);
  rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    readLine(socket, (line) => void answer(node, socket, line));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  if (process.platform !== 'win32') chmodSync(path, 0o600);
  server.unref();
  return {
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function readLine(socket: Socket, onLine: (line: string) => void): void {
  let text = '';
  const onData = (bytes: Buffer) => {
    text += bytes.toString('utf8');
    const end = text.indexOf('\n');
    if (end === -1 && text.length <= MAX_LINE_BYTES) return;
    socket.off('data', onData);
    if (end === -1) socket.destroy();
    else onLine(text.slice(0, end));
  };
  socket.on('data', onData);
}

async function answer(node: BackupOfNode, socket: Socket, line: string): Promise<void> {
  const send = (event: ControlEvent) => {
    if (!socket.destroyed) socket.write(`${JSON.stringify(event)}\n`);
  };
  try {
    const { to } = parseRequest(line);
    await node.backup(to, ({ records, bytes }) => send({ event: 'progress', records, bytes }));
    send({ event: 'done' });
  } catch (error) {
    const hint = error instanceof Error && 'hint' in error && typeof error.hint === 'string' ? error.hint : undefined;
    send({ event: 'error', message: error instanceof Error ? error.message : String(error), hint });
  }
  socket.end();
}

function parseRequest(line: string): BackupRequest {
  const request: unknown = JSON.parse(line);
  if (typeof request !== 'object' || request === null) throw new Error('a control request is a JSON object');
  const { command, to } = request as Partial<BackupRequest>;
  if (command !== 'backup') throw new Error(`unknown control command ${String(command)}`);
  if (typeof to !== 'string' || !isAbsolute(to)) throw new Error('backup: `to` must be an absolute path');
  return { command, to };
}

/** Asks the node that holds the directory for a backup. Resolves false when nobody answers there. */
export async function requestBackup(
  directoryId: string,
  to: string,
  onProgress: (progress: { records: number; bytes: number }) => void,
): Promise<boolean> {
  const socket = await open(controlPath(directoryId));
  if (!socket) return false;
  const request: BackupRequest = { command: 'backup', to };
  socket.write(`${JSON.stringify(request)}\n`);
  let text = '';
  for await (const bytes of socket) {
    text += String(bytes);
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
      const event = JSON.parse(text.slice(0, end)) as ControlEvent;
      text = text.slice(end + 1);
      if (event.event === 'progress') onProgress(event);
      else if (event.event === 'done') return true;
      else throw Object.assign(new Error(event.message), { hint: event.hint });
    }
  }
  throw new Error('the node went away before the backup was complete; remove what was written and try again');
}

function open(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy());
    socket.once('connect', () => {
      socket.setTimeout(0);
      resolve(socket);
    });
    socket.once('error', () => resolve(undefined));
    socket.once('close', () => resolve(undefined));
  });
}

import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { tell } from './tell.ts';

let folder: string;
let child: ChildProcess;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tenuto-tell-'));
  const echo = join(folder, 'echo.mjs');
  writeFileSync(echo, `process.on('message', (message) => process.send({ heard: message }));`);
  child = fork(echo);
});

afterEach(() => {
  child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

const heard = () => new Promise((resolve) => child.once('message', resolve));
const ended = () => new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));

it('sends', async () => {
  const answer = heard();
  tell(child, { do: 'stop' });
  expect(await answer).toEqual({ heard: { do: 'stop' } });
});

it('says nothing of a process that is gone, known or not', async () => {
  const answer = heard();
  tell(child, 'there?');
  await answer;
  const errors: Error[] = [];
  child.on('error', (error) => errors.push(error));
  const end = ended();
  child.kill('SIGKILL');
  // It dies while this thread stands still, so that its end is not known here yet.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  expect(child.connected).toBe(true);
  tell(child, 'not known');
  expect(await end).toBe('SIGKILL');
  while (child.connected) await sleep(1);
  tell(child, 'known');
  await sleep(1);
  expect(errors).toEqual([]);
});

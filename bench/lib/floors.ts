// What this machine can do at best, measured in the same run: results are read as multiples of it. The disk is that of the temp folder, where the
// bench keeps its data; the network is loopback, with the echo in a process of its own.

import { fork } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { decode, encode } from '../../src/wire/codec.ts';
import type { Floors } from './report.ts';

const ECHO = fileURLToPath(new URL('./echo-process.js', import.meta.url));
const FSYNCS = 300;
const FSYNC_BYTES = 1_024;
const ROUND_TRIPS = 1_000;
/** About a frame with a workflow task. */
const MESSAGE_BYTES = 300;
const IN_FLIGHT = 64;
const MEASURED_MS = 700;

export async function measureFloors(): Promise<Floors> {
  return { ...fsyncFloors(), ...(await echoFloors()), msgpackPerSecond: msgpackFloor() };
}

function fsyncFloors(): Pick<Floors, 'fsyncP50Ms' | 'fsyncP99Ms' | 'fsyncsPerSecond'> {
  const directory = mkdtempSync(join(tmpdir(), 'tenuto-floor-'));
  const file = openSync(join(directory, 'log'), 'w');
  try {
    const block = Buffer.alloc(FSYNC_BYTES, 1);
    const timesMs = Array.from({ length: FSYNCS }, () => {
      const begunAtMs = performance.now();
      writeSync(file, block);
      fdatasyncSync(file);
      return performance.now() - begunAtMs;
    });
    const totalMs = timesMs.reduce((sum, each) => sum + each, 0);
    return {
      fsyncP50Ms: percentile(timesMs, 0.5),
      fsyncP99Ms: percentile(timesMs, 0.99),
      fsyncsPerSecond: (FSYNCS * 1000) / totalMs,
    };
  } finally {
    closeSync(file);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function echoFloors(): Promise<Pick<Floors, 'roundTripP50Ms' | 'roundTripP99Ms' | 'echoesPerSecond'>> {
  const child = fork(ECHO);
  try {
    const port = await new Promise<unknown>((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code) => reject(new Error(`the echo process ended with code ${code}`)));
    });
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const message = Buffer.alloc(MESSAGE_BYTES, 1);
    const timesMs: number[] = [];
    for (let i = 0; i < ROUND_TRIPS; i += 1) {
      const begunAtMs = performance.now();
      await new Promise<void>((resolve) => {
        socket.once('message', () => resolve());
        socket.send(message);
      });
      timesMs.push(performance.now() - begunAtMs);
    }
    const echoesPerSecond = await echoRate(socket, message);
    socket.terminate();
    return { roundTripP50Ms: percentile(timesMs, 0.5), roundTripP99Ms: percentile(timesMs, 0.99), echoesPerSecond };
  } finally {
    child.kill();
  }
}

function echoRate(socket: WebSocket, message: Buffer): Promise<number> {
  return new Promise((resolve) => {
    let echoes = 0;
    const begunAtMs = performance.now();
    socket.on('message', () => {
      echoes += 1;
      const tookMs = performance.now() - begunAtMs;
      if (tookMs < MEASURED_MS) socket.send(message);
      else resolve((echoes * 1000) / tookMs);
    });
    for (let i = 0; i < IN_FLIGHT; i += 1) socket.send(message);
  });
}

function msgpackFloor(): number {
  const frame = {
    method: 'respondWorkflowTaskCompleted',
    id: 12_345,
    taskToken: Buffer.alloc(24, 1),
    commands: [
      { commandType: 1, attributes: { activityId: '1', activityType: 'advance', taskQueue: 'bench', input: [] } },
    ],
  };
  let frames = 0;
  const begunAtMs = performance.now();
  while (performance.now() - begunAtMs < MEASURED_MS / 2) {
    for (let i = 0; i < 100; i += 1) decode(encode(frame));
    frames += 100;
  }
  return (frames * 1000) / (performance.now() - begunAtMs);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

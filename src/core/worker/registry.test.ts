// Workers as they said of themselves: known while they speak, gone when they do not, found by a filter.
import { describe, expect, it } from 'vitest';
import { type WorkerHeartbeat, WorkerStatus } from '../../wire/worker.ts';
import { QueryError } from '../visibility/index.ts';
import { workerFilter } from './query.ts';
import { MAX_WORKERS, MAX_WORKERS_BYTES, WorkerRegister } from './registry.ts';

const worker = (workerInstanceKey: string, over: Partial<WorkerHeartbeat> = {}): WorkerHeartbeat => ({
  workerInstanceKey,
  status: WorkerStatus.RUNNING,
  ...over,
});

describe('a worker', () => {
  it('that speaks every 20 s is gone within 60 s of its last word', () => {
    const register = new WorkerRegister();
    register.heard(worker('a'), 0, 100);
    register.heard(worker('a', { elapsedSinceLastHeartbeat: 20_000 }), 20_000, 100);
    expect(register.get('a', 69_999)).toBeDefined();
    expect(register.get('a', 20_000 + 60_000)).toBeUndefined();
    expect(register.living(80_000)).toEqual([]);
    expect(register.size).toBe(0);
  });

  it('that speaks every minute is not taken for dead in between', () => {
    const register = new WorkerRegister();
    register.heard(worker('a'), 0, 100);
    expect(register.get('a', 61_000)).toBeDefined();
    register.heard(worker('a', { elapsedSinceLastHeartbeat: 60_000 }), 61_000, 100);
    expect(register.get('a', 61_000 + 121_000)).toBeDefined();
    expect(register.get('a', 61_000 + 130_000)).toBeUndefined();
  });

  it('that said how often it speaks with its first word is gone as soon, if it has no second', () => {
    const register = new WorkerRegister();
    register.heard(worker('a', { elapsedSinceLastHeartbeat: 20_000 }), 0, 100);
    expect(register.get('a', 49_999)).toBeDefined();
    expect(register.get('a', 50_000)).toBeUndefined();
  });

  it('that speaks every second is gone within five of its last word', () => {
    const register = new WorkerRegister();
    for (const now of [0, 1_000]) register.heard(worker('a', { elapsedSinceLastHeartbeat: 1_000 }), now, 100);
    expect(register.get('a', 5_999)).toBeDefined();
    expect(register.get('a', 6_000)).toBeUndefined();
  });

  it('that speaks between two regular times is still there at the next one', () => {
    const register = new WorkerRegister();
    register.heard(worker('a', { elapsedSinceLastHeartbeat: 20_000 }), 0, 100);
    register.heard(worker('a', { elapsedSinceLastHeartbeat: 100, status: WorkerStatus.SHUTTING_DOWN }), 100, 100);
    expect(register.get('a', 20_000)).toBeDefined();
  });

  it('that says goodbye goes soon', () => {
    const register = new WorkerRegister();
    register.heard(worker('a', { status: WorkerStatus.SHUTDOWN }), 0, 100);
    expect(register.get('a', 9_000)?.status).toBe(WorkerStatus.SHUTDOWN);
    expect(register.get('a', 10_000)).toBeUndefined();
  });
});

it('there are only so many: the one heard of longest ago makes room', () => {
  const register = new WorkerRegister();
  for (let n = 0; n < MAX_WORKERS; n += 1) register.heard(worker(`w${n}`), n, 100);
  register.heard(worker('w0'), MAX_WORKERS, 100);
  register.heard(worker('more'), MAX_WORKERS, 100);
  expect(register.size).toBe(MAX_WORKERS);
  expect(register.get('w0', MAX_WORKERS)).toBeDefined();
  expect(register.get('w1', MAX_WORKERS)).toBeUndefined();
});

it('they have said only so much: the ones heard of longest ago make room', () => {
  const register = new WorkerRegister();
  const bytes = MAX_WORKERS_BYTES / 4;
  for (let n = 0; n < 4; n += 1) register.heard(worker(`w${n}`), n, bytes);
  register.heard(worker('w0'), 4, bytes);
  expect(register.size).toBe(4);
  register.heard(worker('more'), 5, bytes);
  expect(register.living(5).map(({ workerInstanceKey }) => workerInstanceKey)).toEqual(['more', 'w0', 'w2', 'w3']);
  expect(register.bytes).toBe(MAX_WORKERS_BYTES);
  register.living(1_000_000);
  expect(register.bytes).toBe(0);
});

describe('a filter', () => {
  const one = worker('a', {
    ...{ taskQueue: 'orders', hostInfo: { hostName: 'h1' }, startTime: 1_700_000_000_000 },
    deploymentVersion: { deploymentName: 'shop', buildId: 'v1' },
  });

  it.each([
    ['', true],
    ["TaskQueue = 'orders'", true],
    ["TaskQueue = 'mail'", false],
    ["HostName STARTS_WITH 'h' AND BuildId IN ('v1', 'v2')", true],
    ["DeploymentName = 'shop' AND Status = 'ShuttingDown'", false],
    ["WorkerStatus = 'Running' AND status = 'Running'", true],
    ["StartTime > '2023-01-01T00:00:00Z'", true],
    ["SdkName = 'tenuto-js' OR WorkerInstanceKey = 'a'", true],
  ])('%s', (query, expected) => {
    expect(workerFilter(query)(one)).toBe(expected);
  });

  it.each(['what ever', "WorkflowId = 'w'", "TaskQueue = 'a' ORDER"])('%s is refused', (query) => {
    expect(() => workerFilter(query)).toThrow(QueryError);
  });
});

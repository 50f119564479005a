// What an activity's life costs in storage, and that it comes back whole (I4).
import { describe, expect, it } from 'vitest';
import { encode } from '../../wire/codec.ts';
import { load } from './state.ts';
import { applicationFailure, command, payloads, WORKER, WORKFLOW_ID, World } from './testing.ts';

const MEGABYTE = 1_000_000;
const header = { fields: { trace: payloads('t').payloads?.[0] ?? {} } };

function scheduled(inputBytes: number): World {
  const world = new World();
  world.start();
  const input = payloads('x'.repeat(inputBytes));
  const retryPolicy = { initialInterval: 1_000, backoffCoefficient: 1 };
  world.work(command.activity('a', { input, header, retryPolicy, startToCloseTimeout: 100_000 }));
  return world;
}

const bytesOf = (rows: readonly { value?: object | undefined }[]): number =>
  rows.reduce((sum, { value }) => sum + (value === undefined ? 0 : encode(value).length), 0);
const inputRows = (world: World): string[] =>
  [...world.rows.values()].flatMap(({ table, id }) => (table === 'activity' && id.endsWith('i') ? [id] : []));

describe('an activity with a large input', () => {
  it('has it written once: starts, heartbeats and retries write small rows', () => {
    const world = scheduled(MEGABYTE);
    expect(inputRows(world)).toHaveLength(1);
    const { ref } = world.takeActivity();
    const activity = { task: ref };
    const details = payloads('half way');
    const beat = world.accept({ type: 'heartbeatActivityTask', activity, identity: WORKER, details });
    expect(bytesOf(beat.rows)).toBeLessThan(2_000);
    const failed = world.failActivity(ref, applicationFailure('once more'));
    expect(bytesOf(failed.rows)).toBeLessThan(4_000);
    world.pass(1_000);
    const again = world.takeActivity();
    expect(again.task).toMatchObject({ attempt: 2, header, heartbeatDetails: details });
    expect(encode(again.task.input ?? {}).length).toBeGreaterThan(MEGABYTE);
    world.completeActivity(again.ref);
    expect([...world.rows.values()].filter(({ table }) => table === 'activity')).toEqual([]);
  });

  it('comes back from its rows whole, and not without the one that holds the input', () => {
    const world = scheduled(MEGABYTE);
    const live = structuredClone(world.state.run?.activities);
    world.reload();
    expect(world.state.run?.activities).toEqual(live);
    const { task } = world.takeActivity();
    expect(task.header).toEqual(header);
    const [input = ''] = inputRows(world);
    const rows = [...world.rows.values()].filter(({ id }) => id !== input);
    expect(() => load('default', WORKFLOW_ID, rows)).toThrow(/input row of activity \d+ is missing/);
  });
});

describe('an activity with a small input', () => {
  it('is one row', () => {
    const world = scheduled(100);
    expect(inputRows(world)).toEqual([]);
    expect([...world.rows.values()].filter(({ table }) => table === 'activity')).toHaveLength(1);
    expect(world.takeActivity().task).toMatchObject({ input: payloads('x'.repeat(100)), header });
  });
});

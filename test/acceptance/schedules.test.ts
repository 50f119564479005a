// Schedules from outside: the example, every verb of the command line, and the client's behaviour where others change the same schedule.

import { beforeAll, describe, expect, it } from 'vitest';
import { run as runExample } from '../../examples/schedules/main.ts';
import { Client, Connection, ScheduleNotFoundError, ScheduleOverlapPolicy } from '../../sdk/client/index.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { type Finished, type ServerProcess, startServer, tenuto } from '../support/processes.ts';

const atFileEnd = undoneAtFileEnd();

let node: ServerProcess;
let client: Client;
beforeAll(async () => {
  node = await startServer(['start-dev', '--port', '0'], { atEnd: atFileEnd });
  const connection = await Connection.connect({ address: node.address });
  atFileEnd(() => connection.close());
  client = new Client({ connection });
});

const schedule = (...args: string[]): Promise<Finished> =>
  tenuto(['schedule', ...args], { env: { TENUTO_ADDRESS: node.address } });

async function json<T>(finished: Promise<Finished>): Promise<T> {
  const { code, stdout, stderr } = await finished;
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as T;
}

async function fine(finished: Promise<Finished>): Promise<void> {
  const { code, stderr } = await finished;
  expect(stderr).toBe('');
  expect(code).toBe(0);
}

it('the example does what it says', { timeout: 60_000 }, async () => {
  const report = (day: number, number: number) => ({ due: `2030-12-${day}T05:30:00.000Z`, number });
  expect(await runExample()).toEqual({
    again: true,
    paused: { paused: true, note: 'the printer is broken' },
    reports: [report(23, 1), report(24, 2), report(26, 3), report(27, 4)],
    hour: [{ start: 7, end: 7, step: 1 }],
    info: { taken: 4, skipped: 0 },
    owner: 'Giulia',
    listed: ['report-of-the-day'],
  });
});

describe('the command line', { timeout: 60_000 }, () => {
  const CREATE = ['create', '-s', 'nightly', '--type', 'report', '-t', 'nobody', '-i', '"berlin"'];

  it('creates, describes, lists, changes, triggers, makes up for, pauses and deletes', async () => {
    const spec = [
      '--calendar',
      '{"hour":"9-17/4","dayOfWeek":"Mon-Fri"}',
      '--cron',
      '30 2 * * 5',
      '--interval',
      '6h/5h',
    ];
    const more = ['--time-zone', 'Europe/Berlin', '--jitter', '5s', '--overlap-policy', 'AllowAll', '--notes', 'new'];
    more.push('--headers', 'trace="scheduled"');
    expect(await json(schedule(...CREATE, ...spec, ...more, '-o', 'json'))).toMatchObject({ scheduleId: 'nightly' });
    expect((await schedule(...CREATE, ...spec)).code).toBe(4);
    const described = await json<Record<string, unknown>>(schedule('describe', '-s', 'nightly', '-o', 'json'));
    expect(described).toMatchObject({
      scheduleId: 'nightly',
      spec: {
        calendars: [
          { hour: [{ start: 9, end: 17, step: 4 }], dayOfWeek: [{ start: 'MONDAY', end: 'FRIDAY', step: 1 }] },
          { hour: [{ start: 2 }], minute: [{ start: 30 }], dayOfWeek: [{ start: 'FRIDAY' }] },
        ],
        intervals: [{ every: 21_600_000, offset: 18_000_000 }],
        jitter: 5_000,
        timezone: 'Europe/Berlin',
      },
      action: { workflowType: 'report', workflowId: 'nightly-workflow', args: ['berlin'] },
      policies: { overlap: 'ALLOW_ALL' },
      state: { paused: false, note: 'new' },
    });
    expect((await schedule('describe', '-s', 'nightly')).stdout).toMatch(/overlapPolicy +AllowAll\n/);

    await fine(schedule('toggle', '-s', 'nightly', '--pause', '--reason', 'holiday'));
    await fine(schedule('trigger', '-s', 'nightly'));
    const range = ['--start-time', '2024-01-01T00:00:00Z', '--end-time', '2024-01-01T12:30:00Z'];
    await fine(schedule('backfill', '-s', 'nightly', ...range));
    await expect.poll(async () => (await client.schedule.getHandle('nightly').describe()).info.numActionsTaken).toBe(5); // one now; 5, 8 (nine in Berlin), 11 and 12 o'clock
    const listed = await json<unknown[]>(schedule('list', '-q', 'TemporalSchedulePaused = true', '-o', 'json'));
    expect(listed).toMatchObject([{ scheduleId: 'nightly', state: { paused: true, note: 'holiday' } }]);
    expect((await schedule('list')).stdout).toMatch(/nightly +report +true +holiday/);

    const [run] = (await client.schedule.getHandle('nightly').describe()).info.recentActions;
    const { workflowId } = run?.action.workflow ?? {};
    const started = await tenuto(['workflow', 'show', '-w', workflowId ?? '', '--detailed'], {
      env: { TENUTO_ADDRESS: node.address },
    });
    expect(started.stdout).toContain('"trace": "scheduled"');

    await fine(schedule('update', '-s', 'nightly', '--type', 'other', '-t', 'nobody', '--interval', '1h', '--paused'));
    expect(await json(schedule('describe', '-s', 'nightly', '-o', 'json'))).toMatchObject({
      spec: { intervals: [{ every: 3_600_000, offset: 0 }] },
      action: { workflowType: 'other', args: [] },
      state: { paused: true },
    });
    await fine(schedule('delete', '-s', 'nightly'));
    expect(await json(schedule('list', '-o', 'json'))).toEqual([]);
    const gone = await schedule('describe', '-s', 'nightly');
    expect([gone.code, gone.stderr]).toEqual([3, 'tenuto: schedule not found: nightly\n']);
  });

  it.each([
    [['--cron', 'now'], 'CronString does not have 5-7 fields'],
    [['--interval', '1s/2s'], "an interval's phase"],
    [['--calendar', '{"hours":"1"}'], 'has no field hours'],
    [['--cron', '99 * * * *'], "schedule bad: minute is from 0 to 59, not 99 (--cron '99 * * * *')"],
    [['--time-zone', 'Mars/Olympus'], "there is no time zone 'Mars/Olympus'"],
    [['--start-time', 'soon'], 'expected a time such as'],
  ])('says what is wrong with %j', async (flags, message) => {
    const { code, stderr } = await schedule('create', '-s', 'bad', '--type', 'x', '-t', 'q', ...flags);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});

it('a schedule without an id, or with nothing to do, is refused', async () => {
  const { connection } = client;
  const named = (scheduleId: string, action: object) => ({
    ...{ namespace: 'default', scheduleId, requestId: 'r', identity: 'test' },
    schedule: { spec: {}, action },
  });
  const startWorkflow = { workflowId: 'w', workflowType: 'report', taskQueue: 'nobody' };
  const refused = async (request: ReturnType<typeof named>, why: string): Promise<void> => {
    await expect(connection.request('createSchedule', request)).rejects.toThrow(why);
  };
  await refused(named('', { startWorkflow }), 'ScheduleId is not set on request.');
  await refused(named('idle', {}), 'A schedule needs an action: startWorkflow is not set.');
});

it('an update that somebody else gets in the way of is made again, of what the schedule is by then', async () => {
  const action = { type: 'startWorkflow', workflowType: 'x', taskQueue: 'nobody' } as const;
  const handle = await client.schedule.create({ scheduleId: 'contested', spec: {}, action, state: { note: '' } });
  const adding = (letter: string) =>
    handle.update((previous) => ({
      ...previous,
      state: { ...previous.state, note: `${previous.state.note ?? ''}${letter}` },
    }));
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map(adding));
  const { state } = await handle.describe();
  expect([...(state.note ?? '')].sort().join('')).toBe('abcde');
  await handle.delete();
  await expect(handle.trigger(ScheduleOverlapPolicy.SKIP)).rejects.toThrow(ScheduleNotFoundError);
});

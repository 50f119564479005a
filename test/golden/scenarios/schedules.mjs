// Schedules: specs, triggers and overlap policies, pausing, backfill. Their descriptions are the oracle.

const FAR = { intervals: [{ every: '365 days', offset: '1 day' }] };

async function create(ctx, { overlap, spec = FAR, action = {}, ...options } = {}) {
  const handle = await ctx.client.schedule.create({
    scheduleId: ctx.id('schedule'),
    spec,
    action: {
      type: 'startWorkflow',
      workflowType: 'blocked',
      taskQueue: ctx.taskQueue,
      workflowId: ctx.id('run'),
      ...action,
    },
    policies: { overlap },
    ...options,
  });
  return { handle, describe: () => ctx.call('describeSchedule', { scheduleId: handle.scheduleId }) };
}

/** Takes the action times out of the description: they depend on the day. */
function summary({ info = {}, schedule, ...rest }) {
  const { futureActionTimes, ...info_ } = info;
  return { schedule, info: { ...info_, hasFutureActions: (futureActionTimes?.length ?? 0) > 0 }, ...rest };
}

const started = (ctx, describe, count) =>
  ctx.until(`${count} actions`, async () => {
    const description = await describe();
    return Number(description.info?.actionCount ?? 0) >= count && description;
  });

/** Ends everything the schedule has started. */
async function release(ctx, handle, describe) {
  for (const { startWorkflowResult } of (await describe()).info.recentActions ?? []) {
    await ctx.client.workflow
      .getHandle(startWorkflowResult.workflowId)
      .terminate('over')
      .catch(() => {});
  }
  await handle.delete();
}

/** By the schedule's own overlap policy: the SDK's `trigger()` asks for ALLOW_ALL unless told otherwise. */
const trigger = (ctx, { scheduleId }) =>
  ctx.service.patchSchedule({
    namespace: ctx.namespace,
    scheduleId,
    patch: { triggerImmediately: {} },
    identity: 'oracle-client',
  });

/** Triggers twice over a running action, and describes what came of it. */
const overlapping = (overlap, settled) => async (ctx) => {
  const { handle, describe } = await create(ctx, { overlap });
  await trigger(ctx, handle);
  await started(ctx, describe, 1);
  await ctx.sleep(1100); // the ids of actions have a resolution of one second
  await trigger(ctx, handle);
  await ctx.until(`the second trigger with ${overlap}`, async () => settled((await describe()).info));
  await ctx.sleep(1100);
  const outcome = summary(await describe());
  await release(ctx, handle, describe);
  return { outcome };
};

export default {
  'schedule-described': async (ctx) => {
    const { handle, describe } = await create(ctx, {
      spec: {
        calendars: [
          {
            hour: [{ start: 8, end: 18, step: 2 }],
            dayOfWeek: ['MONDAY', { start: 'WEDNESDAY', end: 'FRIDAY' }],
            comment: 'office',
          },
        ],
        intervals: [{ every: '7 hours', offset: '30 minutes' }],
        cronExpressions: ['15 3 * * MON-FRI', '@monthly'],
        skip: [{ month: 'DECEMBER', dayOfMonth: 25 }],
        jitter: '3s',
        timezone: 'Europe/Berlin',
      },
      action: {
        args: ['x', { n: 1 }],
        memo: { m: 1 },
        searchAttributes: { OracleInt: [3] },
        workflowRunTimeout: '1 minute',
        retry: { maximumAttempts: 2 },
      },
      policies: { overlap: 'BUFFER_ONE', catchupWindow: '1 day', pauseOnFailure: true },
      memo: { about: 'the schedule' },
      state: { paused: true, note: 'created paused', remainingActions: 5 },
    });
    const outcome = summary(await describe());
    await handle.delete();
    return { outcome };
  },

  'schedule-every-second': async (ctx) => {
    const { handle, describe } = await create(ctx, {
      spec: { intervals: [{ every: '1s' }] },
      action: { workflowType: 'hello', args: ['scheduled'] },
      state: { remainingActions: 2 },
    });
    await started(ctx, describe, 2);
    const { schedule, info } = await ctx.until('the schedule to be exhausted', async () => {
      const description = await describe();
      return !description.info.runningWorkflows && description.info.recentActions.length === 2 && description;
    });
    const first = info.recentActions[0].startWorkflowResult;
    const outcome = {
      state: schedule.state ?? null,
      actionCount: info.actionCount,
      future: info.futureActionTimes ?? null,
    };
    await handle.delete();
    return { outcome, runs: [{ workflowId: first.workflowId, runId: first.runId }] };
  },

  'schedule-triggered': async (ctx) => {
    const { handle, describe } = await create(ctx, {
      action: { workflowType: 'hello', args: ['now'] },
      memo: { m: 1 },
    });
    await trigger(ctx, handle);
    const { info } = await started(ctx, describe, 1);
    const { workflowId, runId } = info.recentActions[0].startWorkflowResult;
    await ctx.closed({ workflowId, runId });
    const description = await ctx.until('the action to be seen as over', async () => {
      const latest = await describe();
      return !latest.info.recentActions[0].startWorkflowStatus.endsWith('RUNNING') && latest;
    });
    const outcome = summary(description);
    await handle.delete();
    return { outcome, runs: [{ workflowId, runId }] };
  },

  'schedule-overlap-skip': overlapping('SKIP', (info) => Number(info.overlapSkipped) === 1),
  'schedule-overlap-buffer-one': overlapping('BUFFER_ONE', (info) => Number(info.bufferSize) === 1),
  'schedule-overlap-allow-all': overlapping('ALLOW_ALL', (info) => Number(info.actionCount) === 2),
  'schedule-overlap-cancel-other': overlapping('CANCEL_OTHER', (info) => Number(info.actionCount) === 2),

  'schedule-paused-and-unpaused': async (ctx) => {
    const { handle, describe } = await create(ctx);
    const states = [(await describe()).schedule.state ?? null];
    await handle.pause('for a while');
    states.push((await describe()).schedule.state);
    await handle.unpause();
    states.push((await describe()).schedule.state);
    await handle.delete();
    return { outcome: states };
  },

  'schedule-backfilled': async (ctx) => {
    const { handle, describe } = await create(ctx, {
      spec: { intervals: [{ every: '1 hour' }] },
      action: { workflowType: 'hello', args: ['past'] },
      state: { paused: true },
    });
    const start = new Date(Date.UTC(2020, 0, 1, 0, 30));
    await handle.backfill({ start, end: new Date(Date.UTC(2020, 0, 1, 3, 30)), overlap: 'ALLOW_ALL' });
    const { info } = await started(ctx, describe, 3);
    await handle.delete();
    const ids = info.recentActions.map((action) =>
      action.startWorkflowResult.workflowId.replace(/(\d{4}-\d\d-\d\d)T([\d:]+)Z/, '$1 $2'),
    );
    return { outcome: { actionCount: info.actionCount, ids } };
  },

  'schedule-errors': {
    ignore: ['outcome.*.error.message'], // they name the system workflows by which this server keeps schedules
    run: async (ctx) => {
      const { handle } = await create(ctx);
      const missing = ctx.client.schedule.getHandle(ctx.id('missing'));
      const outcome = {
        alreadyExists: await ctx.outcome(() => create(ctx)),
        describe: await ctx.outcome(() => missing.describe()),
        pause: await ctx.outcome(() => missing.pause()),
        delete: await ctx.outcome(() => missing.delete()),
        badSpec: await ctx.outcome(() =>
          ctx.client.schedule.create({
            scheduleId: ctx.id('bad'),
            spec: { cronExpressions: ['not a cron'] },
            action: { type: 'startWorkflow', workflowType: 'hello', taskQueue: ctx.taskQueue },
          }),
        ),
      };
      await handle.delete();
      outcome.deleted = await ctx.outcome(() => handle.describe());
      return { outcome };
    },
  },

  'schedule-matching-times': async (ctx) => {
    const specs = {
      interval: { intervals: [{ every: '7 hours', offset: '30 minutes' }] },
      calendar: { calendars: [{ hour: { start: 8, end: 12, step: 2 }, minute: 30, dayOfWeek: 'MONDAY' }] },
      cron: { cronExpressions: ['15 3 1,15 * *'] },
      skipOneHourOfTheDay: { calendars: [{ hour: 12 }], skip: [{ dayOfWeek: ['SATURDAY', 'SUNDAY'] }] },
      skipWholeDays: { calendars: [{ hour: 12 }], skip: [{ hour: '*', dayOfWeek: ['SATURDAY', 'SUNDAY'] }] },
      berlinSpringForward: {
        calendars: [{ hour: 2, minute: 30, month: 'MARCH', dayOfMonth: { start: 29, end: 31 } }],
        timezone: 'Europe/Berlin',
      },
      berlinFallBack: {
        calendars: [{ hour: 2, minute: 30, month: 'OCTOBER', dayOfMonth: { start: 25, end: 28 } }],
        timezone: 'Europe/Berlin',
      },
      leapDay: { calendars: [{ hour: 0, month: 'FEBRUARY', dayOfMonth: 29 }] },
    };
    const outcome = {};
    for (const [name, spec] of Object.entries(specs)) outcome[name] = await matchingTimes(ctx, name, spec);
    return { outcome };
  },

  'schedule-updated': async (ctx) => {
    const { handle, describe } = await create(ctx, { memo: { kept: true }, state: { note: 'before' } });
    await handle.update((previous) => ({
      ...previous,
      spec: { calendars: [{ hour: 6, dayOfMonth: { start: 1, end: 31, step: 5 } }] },
      action: { ...previous.action, workflowType: 'hello', args: ['updated'] },
      state: { ...previous.state, note: 'after', paused: true },
    }));
    const outcome = await ctx.until('the update to be seen', async () => {
      const description = await describe();
      return description.schedule.state?.notes === 'after' && summary(description);
    });
    await handle.delete();
    return { outcome };
  },
};

/** What a spec gives in a fixed span: written so that normalisation leaves the times alone. */
async function matchingTimes(ctx, name, spec) {
  const end =
    name === 'leapDay'
      ? Date.UTC(2038, 0, 1)
      : name.startsWith('berlin')
        ? Date.UTC(2031, 0, 1)
        : Date.UTC(2030, 0, 20);
  const handle = await ctx.client.schedule.create({
    scheduleId: ctx.id(name),
    spec,
    action: { type: 'startWorkflow', workflowType: 'hello', taskQueue: ctx.taskQueue },
    state: { paused: true },
  });
  const response = await ctx.service.listScheduleMatchingTimes({
    namespace: ctx.namespace,
    scheduleId: handle.scheduleId,
    startTime: { seconds: Date.UTC(2030, 0, 1) / 1000 },
    endTime: { seconds: end / 1000 },
  });
  await handle.delete();
  return response.startTime.map(({ seconds }) =>
    new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' '),
  );
}

// Starting executions: arguments, results, what a start can carry, and how it is described.
import { createHash } from 'node:crypto';

const nested = { list: [1, 2.5, 'three', null, [true, { deep: { er: 'ü✓' } }]], empty: {}, none: [] };

/** Incompressible, the same every time. */
function noise(bytes) {
  const chunks = [];
  for (let i = 0; chunks.length * 64 < bytes; i += 1) chunks.push(createHash('sha256').update(`${i}`).digest('hex'));
  return chunks.join('').slice(0, bytes);
}

export default {
  hello: (ctx) => ctx.execute('hello', { args: ['oracle'] }),

  'arguments-of-all-kinds': (ctx) =>
    ctx.execute('argumentTypes', {
      args: [null, undefined, new Uint8Array([0, 1, 255]), nested, 'text', -1.5, true, []],
    }),

  'results-of-all-kinds': async (ctx) => {
    const outcome = [];
    const runs = [];
    for (const [index, value] of [null, new Uint8Array([0, 1, 255]), nested, 'text', 0, false].entries()) {
      const done = await ctx.execute('identity', { label: `${index}`, args: [value] });
      outcome.push(done.outcome);
      runs.push(...done.runs);
    }
    const nothing = await ctx.execute('returnNothing', { label: 'nothing' });
    return { outcome: [...outcome, nothing.outcome], runs: [...runs, ...nothing.runs] };
  },

  'payload-of-one-megabyte': async (ctx) => {
    const text = noise(1024 * 1024);
    const { outcome, runs } = await ctx.execute('identity', { args: [text] });
    return { outcome: { same: outcome.result === text, error: outcome.error }, runs };
  },

  'payload-over-the-limit': async (ctx) => ({
    outcome: await ctx.outcome(() => ctx.start('identity', { args: [noise(3 * 1024 * 1024)] })),
  }),

  'memo-and-summary-at-start': async (ctx) => {
    const handle = await ctx.start('blocked', {
      memo: { color: 'blue', size: { w: 1 } },
      staticSummary: 'one line',
      staticDetails: 'many\nlines',
    });
    await ctx.idle(handle);
    const described = await ctx.describe(ctx.run(handle));
    await handle.signal('release', 'ok');
    return { outcome: { described, ...(await ctx.outcome(handle.result())) }, runs: [ctx.run(handle)] };
  },

  'search-attributes-at-start': async (ctx) => {
    const handle = await ctx.start('blocked', {
      searchAttributes: {
        OracleText: ['some words here'],
        OracleKeyword: [ctx.name],
        OracleInt: [42],
        OracleDouble: [0.5],
        OracleBool: [true],
        OracleDatetime: [new Date(Date.UTC(2030, 0, 2, 3, 4, 5))],
        OracleKeywordList: ['a', 'b'],
      },
    });
    await ctx.idle(handle);
    const { workflowExecutionInfo } = await ctx.describe(ctx.run(handle));
    await handle.signal('release', null);
    await handle.result();
    return { outcome: workflowExecutionInfo.searchAttributes, runs: [ctx.run(handle)] };
  },

  'start-delay': (ctx) => ctx.execute('hello', { args: ['late'], startDelay: '800ms' }),

  'unknown-workflow-type': async (ctx) => {
    const handle = await ctx.start('nobodyKnowsMe');
    await ctx.awaitEvent(handle, 'workflowTaskFailed');
    await handle.terminate('nobody will ever know it');
    return { outcome: await ctx.outcome(handle.result()), runs: [ctx.run(handle)] };
  },

  'priority-of-workflow-activity-and-child': async (ctx) => {
    const priority = { priorityKey: 2, fairnessKey: 'tenant', fairnessWeight: 2.5 };
    const inherited = await ctx.execute('runActivity', {
      label: 'inherited',
      priority,
      args: [{ name: 'aboutMe', options: { startToCloseTimeout: '5s' } }],
    });
    const own = await ctx.execute('runActivity', {
      label: 'own',
      priority,
      args: [{ name: 'aboutMe', options: { startToCloseTimeout: '5s', priority: { priorityKey: 4 } } }],
    });
    const child = await ctx.execute('parent', {
      label: 'parent',
      priority,
      args: [{ type: 'endAfter', args: [400], options: { workflowId: ctx.id('child'), priority: { priorityKey: 1 } } }],
    });
    return {
      outcome: [inherited.outcome, own.outcome, child.outcome],
      runs: [...inherited.runs, ...own.runs, ...child.runs],
    };
  },

  'eager-workflow-start': async (ctx) => {
    const client = new ctx.sdk.client.Client({ connection: ctx.nativeConnection, identity: 'oracle-client' });
    const handle = await client.workflow.start('hello', {
      workflowId: ctx.id(),
      taskQueue: ctx.taskQueue,
      args: ['eager'],
      requestEagerStart: true,
    });
    const outcome = { eagerlyStarted: handle.eagerlyStarted, ...(await ctx.outcome(handle.result())) };
    return { outcome, runs: [ctx.run(handle)] };
  },

  'describe-running-and-closed': async (ctx) => {
    const handle = await ctx.start('blocked', {
      workflowExecutionTimeout: '1 hour',
      workflowRunTimeout: '30 minutes',
      workflowTaskTimeout: '7s',
      retry: { maximumAttempts: 3 },
    });
    await ctx.idle(handle);
    const running = await ctx.describe(ctx.run(handle));
    await handle.signal('release', 'ok');
    await handle.result();
    return { outcome: { running, closed: await ctx.describe(ctx.run(handle)) }, runs: [ctx.run(handle)] };
  },

  'describe-pending-work': async (ctx) => {
    const activity = await ctx.start('runActivity', {
      label: 'activity',
      args: [
        {
          name: 'failTimes',
          args: [1],
          options: { startToCloseTimeout: '5s', retry: { initialInterval: '1h', maximumAttempts: 5 } },
        },
      ],
    });
    await ctx.pendingActivity(activity, (info) => info.attempt === 2);
    const parent = await ctx.start('leavingParent', {
      label: 'parent',
      args: [{ type: 'blocked', options: { workflowId: ctx.id('child'), parentClosePolicy: 'ABANDON' } }],
    });
    await ctx.awaitEvent(parent, 'childWorkflowExecutionStarted');
    await ctx.idle(parent);
    const unstarted = await ctx.start('hello', { label: 'unstarted', taskQueue: ctx.id('nobody') });
    const outcome = {};
    for (const [name, handle] of Object.entries({ activity, parent, unstarted }))
      outcome[name] = await ctx.describe(ctx.run(handle));
    return { outcome };
  },

  'calls-on-a-closed-workflow': async (ctx) => {
    const handle = await ctx.start('hello', { args: ['x'] });
    await handle.result();
    return { outcome: await everyCallOn(ctx, handle.workflowId), runs: [ctx.run(handle)] };
  },

  'start-requests-that-are-refused': async (ctx) => {
    const start = (options) => ctx.outcome(() => ctx.start('hello', { label: 'bad', args: ['x'], ...options }));
    return {
      outcome: {
        emptyId: await start({ workflowId: '' }),
        longId: await start({ workflowId: 'x'.repeat(1001) }),
        emptyQueue: await start({ taskQueue: '' }),
        badCron: await start({ cronSchedule: 'every now and then' }),
        badRetry: await start({ retry: { backoffCoefficient: 0.5 } }),
        unknownAttribute: await start({ searchAttributes: { Nobody: ['x'] } }),
        wrongAttributeType: await start({ searchAttributes: { OracleInt: ['not a number'] } }),
        conflictingPolicies: await start({
          workflowIdConflictPolicy: 'USE_EXISTING',
          workflowIdReusePolicy: 'TERMINATE_IF_RUNNING',
        }),
        delayedCron: await start({ cronSchedule: '@daily', startDelay: '1s' }),
      },
    };
  },
};

async function everyCallOn(ctx, workflowId) {
  const handle = ctx.client.workflow.getHandle(workflowId);
  const outcome = {};
  for (const [name, call] of Object.entries({
    signal: () => handle.signal('release', 1),
    cancel: () => handle.cancel(),
    terminate: () => handle.terminate('why not'),
    update: () => handle.executeUpdate('addUpdate', { args: [1], updateId: 'late' }),
    updateHandle: () => handle.getUpdateHandle('never').result(),
    unknownQuery: () => handle.query('nothing'),
  }))
    outcome[name] = await ctx.outcome(async () => void (await call()));
  return outcome;
}

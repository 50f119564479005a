// Activities that run to an end of their own: results, failures, retries.

const runActivity = (name, args, options) => (ctx) =>
  ctx.execute('runActivity', { args: [{ name, args, options: { startToCloseTimeout: '5s', ...options } }] });

export default {
  'activity-success': runActivity('echo', [{ any: 'thing' }], { summary: 'what it is for' }),

  'activity-without-eager-dispatch': runActivity('echo', ['x'], { allowEagerDispatch: false }),

  'activity-with-own-id-and-all-timeouts': runActivity('aboutMe', [], {
    activityId: 'my-own-id',
    scheduleToCloseTimeout: '1 minute',
    scheduleToStartTimeout: '30s',
    heartbeatTimeout: '10s',
    retry: {
      initialInterval: '2s',
      backoffCoefficient: 3,
      maximumInterval: '9s',
      maximumAttempts: 4,
      nonRetryableErrorTypes: ['A', 'B'],
    },
  }),

  'activities-in-parallel': (ctx) => {
    const after = (ms) => ({ name: 'echoAfter', args: [ms, ms], options: { startToCloseTimeout: '10s' } });
    return ctx.execute('runActivities', { args: [[after(900), after(100), after(500)]] });
  },

  'activities-in-sequence': (ctx) => {
    const echo = (value) => ({ name: 'echo', args: [value], options: { startToCloseTimeout: '5s' } });
    return ctx.execute('runInSequence', { args: [[echo(1), echo(2), echo(3)]] });
  },

  'activity-on-another-queue': async (ctx) => {
    const { taskQueue } = await ctx.worker();
    return ctx.execute('runActivity', {
      args: [{ name: 'echo', args: ['there'], options: { taskQueue, startToCloseTimeout: '5s' } }],
    });
  },

  'activity-retried-until-success': runActivity('failTimes', [2], {
    retry: { initialInterval: '100ms', backoffCoefficient: 2 },
  }),

  'activity-non-retryable-failure': runActivity('fail', [
    { message: 'no way', type: 'Fatal', nonRetryable: true, details: ['d', { n: 1 }] },
  ]),

  'activity-plain-error': runActivity('failPlainly', ['a RangeError'], { retry: { maximumAttempts: 1 } }),

  'activity-maximum-attempts': runActivity('failTimes', [9], {
    retry: { initialInterval: '50ms', backoffCoefficient: 1, maximumAttempts: 3 },
  }),

  'activity-not-registered': runActivity('nobodyKnowsMe', [], { retry: { maximumAttempts: 1 } }),

  'activity-failure-fails-the-workflow': (ctx) =>
    ctx.execute('requireActivity', {
      args: [
        {
          name: 'fail',
          args: [{ message: 'fatal', type: 'Fatal', nonRetryable: true }],
          options: { startToCloseTimeout: '5s' },
        },
      ],
    }),

  'activity-heartbeat-details-survive-a-failure': runActivity('failAfterHeartbeat', [{ progress: 3 }], {
    heartbeatTimeout: '5s',
    retry: { initialInterval: '100ms' },
  }),

  'activity-failure-with-encoded-attributes': async (ctx) => {
    const handle = await ctx.start('runActivity', {
      args: [{ name: 'completeLater', options: { startToCloseTimeout: '10s', retry: { maximumAttempts: 1 } } }],
    });
    const { activityId } = await ctx.mailbox.take(handle.workflowId);
    await ctx.service.respondActivityTaskFailedById({
      namespace: ctx.namespace,
      ...ctx.run(handle),
      activityId,
      identity: 'oracle-client',
      failure: {
        message: 'Encoded failure',
        source: 'Oracle',
        encodedAttributes: ctx.payload({ message: 'the real message', stack_trace: 'the real trace' }),
        applicationFailureInfo: { type: 'Encoded', nonRetryable: true, details: ctx.payloads('kept as it is') },
      },
    });
    return { outcome: await ctx.outcome(handle.result()), runs: [ctx.run(handle)] };
  },

  'activity-benign-failure': runActivity('fail', [{ message: 'harmless', type: 'Harmless', category: 'BENIGN' }], {
    retry: { maximumAttempts: 1 },
  }),
};

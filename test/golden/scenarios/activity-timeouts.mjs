// The four activity timeouts, with and without retries. A Temporal dev server fires timers of less than a second
// only at about one second: activities hang for longer than that.

const runActivity = (name, args, options) => (ctx) => ctx.execute('runActivity', { args: [{ name, args, options }] });
const once = { maximumAttempts: 1 };

export default {
  'activity-schedule-to-start-timeout': (ctx) =>
    ctx.execute('runActivity', {
      args: [
        {
          name: 'echo',
          options: {
            taskQueue: ctx.id('nobody'),
            scheduleToStartTimeout: '400ms',
            startToCloseTimeout: '5s',
            retry: once,
          },
        },
      ],
    }),

  'activity-schedule-to-close-timeout': runActivity('hangTimes', [1, 1700], {
    scheduleToCloseTimeout: '1200ms',
    startToCloseTimeout: '10s',
    retry: once,
  }),

  'activity-start-to-close-timeout': runActivity('hangTimes', [1, 1500], { startToCloseTimeout: '500ms', retry: once }),

  'activity-start-to-close-timeout-then-success': runActivity('hangTimes', [1, 1500], {
    startToCloseTimeout: '500ms',
    retry: { initialInterval: '100ms', maximumAttempts: 2 },
  }),

  'activity-start-to-close-timeout-exhausted': runActivity('hangTimes', [9, 1600], {
    startToCloseTimeout: '1100ms',
    retry: { initialInterval: '100ms', backoffCoefficient: 1, maximumAttempts: 2 },
  }),

  'activity-heartbeat-timeout': runActivity('hangAfterHeartbeat', [1, 1500, { at: 7 }], {
    heartbeatTimeout: '500ms',
    startToCloseTimeout: '10s',
    retry: once,
  }),

  'activity-schedule-to-start-not-polled-in-time-by-default': (ctx) =>
    ctx.execute('runActivity', {
      args: [{ name: 'echo', options: { taskQueue: ctx.id('nobody'), scheduleToCloseTimeout: '500ms' } }],
    }),

  'activity-schedule-to-start-timeout-is-not-retried': (ctx) =>
    ctx.execute('runActivity', {
      args: [
        {
          name: 'echo',
          options: {
            taskQueue: ctx.id('nobody'),
            scheduleToStartTimeout: '1200ms',
            startToCloseTimeout: '5s',
            retry: { maximumAttempts: 5 },
          },
        },
      ],
    }),
};

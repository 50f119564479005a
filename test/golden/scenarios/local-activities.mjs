// Local activities: markers, retries inside the task, back-off by timer.

const runLocal = (name, args, options) => (ctx) =>
  ctx.execute('runLocalActivity', { args: [{ name, args, options: { startToCloseTimeout: '5s', ...options } }] });

export default {
  'local-activity-success': runLocal('echo', [{ x: 1 }], { summary: 'a local one' }),
  'local-activity-retried-until-success': runLocal('failTimes', [2], {
    retry: { initialInterval: '50ms', backoffCoefficient: 1 },
  }),
  'local-activity-failure': runLocal('fail', [{ message: 'no', type: 'Fatal', nonRetryable: true, details: [1] }]),
  'local-activity-backs-off-with-a-timer': runLocal('failTimes', [1], {
    retry: { initialInterval: '700ms', backoffCoefficient: 1 },
    localRetryThreshold: '100ms',
  }),
  'local-activities-around-a-timer': (ctx) =>
    ctx.execute('runLocalActivitiesAroundTimer', {
      args: [{ name: 'echo', args: ['l'], options: { startToCloseTimeout: '5s' } }],
    }),
};

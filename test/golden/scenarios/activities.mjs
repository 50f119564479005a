// The activities of all scenarios. `mailbox` carries values to the driver, keyed by workflow id.
import { setTimeout as sleep } from 'node:timers/promises';

export function createActivities({ sdk, client, mailbox }) {
  const { activityInfo, heartbeat, cancelled, CompleteAsyncError } = sdk.activity;
  const { ApplicationFailure, CancelledFailure } = sdk.common;
  const signalled = new Set();
  const workflowId = () => activityInfo().workflowExecution.workflowId;

  return {
    async echo(value) {
      return value;
    },

    async echoAfter(ms, value) {
      await sleep(ms);
      return value;
    },

    /** Fails attempts 1..n, then returns the attempt that succeeded. */
    async failTimes(n) {
      const { attempt } = activityInfo();
      if (attempt <= n) throw ApplicationFailure.create({ message: `attempt ${attempt} fails`, type: 'Flaky' });
      return `attempt ${attempt} succeeds`;
    },

    async fail(failure) {
      throw ApplicationFailure.create(failure);
    },

    async failPlainly(message) {
      throw new RangeError(message);
    },

    /** Hangs for `ms` in attempts 1..n, deaf to cancellation. */
    async hangTimes(n, ms) {
      const { attempt } = activityInfo();
      if (attempt <= n) await sleep(ms);
      return `attempt ${attempt}`;
    },

    /** Attempt 1 heartbeats and then fails; attempt 2 returns what it was handed. */
    async failAfterHeartbeat(details) {
      if (activityInfo().attempt > 1) return activityInfo().heartbeatDetails;
      heartbeat(details);
      throw ApplicationFailure.create({ message: 'after the heartbeat', type: 'Flaky' });
    },

    /** Attempts 1..n heartbeat once and hang; the next returns what it was handed. */
    async hangAfterHeartbeat(n, ms, details) {
      const { attempt, heartbeatDetails } = activityInfo();
      if (attempt > n) return { attempt, heartbeatDetails };
      heartbeat(details);
      await sleep(ms);
      return 'too late';
    },

    /** Heartbeats until cancelled; then rethrows the cancellation or, with `finish`, completes all the same. */
    async untilCancelled({ finish = false } = {}) {
      mailbox.put(workflowId(), 'started');
      const timer = setInterval(() => heartbeat('alive'), 50);
      try {
        return await cancelled();
      } catch (err) {
        if (!(err instanceof CancelledFailure) || !finish) throw err;
        return 'finished in spite of the cancellation';
      } finally {
        clearInterval(timer);
      }
    },

    async completeLater() {
      const { taskToken, activityId, attempt, heartbeatDetails } = activityInfo();
      mailbox.put(workflowId(), { taskToken, activityId, attempt, heartbeatDetails });
      throw new CompleteAsyncError();
    },

    /** Signals its own workflow, once per workflow: as a local activity, while the workflow task runs. */
    async signalOwnWorkflow(signal, ...args) {
      if (signalled.has(workflowId())) return 'signalled before';
      signalled.add(workflowId());
      await client.workflow.getHandle(workflowId()).signal(signal, ...args);
      return 'signalled';
    },

    async aboutMe() {
      const {
        activityId,
        activityType,
        attempt,
        isLocal,
        priority,
        retryPolicy,
        scheduleToCloseTimeoutMs,
        startToCloseTimeoutMs,
        heartbeatTimeoutMs,
        workflowType,
      } = activityInfo();
      return {
        activityId,
        activityType,
        attempt,
        isLocal,
        priority,
        retryPolicy,
        scheduleToCloseTimeoutMs,
        startToCloseTimeoutMs,
        heartbeatTimeoutMs,
        workflowType,
      };
    },
  };
}

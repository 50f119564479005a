import { describe, expect, it } from 'vitest';
import {
  activityInfo,
  CancelledFailure,
  Context,
  cancellationDetails,
  cancellationSignal,
  cancelled,
  getClient,
  heartbeat,
  log,
  sleep,
} from '../activity/index.ts';
import { makeLogger } from '../common/logger.ts';
import { MockActivityEnvironment } from './index.ts';

describe('an activity in its context', () => {
  it('knows itself, heartbeats and logs, also after awaits', async () => {
    const heartbeats: unknown[] = [];
    const logged: unknown[] = [];
    const env = new MockActivityEnvironment(
      { attempt: 3, heartbeatDetails: 7 },
      { logger: makeLogger((level, message, meta) => logged.push([level, message, meta])) },
    );
    env.on('heartbeat', (details) => heartbeats.push(details));
    const result = await env.run(
      async (a: number, b: number) => {
        await sleep(1);
        heartbeat(activityInfo().heartbeatDetails);
        log.info('adding', { a });
        return a + b + activityInfo().attempt;
      },
      1,
      2,
    );
    expect(result).toBe(6);
    expect(heartbeats).toEqual([7]);
    expect(logged).toEqual([
      ['INFO', 'adding', expect.objectContaining({ a: 1, attempt: 3, sdkComponent: 'activity' })],
    ]);
  });

  it('passes its interceptors, first to last', async () => {
    const logged: unknown[] = [];
    const env = new MockActivityEnvironment(
      {},
      {
        logger: makeLogger((_level, _message, meta) => logged.push(meta?.by)),
        interceptors: [
          (context) => ({
            inbound: { execute: async (input, next) => ['outer', context.info.activityId, await next(input)] },
            outbound: { getLogAttributes: (input, next) => next({ ...input, by: 'outer' }) },
          }),
          () => ({ inbound: { execute: (input, next) => next({ ...input, args: [`${input.args[0]}!`] }) } }),
        ],
      },
    );
    const result = await env.run(async (text: string) => {
      log.info('running');
      return text;
    }, 'hello');
    expect(result).toEqual(['outer', 'test', 'hello!']);
    expect(logged).toEqual(['outer']);
  });

  it('that is cancelled sees it everywhere, once', async () => {
    const env = new MockActivityEnvironment();
    const seen = env.run(async () => {
      const signal = cancellationSignal();
      expect(cancellationDetails()).toBeUndefined();
      const asleep = sleep('1 hour').catch((err: unknown) => err);
      const waited = cancelled().catch((err: unknown) => err);
      env.cancel('TIMED_OUT');
      env.cancel('CANCELLED');
      expect(signal.aborted).toBe(true);
      expect(cancellationDetails()?.cancelRequested).toBe(true);
      await expect(sleep(1)).rejects.toBe(signal.reason);
      return [await asleep, await waited, signal.reason];
    });
    for (const error of await seen) {
      expect(error).toBeInstanceOf(CancelledFailure);
      expect(error).toMatchObject({ message: 'TIMED_OUT' });
    }
  });

  it('has a client only when given one, and no context outside', async () => {
    await expect(new MockActivityEnvironment().run(async () => getClient())).rejects.toThrow(/No Client available/);
    expect(() => Context.current()).toThrow('Activity context not initialized');
    expect(() => activityInfo()).toThrow('Activity context not initialized');
  });
});

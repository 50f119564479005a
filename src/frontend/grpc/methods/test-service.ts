// The test service: clients of a server that skips time lock and unlock it, sleep in its time and ask for it. Served only by such a server.

import type { TimeSkipping } from '../../../ports/time-skipping.ts';
import { number, type Rpc, type RpcCall, rpc } from '../rpc.ts';

export const TEST_SERVICE = 'temporal.api.testservice.v1.TestService';

/** A sleep is as long as it is: of its caller's deadline, or none. */
const LONG = { defaultTimeoutMs: Number.POSITIVE_INFINITY, answersEarly: false } as const;

/** `time`: the server's. */
export function testService(time: TimeSkipping): ReadonlyMap<string, Rpc> {
  const sleepUntil = (atMs: number, call: RpcCall, then = () => {}): void => {
    const waiting = time.sleepUntil(atMs, () => {
      then();
      call.reply({});
    });
    call.waits({
      abandon: () => {
        waiting.abandon();
        then();
      },
    });
  };
  return new Map<string, Rpc>([
    [
      'LockTimeSkipping',
      rpc((_services, _caller, _request, call) => {
        time.lock();
        call.reply({});
      }),
    ],
    [
      'UnlockTimeSkipping',
      rpc((_services, _caller, _request, call) => {
        time.unlock();
        call.reply({});
      }),
    ],
    [
      'Sleep',
      rpc((_services, _caller, request, call) => sleepUntil(time.now() + number(request, 'duration'), call), LONG),
    ],
    ['SleepUntil', rpc((_services, _caller, request, call) => sleepUntil(number(request, 'timestamp'), call), LONG)],
    [
      'UnlockTimeSkippingWithSleep',
      rpc((_services, _caller, request, call) => {
        const atMs = time.now() + number(request, 'duration');
        time.unlock();
        sleepUntil(atMs, call, () => time.lock());
      }, LONG),
    ],
    ['GetCurrentTime', rpc((_services, _caller, _request, call) => call.reply({ time: time.now() }))],
  ]);
}

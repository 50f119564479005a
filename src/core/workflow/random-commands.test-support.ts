// Commands of random lives, by number: properties.test.ts checks that every kind is among them.

import type { Command } from '../../wire/command.ts';
import { CommandType, VersioningBehavior } from '../../wire/enums.ts';
import type { FlowControl } from '../../wire/flow-control.ts';
import { applicationFailure, command, payloads, type World } from './testing.ts';

export const COMMANDS = 36;
/** They close the run, or fail its task. */
export const SELDOM: ReadonlySet<number> = new Set([10, 11, 12, 13, 14, 29, 30, 31]);

const LARGE = 'x'.repeat(4_200);

export const KEY: FlowControl = { key: 'tenant', concurrency: { limit: 1 } };
export const QUEUE_KEY: FlowControl = { ...KEY, scope: 'taskQueue' };

export const version = (n: number) => ({ deploymentName: 'shop', buildId: `v${1 + (n % 2)}` });
export const behavior = (n: number): VersioningBehavior =>
  n % 2 === 0 ? VersioningBehavior.PINNED : VersioningBehavior.AUTO_UPGRADE;

/** `n`: which; `at`: unique in the life. */
export function randomCommand({ state: { run } }: World, n: number, at: number): Command | undefined {
  const unique = `${at}-${n}`;
  if (n < 4) {
    return command.activity(unique, {
      scheduleToCloseTimeout: n === 3 ? 4_000 : 0,
      heartbeatTimeout: n === 2 ? 1_500 : 0,
      // Some with an input that is stored apart.
      ...(n === 2 ? { input: payloads(at % 5 === 0 ? LARGE : 'small') } : {}),
    });
  }
  if (n < 7) return command.timer(unique, n * 400);
  if (n < 15) return cancelOrClose(run, n, at);
  if (n < 19) return command.child(unique, { parentClosePolicy: ((n % 3) + 1) as 1 | 2 | 3 });
  if (n < 21) return command.signalOther('other', unique);
  if (n < 23) return command.cancelOther(`other-${unique}`);
  switch (n) {
    case 23:
    case 24:
      return command.nexus({ scheduleToCloseTimeout: at % 2 ? 8_000 : 0, startToCloseTimeout: 5_000 });
    case 25:
      return about([...(run?.operations.keys() ?? [])].at(-1), command.cancelNexus);
    case 26:
      return command.activity(unique, { flowControl: KEY, scheduleToStartTimeout: 3_000 });
    case 27:
      return command.activity(unique, {
        flowControl: QUEUE_KEY,
        taskQueue: { name: at % 2 ? 'orders' : 'elsewhere' },
        retryPolicy: { initialInterval: 500, maximumAttempts: 3 },
      });
    case 28:
      return command.child(unique, { flowControl: KEY, cronSchedule: at % 2 ? '@every 30s' : '' });
    case 29:
      return command.continueAsNew({ taskQueue: { name: 'elsewhere' } });
    case 30:
      return command.continueAsNew({ backoffStartInterval: 3_000, initialVersioningBehavior: 1 });
    case 31:
      return command.cancel();
    case 32:
      return command.upsert({ indexedFields: { Keyword: payloads(`k${at % 3}`).payloads[0] ?? {} } });
    case 33:
      return {
        commandType: CommandType.MODIFY_WORKFLOW_PROPERTIES,
        attributes: { upsertedMemo: { fields: { note: payloads(at).payloads[0] ?? {} } } },
      };
    case 34:
      return command.activity(unique, { requestEagerExecution: true, priority: { fairnessKey: `f${at % 3}` } });
    case 35:
      return about([...(run?.activities.keys() ?? [])][0], command.cancelActivity);
    default:
      return command.activity(unique, { retryPolicy: { maximumAttempts: 2 }, startToCloseTimeout: 20_000 });
  }
}

function cancelOrClose(run: World['state']['run'], n: number, at: number): Command | undefined {
  switch (n) {
    case 7:
      return at % 3 === 0 ? command.marker('m') : command.publish({ [`k${at % 5}`]: at });
    case 8:
      return about([...(run?.activities.keys() ?? [])].at(-1), command.cancelActivity);
    case 9:
      return about([...(run?.timers.values() ?? [])].at(-1)?.timerId, command.cancelTimer);
    case 10:
      return command.complete('ok');
    case 11:
      return command.fail(applicationFailure('workflow failed'));
    case 12:
      return command.continueAsNew();
    case 13:
      return command.cancelActivity(run?.row.facts.nextEventId ?? 0);
    default:
      return command.cancelTimer(`${at}-4`);
  }
}

const about = <Id>(id: Id | undefined, make: (id: Id) => Command): Command | undefined =>
  id === undefined ? undefined : make(id);

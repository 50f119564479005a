// What may happen next in the random life of one actor, and how likely it is. random-life.test-support.ts makes messages of it; properties.test.ts
// holds what must be true after each.

import fc from 'fast-check';
import type { Limits } from './limits.ts';
import { COMMANDS, SELDOM } from './random-commands.test-support.ts';
import type { RelationStep } from './relation-steps.test-support.ts';

/** What a start may have besides. */
export const EXTRAS = ['flow', 'queueFlow', 'cron', 'eager', 'fair', 'update', 'pinned', 'callback'] as const;
export type StartExtra = (typeof EXTRAS)[number];

/** Numbers pick among what is there. */
export type Step =
  | {
      do: 'start';
      conflict: number;
      retry: boolean;
      runTimeout: number;
      delay: number;
      extras?: readonly StartExtra[];
    }
  | { do: 'signal' | 'signalWithStart' | 'repeatSignal' | 'cancel' | 'terminate' | 'undo' | 'timer' | 'late' }
  | { do: 'take'; pick: number; sticky: boolean }
  | { do: 'complete'; commands: number[]; sticky: boolean; force: boolean; answers?: number; version?: number }
  | { do: 'callbackAnswered'; how: number }
  | { do: 'failTask' | 'pause' | 'unpause' | 'delete' }
  | { do: 'activity'; pick: number; how: number; byId: boolean }
  | { do: 'query' | 'update'; how: number; pick: number }
  | { do: 'flow'; how: number; pick: number }
  | { do: 'scheduled'; flow: boolean; reuse: number }
  | { do: 'deploy' | 'updateOptions' | 'stray'; how: number }
  | RelationStep
  | { do: 'reset'; pick: number; exclude: boolean; earlier?: number }
  | { do: 'deleteRun'; pick: number }
  | { do: 'crash' }
  | { do: 'pass'; ms: number };

type Kind = Step['do'];

const any = <K extends Kind>(weight: number, ...kinds: K[]) => ({
  weight,
  arbitrary: fc.record({ do: fc.constantFrom(...kinds) }),
});

const numbered = <K extends Kind>(weight: number, kind: K, hows: number, picks: number) => ({
  weight,
  arbitrary: fc.record({ do: fc.constant(kind), how: fc.nat(hows), pick: fc.nat(picks) }),
});

/** Most leave the run open: a life is to go on for a while. */
const commandNumber = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom(...[...Array(COMMANDS + 1).keys()].filter((n) => !SELDOM.has(n))) },
  { weight: 1, arbitrary: fc.constantFrom(...SELDOM) },
);

export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('start' as const),
      conflict: fc.constantFrom(1, 1, 1, 2, 2, 3),
      retry: fc.boolean(),
      runTimeout: fc.constantFrom(0, 0, 20_000),
      delay: fc.constantFrom(0, 0, 2_000),
      extras: fc.subarray([...EXTRAS], { maxLength: 3 }),
    }),
  },
  any(5, 'signal', 'signal', 'signalWithStart', 'repeatSignal', 'cancel', 'undo', 'timer', 'late'),
  any(1, 'terminate'),
  { weight: 18, arbitrary: fc.record({ do: fc.constant('take' as const), pick: fc.nat(9), sticky: fc.boolean() }) },
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant('complete' as const),
      commands: fc.array(commandNumber, { minLength: 1, maxLength: 4 }),
      sticky: fc.boolean(),
      force: fc.boolean(),
      answers: fc.nat(15),
      version: fc.nat(5),
    }),
  },
  any(1, 'failTask'),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('callbackAnswered' as const), how: fc.nat(3) }) },
  any(1, 'pause'),
  any(3, 'unpause'),
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('activity' as const), pick: fc.nat(9), how: fc.nat(9), byId: fc.boolean() }),
  },
  numbered(12, 'other' as const, 14, 11),
  numbered(2, 'query' as const, 5, 5),
  numbered(3, 'update' as const, 5, 3),
  numbered(6, 'flow' as const, 19, 9),
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('scheduled' as const), flow: fc.boolean(), reuse: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deploy' as const), how: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('updateOptions' as const), how: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stray' as const), how: fc.nat(20) }) },
  any(1, 'crash'),
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 500, 1_000, 5_000, 30_000, 700_000),
    }),
  },
);

/** A run that is reset has events of another, so what is counted over all histories is counted without. */
export const stepOrReset: fc.Arbitrary<Step> = fc.oneof(
  { weight: 120, arbitrary: step },
  any(2, 'delete'),
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deleteRun' as const), pick: fc.nat(5) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('reset' as const),
      pick: fc.nat(9),
      exclude: fc.boolean(),
      earlier: fc.constantFrom(0, 0, 1, 2),
    }),
  },
);

/** Bounds so tight that lives run into them. */
export const limits: fc.Arbitrary<Partial<Limits>> = fc.constantFrom(
  {},
  {},
  { bufferedEvents: 1 },
  { historyEvents: 30 },
  { pendingActivities: 1, requestIdsAtOnce: 60, bufferedQueries: 1, signalsPerRun: 4 },
  { pendingChildren: 1, pendingSignals: 1, pendingCancels: 1 },
  { updatesInFlight: 1, updatesPerRun: 3, updateCalls: 2, callbackAttempts: 2, callbacksPerRun: 2 },
);

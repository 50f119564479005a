// What a callback throws reaches nobody but the log and its own caller.

import { expect, it } from 'vitest';
import type { Engine } from '../ports/engine.ts';
import { type Status, StatusCode } from '../wire/status.ts';
import { GuardedEngine } from './guarded-engine.ts';
import { invalid } from './validate/check.ts';

/** Answers whatever it is asked with nothing, through the callback that comes last. */
const engine = new Proxy({} as Engine, {
  get:
    () =>
    (...given: unknown[]) => {
      const done = given.at(-1) as (error: undefined, value: object) => void;
      done(undefined, {});
      return { abandon: () => {} };
    },
});

interface Told {
  readonly errors: (Status | undefined)[];
  readonly faults: [unknown, string][];
}

/** Asks with a callback that throws as often as it is said to. */
function ask(method: keyof Engine, thrown: readonly Error[]): Told {
  const told: Told = { errors: [], faults: [] };
  const guarded = new GuardedEngine(engine, (error, asked) => told.faults.push([error, asked]));
  const done = (error: Status | undefined): void => {
    told.errors.push(error);
    const next = thrown[told.errors.length - 1];
    if (next !== undefined) throw next;
  };
  const before = FIRST[method].given;
  (guarded[method] as (...given: unknown[]) => unknown)(...before, done);
  return told;
}

const nobody = { namespace: 'n', workflowId: 'w' };
/** What comes before the callback. */
const FIRST: Readonly<Record<keyof Engine, { given: unknown[] }>> = {
  submit: { given: [nobody, { type: 'timer' }] },
  query: { given: [nobody, {}] },
  update: { given: [nobody, {}] },
  updateWithStart: { given: [nobody, {}] },
  answerQuery: { given: [nobody, 'q', {}] },
  describe: { given: [nobody, undefined] },
  history: { given: [nobody, {}] },
  taskHistory: { given: [nobody, {}] },
  awaitResult: { given: [nobody, undefined, true] },
  list: { given: [{}] },
  count: { given: [{}] },
  searchAttributes: { given: ['n'] },
  changeSearchAttributes: { given: ['n', {}] },
  jobs: { given: ['n', {}] },
  namespaces: { given: [{}] },
  nexusEndpoints: { given: [{}] },
  deployments: { given: [{}] },
  workers: { given: ['n', {}] },
};
const METHODS = Object.keys(FIRST) as (keyof Engine)[];

it.each(METHODS)('%s: a callback that throws is told so, once, and the fault is heard of', (method) => {
  const bug = new RangeError('a bug');
  const { errors, faults } = ask(method, [bug]);
  expect(errors).toEqual([undefined, expect.objectContaining({ code: StatusCode.INTERNAL })]);
  expect(faults).toEqual([[bug, method === 'submit' ? 'timer' : method]]);
});

it('one that throws again is left', () => {
  const [first, second] = [new Error('a bug'), new Error('another')];
  const { errors, faults } = ask('list', [first, second]);
  expect(errors).toHaveLength(2);
  expect(faults.map(([error]) => error)).toEqual([first, second]);
});

it('a refusal is an answer', () => {
  const { errors, faults } = ask('count', [invalid('No.')]);
  expect(errors).toEqual([undefined, { code: StatusCode.INVALID_ARGUMENT, message: 'No.' }]);
  expect(faults).toEqual([]);
});

it('one that does not throw is called once', () => {
  expect(ask('list', [])).toEqual({ errors: [undefined], faults: [] });
});

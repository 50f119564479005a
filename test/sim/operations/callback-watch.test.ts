// What the receiver of callbacks says of calls that must not be.
import { expect, it } from 'vitest';
import type { CallbackRequest } from '../../../src/ports/callbacks.ts';
import { SeededRandom } from '../random.ts';
import type { TrueRun } from '../truth.ts';
import { CallbackWatch, callbackUrl } from './callback-watch.ts';

const call = (workflowId: string, callbackId = 'c-1', attempt = 1): CallbackRequest => ({
  ...{ callbackId, attempt, url: callbackUrl(workflowId), headers: {} },
  ...{ body: new Uint8Array(), timeoutMs: 1_000 },
});

function watchOf(closed: boolean): CallbackWatch {
  // All that it reads of a run.
  const run = { closed: closed ? {} : undefined } as TrueRun;
  const watch = new CallbackWatch(() => [run], new SeededRandom('callbacks'));
  watch.expect('w');
  return watch;
}

it('owes a call until one has been answered with success', () => {
  const watch = watchOf(true);
  expect(watch.owed).toEqual(['w']);
  watch.calm = true;
  expect(watch.called(call('w'))).toEqual({});
  expect(watch.owed).toEqual([]);
});

it.each([
  ['of a run that has not closed', (): unknown => watchOf(false).called(call('w')), /^I1: .* has not durably closed/],
  ['that nobody asked for', (): unknown => watchOf(true).called(call('other')), /^I5: .* nobody asked for/],
  [
    'of another id than before',
    (): unknown => {
      const watch = watchOf(true);
      watch.called(call('w', 'c-1'));
      return watch.called(call('w', 'c-2', 2));
    },
    /^I5: .* had the id c-1 before/,
  ],
])('finds a call %s', (_, calling, says) => {
  expect(calling).toThrow(says);
});

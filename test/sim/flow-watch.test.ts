// The watch of keys must see the start that begins though another one followed it, and none where a key is only late.

import { describe, expect, it } from 'vitest';
import { claimant, Key } from '../../src/core/flow/world.test-support.ts';
import type { Outcome } from '../../src/core/workflow/outcome.ts';
import { encode } from '../../src/wire/codec.ts';
import { FlowWatch } from './flow-watch.ts';

const FOLLOWS = /^flow: a start of key tenant begins that another one followed$/;

/** A key of which all that its actor writes is shown to the watch. */
class Watched extends Key {
  readonly watch = new FlowWatch();
  readonly #entry: Outcome['rows'][number][] = [];

  override take(outcome: Outcome) {
    this.#entry.push(...outcome.rows);
    return super.take(outcome);
  }

  /** One entry of the log of all that was written since the last one: of each row the latest word. */
  commit(): void {
    const rows = new Map(this.#entry.splice(0).map(({ id, value }) => [id, value]));
    for (const [id, value] of rows) {
      this.watch.row(this.address.workflowId, `c${id}`, value === undefined ? undefined : encode(value));
    }
    this.watch.applied(this.now);
  }

  /** Gives a permit to whoever has none. */
  wrongly(name: string): void {
    this.#entry.push({ table: 'chain', runId: '', id: `p${name}`, value: { claimant: claimant(name), at: this.now } });
  }
}

describe('of debounced starts, the watch of keys', () => {
  const quiet = { debounce: { quietMs: 1_000 } };

  it('lets one begin whose quiet period was over when the next one came, in one entry with it', () => {
    const key = new Watched();
    key.acquire('a', quiet);
    key.commit();
    key.now += 3_000;
    key.acquire('b', quiet);
    expect(key.sent.map(({ type }) => type)).toEqual(['flowGranted']);
    key.commit();
    expect(key.watch.seen).toEqual(new Set(['a quiet period came to its end']));
  });

  it.each([
    ['in the entry of that start', 0],
    ['later', 500],
  ])('sees one begin that another one followed, %s', (_, laterMs) => {
    const key = new Watched();
    key.acquire('a', quiet);
    key.commit();
    key.now += 900;
    key.acquire('b', quiet);
    if (laterMs > 0) key.commit();
    expect(key.watch.seen.has('a start was followed by another within its quiet period')).toBe(laterMs > 0);
    key.now += laterMs;
    key.wrongly('a');
    expect(() => key.commit()).toThrow(FOLLOWS);
  });

  it('sees one begin that the key itself had counted as followed', () => {
    const key = new Watched();
    key.acquire('a', { debounce: { quietMs: 1_000, maxWaitMs: 1_200 } });
    key.commit();
    key.now += 900;
    key.acquire('b', { debounce: { quietMs: 1_000, maxWaitMs: 1_200 } });
    // It came in the same entry, after the first one's time.
    key.now += 290;
    key.acquire('c', { debounce: { quietMs: 1_000, maxWaitMs: 1_200 } });
    key.wrongly('a');
    expect(() => key.commit()).toThrow(FOLLOWS);
  });
});

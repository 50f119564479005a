import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Journal, JournalDamagedError, readJournal } from '../../examples/order-fulfillment/services/journal.ts';
import { temporaryDir } from './support.ts';

interface Line {
  n: number;
}

describe('a journal', () => {
  test('keeps records in the order in which they were appended, across reopening', async () => {
    const path = join(temporaryDir(), 'journal.jsonl');
    const first = await Journal.open<Line>(path);
    expect(first.records).toEqual([]);
    await Promise.all([1, 2, 3].map((n) => first.journal.append({ n })));
    await first.journal.append({ n: 4 });
    await first.journal.close();
    const second = await Journal.open<Line>(path);
    expect(second.records).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
    await second.journal.close();
  });

  test('a record is in the file when its append resolves, also when many share a sync', async () => {
    const path = join(temporaryDir(), 'journal.jsonl');
    const { journal } = await Journal.open<Line>(path);
    await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        // Spread over several syncs.
        for (let turns = n % 7; turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve));
        await journal.append({ n });
        expect(readJournal<Line>(path).records).toContainEqual({ n });
      }),
    );
    await journal.close();
    expect(readJournal<Line>(path).records).toHaveLength(200);
  });

  test('an unfinished last line is cut off, and the next record stands on a line of its own', async () => {
    const path = join(temporaryDir(), 'journal.jsonl');
    writeFileSync(path, '{"n":1}\n{"n":2}\n{"n":');
    const { journal, records } = await Journal.open<Line>(path);
    expect(records).toEqual([{ n: 1 }, { n: 2 }]);
    await journal.append({ n: 3 });
    await journal.close();
    expect(readFileSync(path, 'utf8')).toBe('{"n":1}\n{"n":2}\n{"n":3}\n');
  });

  test('damage before the end is refused, with file and line', async () => {
    const path = join(temporaryDir(), 'journal.jsonl');
    writeFileSync(path, '{"n":1}\n');
    appendFileSync(path, '{"n":\n{"n":3}\n');
    await expect(Journal.open<Line>(path)).rejects.toThrow(JournalDamagedError);
    await expect(Journal.open<Line>(path)).rejects.toThrow(/journal\.jsonl: line 2/);
  });
});

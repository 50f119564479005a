// Appends to a data directory until it is killed; says each lsn on a line of its own once it is acknowledged. Runs the built store.
import { writeSync } from 'node:fs';
import { openLevelStore } from '../../dist/src/store/index.js';

const store = openLevelStore({ directory: process.argv[2] ?? '' });
const position = (await store.open()).get(1);
const term = await store.nextTerm();
let lsn = position?.lastLsn ?? 0;
let applied = position?.appliedLsn ?? 0;
for (;;) {
  lsn += 1;
  // Of all sizes: some span the write-ahead log's blocks.
  const entry = Buffer.alloc((lsn * 7919) % 90_000, lsn & 0xff);
  await store.append([{ shard: 1, term, lsn, entry }]);
  writeSync(1, `${lsn}\n`);
  if (lsn % 50 !== 0) continue;
  applied = lsn - 10;
  await store.flush([{ shard: 1, term, appliedLsn: applied, rows: [['applied', Buffer.from(String(applied))]] }]);
}

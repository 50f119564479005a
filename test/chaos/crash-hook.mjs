// Preloaded with `node --import` into a real node process: kills it with SIGKILL at an exact place, so that a test can try every one.
//   TENUTO_TEST_CRASH=before:7         just before the 7th synced batch reaches LevelDB or a segment of the log
//   TENUTO_TEST_CRASH=after:7          just after it is durable, before anyone is told
//   TENUTO_TEST_CRASH=before:sent:7    around the batch with the 7th message between workflows (its outbox row)…
//   TENUTO_TEST_CRASH=before:applied:7 …with the 7th such message's application at its target…
//   TENUTO_TEST_CRASH=before:gone:7    …and the batch that deletes the 7th outbox row
// Patches LevelDB's own class and that of the segments in that process only; the product knows nothing of it. A log record by itself goes to a
// segment; of LevelDB's batches small ones are arrays, large ones chained.
import { createRequire } from 'node:module';
import { decodeEntry } from '../../dist/src/shard/entry.js';
import { decodeLogRecord, LOG, unframe } from '../../dist/src/store/framing.js';
import { SegmentLog } from '../../dist/src/store/leveldb/segment-log.js';
import { recordKey } from '../../dist/src/store/shard-log.js';

const [when, ...rest] = (process.env.TENUTO_TEST_CRASH ?? ':').split(':');
const at = Number(rest.pop());
const [what = 'batch'] = rest;
const { ClassicLevel } = createRequire(import.meta.url)('classic-level');
const { batch: originalBatch } = ClassicLevel.prototype;
const { append: originalAppend } = SegmentLog.prototype;
let counted = 0;

/** How much of what is counted a batch holds. */
function amount(writes) {
  if (what === 'batch') return 1;
  let sum = 0;
  for (const [key, value] of writes) {
    const name = Buffer.from(key).toString('latin1');
    if (value === undefined || !name.startsWith(LOG)) continue;
    for (const { entry: bytes } of decodeLogRecord(unframe(name, value, 'the log'))) {
      const { rows, receipts } = decodeEntry(bytes);
      if (what === 'applied') sum += receipts.length;
      else
        for (const [row, held] of rows) if (row.startsWith('o') && (held === undefined) === (what === 'gone')) sum += 1;
    }
  }
  return sum;
}

function watched(options, writes, write) {
  if (options?.sync !== true) return write();
  const before = counted;
  counted += amount(writes);
  const here = before < at && at <= counted;
  if (here && when === 'before') process.kill(process.pid, 'SIGKILL');
  const written = write();
  return here && when === 'after' ? written.then(() => process.kill(process.pid, 'SIGKILL')) : written;
}

SegmentLog.prototype.append = function append(seq, framed, announce) {
  const write = [Buffer.from(recordKey(seq), 'latin1'), framed];
  return watched({ sync: true }, [write], () => originalAppend.call(this, seq, framed, announce));
};

ClassicLevel.prototype.batch = function batch(...args) {
  if (Array.isArray(args[0])) {
    const writes = args[0].map(({ key, value }) => [key, value]);
    return watched(args[1], writes, () => originalBatch.apply(this, args));
  }
  const chained = originalBatch.apply(this, args);
  const { put, write } = chained;
  const writes = [];
  chained.put = function keep(key, value, ...more) {
    writes.push([key, value]);
    return put.call(this, key, value, ...more);
  };
  chained.write = (options) => watched(options, writes, () => write.call(chained, options));
  return chained;
};

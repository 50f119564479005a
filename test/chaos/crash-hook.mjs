// Preloaded with `node --import` into a real node process: kills it with SIGKILL at an exact place, so that a test can try every one.
//   TENUTO_TEST_CRASH=before:7   just before the 7th synced batch reaches LevelDB
//   TENUTO_TEST_CRASH=after:7    just after it is durable, before anyone is told
// Patches LevelDB's own class in that process only; the product knows nothing of it. A single write is a put, small batches are
// arrays, large ones chained.
import { createRequire } from 'node:module';

const [when, at] = (process.env.TENUTO_TEST_CRASH ?? ':').split(':');
const { ClassicLevel } = createRequire(import.meta.url)('classic-level');
const { batch: originalBatch, put: originalPut } = ClassicLevel.prototype;
let synced = 0;

function counted(options, write) {
  if (options?.sync !== true) return write();
  synced += 1;
  const here = synced === Number(at);
  if (here && when === 'before') process.kill(process.pid, 'SIGKILL');
  const written = write();
  return here && when === 'after' ? written.then(() => process.kill(process.pid, 'SIGKILL')) : written;
}

ClassicLevel.prototype.put = function put(key, value, options) {
  return counted(options, () => originalPut.call(this, key, value, options));
};

ClassicLevel.prototype.batch = function batch(...args) {
  if (Array.isArray(args[0])) return counted(args[1], () => originalBatch.apply(this, args));
  const chained = originalBatch.apply(this, args);
  const { write } = chained;
  chained.write = (options) => counted(options, () => write.call(chained, options));
  return chained;
};

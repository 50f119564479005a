// Property tests draw the same cases in every run, so that a test that fails fails again. `TENUTO_SEED=random` looks for new ones, `TENUTO_SEED=N` for
// those of another seed; what fails prints its own seed and path either way.

import fc from 'fast-check';

const SEED = 20_261_129;

const wanted = process.env.TENUTO_SEED;
if (wanted !== 'random') {
  const seed = wanted === undefined ? SEED : Number(wanted);
  if (!Number.isSafeInteger(seed)) throw new Error(`TENUTO_SEED is "${wanted}": give a whole number, or "random".`);
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
}

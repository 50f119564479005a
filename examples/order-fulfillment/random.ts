// Seeded randomness: the same seed gives the same faults, decisions and kills, whatever order requests arrive in.

/** A stream of numbers in [0, 1), mulberry32. */
export function randomStream(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A number in [0, 1) that depends only on seed and name. */
export function randomOf(seed: number, name: string): number {
  // FNV-1a over the name, then one step of the stream to spread neighbouring names.
  let hash = 0x811c9dc5 ^ seed;
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  return randomStream(hash)();
}

// Deterministic random numbers: xoshiro128** seeded from a text (the run id), so that a replay draws the same ones.

/** Numbers in [0, 1) with 32 random bits each. */
export type RandomSource = () => number;

/** Spreads a text over 128 bits: four FNV-1a lanes with different offsets, each mixed to the end (murmur3's finalizer). */
function seedWords(seed: string): [number, number, number, number] {
  const words: [number, number, number, number] = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b, 0xc2b2ae35];
  for (let i = 0; i < seed.length; i++) {
    const unit = seed.charCodeAt(i);
    for (let lane = 0; lane < 4; lane++) words[lane] = Math.imul((words[lane] ?? 0) ^ (unit + lane), 0x01000193);
  }
  for (let lane = 0; lane < 4; lane++) {
    let word = words[lane] ?? 0;
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    words[lane] = (word ^ (word >>> 16)) >>> 0;
  }
  // All zero is the one state the generator never leaves.
  if (words.every((word) => word === 0)) words[0] = 1;
  return words;
}

const rotateLeft = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

export function seededRandom(seed: string): RandomSource {
  let [a, b, c, d] = seedWords(seed);
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result / 0x1_0000_0000;
  };
}

/** A version 4 UUID from sixteen random bytes. */
export function randomUuid(random: RandomSource): string {
  let text = '';
  for (let i = 0; i < 16; i++) {
    let byte = Math.floor(random() * 256);
    if (i === 6) byte = (byte & 0x0f) | 0x40;
    if (i === 8) byte = (byte & 0x3f) | 0x80;
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
    text += byte.toString(16).padStart(2, '0');
  }
  return text;
}

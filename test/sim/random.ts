// Seeded randomness (xoshiro128**): one seed, one sequence. Everything the simulator draws comes from here.

export class SeededRandom {
  readonly #state: Uint32Array;

  constructor(seed: number | string) {
    // SplitMix32 over the seed's text: neighbouring seeds have nothing in common.
    let h = 0x9e3779b9;
    for (const c of String(seed)) h = Math.imul(h ^ c.charCodeAt(0), 0x85ebca6b) >>> 0;
    this.#state = Uint32Array.from({ length: 4 }, () => {
      h = (h + 0x9e3779b9) >>> 0;
      let z = h;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    });
  }

  u32(): number {
    const s = this.#state;
    // Always there: the state has four words.
    const a = s[0] as number;
    const b = s[1] as number;
    const c = s[2] as number;
    const d = s[3] as number;
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const x = d ^ b;
    const y = c ^ a;
    s[1] = b ^ y;
    s[0] = a ^ x;
    s[2] = y ^ (b << 9);
    s[3] = (x << 11) | (x >>> 21);
    return result;
  }

  /** In [0, 1). */
  next(): number {
    return this.u32() / 0x1_0000_0000;
  }

  /** In [from, to). */
  between(from: number, to: number): number {
    return from + this.next() * (to - from);
  }

  /** An integer in [from, to]. */
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.next() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  uuid(): string {
    const hex = Array.from({ length: 4 }, () => this.u32().toString(16).padStart(8, '0')).join('');
    const variant = '89ab'.charAt(this.u32() & 3);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }
}

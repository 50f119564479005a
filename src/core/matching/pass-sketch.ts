// The latest pass of very many fairness keys in fixed memory: a count-min sketch (Cormode, Muthukrishnan 2005) of maxima. It never says less
// than was noted, so a key keeps its order; keys that share all their cells wait for each other. Used by fairness.ts.

const ROWS = 4;
/** A power of two: 1 MiB in all. */
const CELLS = 32_768;

export class PassSketch {
  readonly #cells = new Float64Array(ROWS * CELLS);

  latest(key: string): number {
    const [a, b] = hashes(key);
    let least = Number.POSITIVE_INFINITY;
    for (let row = 0; row < ROWS; row += 1) least = Math.min(least, this.#cells[place(a, b, row)] ?? 0);
    return least;
  }

  note(key: string, pass: number): void {
    const [a, b] = hashes(key);
    for (let row = 0; row < ROWS; row += 1) {
      const at = place(a, b, row);
      if (pass > (this.#cells[at] ?? 0)) this.#cells[at] = pass;
    }
  }
}

/** Two hashes make as many as there are rows (Kirsch, Mitzenmacher 2006). */
const place = (a: number, b: number, row: number): number => row * CELLS + ((a + Math.imul(row, b)) & (CELLS - 1));

/** FNV-1a, and a mix of it. */
function hashes(key: string): [number, number] {
  let h = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x45d9f3b);
  h ^= h >>> 16;
  return [h, Math.imul(h, 0x9e3779b1) >>> 15];
}

// An ordered map of binary-string keys: a sorted array of chunks, so that inserts move at most one chunk. Enough for 1e6 keys in tests.

const MAX_CHUNK = 512;

export class SortedMap<V> {
  #chunks: { keys: string[]; values: V[] }[] = [{ keys: [], values: [] }];
  size = 0;

  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const first = this.#chunks[middle]?.keys[0];
      if (first !== undefined && first <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  get(key: string): V | undefined {
    const chunk = this.#chunks[this.#chunkOf(key)];
    if (!chunk) return undefined;
    const at = lowerBound(chunk.keys, key);
    return chunk.keys[at] === key ? chunk.values[at] : undefined;
  }

  set(key: string, value: V): void {
    const index = this.#chunkOf(key);
    const chunk = this.#chunks[index];
    if (!chunk) return;
    const at = lowerBound(chunk.keys, key);
    if (chunk.keys[at] === key) {
      chunk.values[at] = value;
      return;
    }
    chunk.keys.splice(at, 0, key);
    chunk.values.splice(at, 0, value);
    this.size += 1;
    if (chunk.keys.length <= MAX_CHUNK) return;
    const half = MAX_CHUNK >> 1;
    this.#chunks.splice(index + 1, 0, { keys: chunk.keys.splice(half), values: chunk.values.splice(half) });
  }

  delete(key: string): void {
    const index = this.#chunkOf(key);
    const chunk = this.#chunks[index];
    if (!chunk) return;
    const at = lowerBound(chunk.keys, key);
    if (chunk.keys[at] !== key) return;
    chunk.keys.splice(at, 1);
    chunk.values.splice(at, 1);
    this.size -= 1;
    if (chunk.keys.length === 0 && this.#chunks.length > 1) this.#chunks.splice(index, 1);
  }

  /** Entries with from ≤ key < to, at most `limit`, from the end when reversed. */
  range(from: string, to: string, limit: number, reverse: boolean): [string, V][] {
    const found: [string, V][] = [];
    if (from >= to) return found;
    const step = reverse ? -1 : 1;
    for (
      let c = this.#chunkOf(reverse ? to : from);
      c >= 0 && c < this.#chunks.length && found.length < limit;
      c += step
    ) {
      const { keys, values } = this.#chunks[c] ?? { keys: [], values: [] };
      const begin = lowerBound(keys, from);
      const end = lowerBound(keys, to);
      if (!reverse && begin === keys.length && c < this.#chunks.length - 1) continue;
      if (begin === end && (reverse ? begin > 0 : end < keys.length)) break;
      for (let i = 0; i < end - begin && found.length < limit; i += 1) {
        const at = reverse ? end - 1 - i : begin + i;
        found.push([keys[at] as string, values[at] as V]);
      }
    }
    return found;
  }

  clone(): SortedMap<V> {
    const copy = new SortedMap<V>();
    copy.#chunks = this.#chunks.map(({ keys, values }) => ({ keys: [...keys], values: [...values] }));
    copy.size = this.size;
    return copy;
  }
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Snappy's raw format, decoding only: what LevelDB compresses blocks with. For the index blocks that tell where a table's blocks are
// (tables.ts); format: github.com/google/snappy/blob/main/format_description.txt. Everything is bounded by the length the input states.

/** Index blocks are some kilobytes: a length beyond this is damage. */
const MAX_LENGTH = 64 * 1024 * 1024;

/** Undefined for bytes that are no snappy. */
export function unsnap(input: Uint8Array): Uint8Array | undefined {
  let at = 0;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = input[at];
    if (byte === undefined || shift > 28) return undefined;
    at += 1;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (length > MAX_LENGTH) return undefined;
  const output = new Uint8Array(length);
  let written = 0;
  while (at < input.length) {
    const tag = input[at] ?? 0;
    at += 1;
    if ((tag & 3) === 0) {
      const short = tag >>> 2;
      // 60 to 63 say how many bytes the length takes.
      const extra = Math.max(0, short - 59);
      const size = (extra === 0 ? short : little(input, at, extra)) + 1;
      at += extra;
      if (at + size > input.length || written + size > length) return undefined;
      output.set(input.subarray(at, at + size), written);
      at += size;
      written += size;
      continue;
    }
    const kind = tag & 3;
    const size = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const bytes = kind === 3 ? 4 : kind;
    if (at + bytes > input.length) return undefined;
    const offset = kind === 1 ? ((tag >>> 5) << 8) | (input[at] ?? 0) : little(input, at, bytes);
    at += bytes;
    if (offset === 0 || offset > written || written + size > length) return undefined;
    // The copy may overlap what it writes.
    for (let i = 0; i < size; i += 1) output[written + i] = output[written + i - offset] ?? 0;
    written += size;
  }
  return written === length ? output : undefined;
}

function little(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i -= 1) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

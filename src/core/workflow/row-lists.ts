// Lists by position: what the codecs of rows share (row-codec.ts, first-rows.ts).

export function listOf(packed: unknown): unknown[] {
  if (!Array.isArray(packed)) throw new Error('a row holds no list');
  return packed;
}

/** Absent fields are null inside a list, and left out at its end. */
export function trimmed(list: unknown[]): unknown[] {
  let length = list.length;
  while (length > 0 && list[length - 1] === undefined) length -= 1;
  list.length = length;
  for (let i = 0; i < length; i += 1) if (list[i] === undefined) list[i] = null;
  return list;
}

/** Sets what is there: an absent field is no own property, so that a row reads back as it was. */
export function put<T extends object, K extends keyof T>(into: T, name: K, value: unknown): void {
  // What the list holds at a field's position was put there from that field.
  if (value !== undefined && value !== null) into[name] = value as T[K];
}

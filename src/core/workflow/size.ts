// A cheap, deterministic estimate of how many bytes a value takes on disk. History limits and historySizeBytes count in it.

const EVENT_OVERHEAD = 24;

/** Strings count their UTF-16 length (UTF-8 of ASCII text), numbers 5, keys 1: MessagePack with shared structures. */
export function sizeOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return value.length + 2;
    case 'number':
      return 5;
    case 'boolean':
      return 1;
    case 'object': {
      if (value === null) return 1;
      if (value instanceof Uint8Array) return value.byteLength + 3;
      let total = 2;
      if (Array.isArray(value)) {
        for (let i = 0; i < value.length; i += 1) total += sizeOf(value[i]);
        return total;
      }
      for (const name in value) {
        const field = (value as Record<string, unknown>)[name];
        if (field !== undefined) total += 1 + sizeOf(field);
      }
      return total;
    }
    default:
      return 0;
  }
}

export const eventSize = (attributes: object): number => EVENT_OVERHEAD + sizeOf(attributes);

/** UTF-8 length of an id or name, without encoding it. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code > 0x7ff) {
      // A surrogate pair is 4 bytes in UTF-8 and 2 units here.
      if (code >= 0xd800 && code <= 0xdfff) bytes += 1;
      else bytes += 2;
    } else if (code > 0x7f) bytes += 1;
  }
  return bytes;
}

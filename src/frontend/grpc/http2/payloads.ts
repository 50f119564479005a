// What frames carry, read and written: lengths that must be, padding, numbers.

import { broken, ConnectionError, ErrorCode, Flag } from './protocol.ts';

export function sized(bytes: number, expected: number): void {
  if (bytes === expected) return;
  throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, `a frame has ${bytes} bytes instead of ${expected}`);
}

/** Where a payload is that may have padding around it. */
export function unpadded(flags: number, bytes: Buffer, start: number, end: number): { start: number; stop: number } {
  if ((flags & Flag.PADDED) === 0) return { start, stop: end };
  const padding = bytes[start] ?? 0;
  if (start + 1 + padding > end) throw broken('there is more padding than frame');
  return { start: start + 1, stop: end - padding };
}

export function numbers(...values: number[]): Buffer {
  const bytes = Buffer.allocUnsafe(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
}

// One whole message: its bytes from a value, and a value from its bytes.

import type { Codec, Message } from './codec.ts';
import { Malformed, Reader } from './reader.ts';
import { Writer } from './writer.ts';

const spare: Writer[] = [];

/**
 * The bytes of one message. Messages lie in one another's making (an Any), so each has a writer of its own.
 * @param roomBytes before them, for its caller to fill
 */
export function encodeMessage(codec: Codec, value: unknown, roomBytes = 0): Buffer {
  const writer = spare.pop() ?? new Writer();
  try {
    writer.skip(roomBytes);
    codec.write(writer, value);
    return writer.finish();
  } finally {
    writer.clear();
    if (spare.length < 4) spare.push(writer);
  }
}

/** Throws Malformed. Bytes in the result are views. `told` hears of how many values it has. */
export function decodeMessage(codec: Codec, bytes: Uint8Array, told?: (values: number) => void): Message {
  const reader = new Reader(bytes);
  const value = codec.read(reader, 0);
  told?.(reader.values);
  if (typeof value !== 'object' || value === null) throw new Malformed('not a message');
  return value as Message;
}

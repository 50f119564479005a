// A part of an answer as a frame. Its body was encoded once for all who get it: only the id before it differs.

import { encodeBriefly } from '../../wire/codec.ts';
import { FrameKind } from '../../wire/frame.ts';

const LIST_OF_THREE = 0x93;
const HEAD_BYTES = 2;

/** `[8, id, body]` */
export function partFrame(id: number, body: Uint8Array): Uint8Array {
  const idBytes = encodeBriefly(id);
  const frame = Buffer.allocUnsafe(HEAD_BYTES + idBytes.length + body.length);
  frame[0] = LIST_OF_THREE;
  frame[1] = FrameKind.PART;
  frame.set(idBytes, HEAD_BYTES);
  frame.set(body, HEAD_BYTES + idBytes.length);
  return frame;
}

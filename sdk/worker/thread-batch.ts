// How messages cross between the main thread and a workflow thread: as one MessagePack batch. A structured clone of the same objects costs several
// times as much. What MessagePack cannot say (arguments of sink calls may be anything) is cloned. Most batches are small, and go as a text whose
// characters are the bytes: such a message costs half of one whose buffer changes hands, which is made, detached and collected on its own.

import { decode, encode } from '../../src/wire/codec.ts';
import type { FromWorkflowThread, ToWorkflowThread } from './thread-protocol.ts';

type Message = FromWorkflowThread | ToWorkflowThread;

/** Above so many bytes copying costs more than handing over. */
const MAX_TEXT_BYTES = 16 * 1024;

/** What `postMessage` is given, and the other side gets. */
export type Batch<M extends Message> = string | Uint8Array | M[];

export interface Packed<M extends Message> {
  value: Batch<M>;
  transfer: ArrayBuffer[];
}

export function packBatch<M extends Message>(messages: M[]): Packed<M> {
  if (
    messages.some(
      (message) => 'sinkCalls' in message && message.sinkCalls !== undefined && message.sinkCalls.length > 0,
    )
  )
    return { value: messages, transfer: [] };
  const packed = encode(messages);
  if (packed.length <= MAX_TEXT_BYTES) {
    return { value: Buffer.from(packed.buffer, packed.byteOffset, packed.length).toString('latin1'), transfer: [] };
  }
  // A copy of its own: the encoder's buffer is shared with what it encodes next.
  const value = new Uint8Array(packed);
  return { value, transfer: [value.buffer] };
}

/** Byte strings in the result are views of the batch, which is theirs alone. */
export function unpackBatch<M extends Message>(batch: Batch<M>): M[] {
  if (typeof batch !== 'string') return batch instanceof Uint8Array ? read(batch) : batch;
  // Not of the pool: views that are kept, such as a warm execution's token, would hold what others wrote there.
  const bytes = Buffer.allocUnsafeSlow(batch.length);
  bytes.write(batch, 'latin1');
  return read(bytes);
}

// Packed by packBatch on the other side.
const read = <M extends Message>(bytes: Uint8Array): M[] => decode(bytes) as M[];

// How messages cross between the main thread and a workflow thread: one MessagePack batch whose buffer changes hands. A structured clone
// of the same objects costs several times as much. What MessagePack cannot say (arguments of sink calls may be anything) is cloned.

import { decode, encode } from '../../src/wire/codec.ts';
import type { FromWorkflowThread, ToWorkflowThread } from './thread-protocol.ts';

type Message = FromWorkflowThread | ToWorkflowThread;

/** What `postMessage` is given. */
export interface Packed<M extends Message> {
  value: Uint8Array | M[];
  transfer: ArrayBuffer[];
}

export function packBatch<M extends Message>(messages: M[]): Packed<M> {
  if (messages.some((message) => 'sinkCalls' in message && message.sinkCalls.length > 0))
    return { value: messages, transfer: [] };
  // A copy of its own: the encoder's buffer is shared with what it encodes next.
  const value = new Uint8Array(encode(messages));
  return { value, transfer: [value.buffer] };
}

/** Byte strings in the result are views of the batch, which is theirs alone. */
export function unpackBatch<M extends Message>(value: Uint8Array | M[]): M[] {
  // Packed by packBatch on the other side.
  return value instanceof Uint8Array ? (decode(value) as M[]) : value;
}

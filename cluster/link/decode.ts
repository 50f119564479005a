// MessagePack that came over a link: walked before it is decoded, as at the doors, since a decoder believes the lengths it reads and recurses as deep
// as it is told to. One list per message. Used by rpc-frames.ts and cluster/routing.

import { skim } from '../../src/frontend/websocket/skim.ts';
import { decode } from '../../src/wire/codec.ts';

export type Decoded = { list: unknown[] } | { problem: string };

/** Never throws. Byte strings are views of `bytes`. */
export function decodeList(bytes: Uint8Array): Decoded {
  const { frames, broken } = skim(bytes);
  const [frame] = frames;
  if (broken !== undefined) return { problem: broken.reason };
  if (frame === undefined || frames.length > 1) return { problem: `it holds ${frames.length} values, not one` };
  if (frame.problem !== undefined) return { problem: frame.problem };
  try {
    const list: unknown = decode(bytes);
    return Array.isArray(list) ? { list } : { problem: 'it is no list' };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

// Frames inside records. A message is cut into chunks, so that channels share a link fairly and a ping never waits behind a snapshot.

import { BadBytes } from './bytes.ts';

/** What a link carries, each in order by itself. The position is what crosses the wire. */
export const CHANNELS = ['replication', 'rpc', 'snapshot'] as const;
export type Channel = (typeof CHANNELS)[number];

/** Bytes of a message that go in one frame, and what a channel may send before the next one's turn. */
export const CHUNK_BYTES = 16 * 1024;

export type Frame =
  | { kind: 'data'; channel: Channel; first: boolean; last: boolean; chunk: Uint8Array }
  | { kind: 'ping'; id: number }
  /** `wallClockMs`: of who answers. */
  | { kind: 'pong'; id: number; wallClockMs: number }
  /** So many more bytes may be sent on this channel. */
  | { kind: 'window'; channel: Channel; bytes: number }
  /** The sender has said all it will say. */
  | { kind: 'goodbye' };

const Kind = { data: 1, ping: 2, pong: 3, window: 4, goodbye: 5 } as const;
export const DATA_HEAD_BYTES = 7;
const FIRST = 1;
const LAST = 2;

/** Writes a frame at `at`; returns where the next begins. The caller has made sure that it fits. */
export function writeFrame(record: Buffer, at: number, frame: Frame): number {
  switch (frame.kind) {
    case 'data': {
      record[at] = Kind.data;
      record[at + 1] = CHANNELS.indexOf(frame.channel);
      record[at + 2] = (frame.first ? FIRST : 0) | (frame.last ? LAST : 0);
      record.writeUInt32BE(frame.chunk.length, at + 3);
      record.set(frame.chunk, at + DATA_HEAD_BYTES);
      return at + DATA_HEAD_BYTES + frame.chunk.length;
    }
    case 'ping':
      record[at] = Kind.ping;
      record.writeUInt32BE(frame.id, at + 1);
      return at + 5;
    case 'pong':
      record[at] = Kind.pong;
      record.writeUInt32BE(frame.id, at + 1);
      record.writeBigUInt64BE(BigInt(Math.max(0, Math.round(frame.wallClockMs))), at + 5);
      return at + 13;
    case 'window':
      record[at] = Kind.window;
      record[at + 1] = CHANNELS.indexOf(frame.channel);
      record.writeUInt32BE(frame.bytes, at + 2);
      return at + 6;
    case 'goodbye':
      record[at] = Kind.goodbye;
      return at + 1;
  }
}

/** Frames of one record, in order; chunks are views of it. Throws BadBytes. */
export function* readFrames(bytes: Uint8Array): Generator<Frame> {
  const record = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const need = (length: number): number => {
    const from = at;
    if (from + length > record.length) throw new BadBytes('a frame is cut short');
    at += length;
    return from;
  };
  while (at < record.length) {
    const kind = record[need(1)];
    switch (kind) {
      case Kind.data: {
        const channel = channelOf(record[need(1)]);
        const flags = record[need(1)] ?? 0;
        const length = record.readUInt32BE(need(4));
        const from = need(length);
        const chunk = record.subarray(from, from + length);
        yield { kind: 'data', channel, first: (flags & FIRST) !== 0, last: (flags & LAST) !== 0, chunk };
        break;
      }
      case Kind.ping:
        yield { kind: 'ping', id: record.readUInt32BE(need(4)) };
        break;
      case Kind.pong: {
        const id = record.readUInt32BE(need(4));
        yield { kind: 'pong', id, wallClockMs: Number(record.readBigUInt64BE(need(8))) };
        break;
      }
      case Kind.window: {
        const channel = channelOf(record[need(1)]);
        yield { kind: 'window', channel, bytes: record.readUInt32BE(need(4)) };
        break;
      }
      case Kind.goodbye:
        yield { kind: 'goodbye' };
        break;
      default:
        throw new BadBytes(`a frame of kind ${kind} is unknown`);
    }
  }
}

function channelOf(byte: number | undefined): Channel {
  const channel = CHANNELS[byte ?? CHANNELS.length];
  if (channel === undefined) throw new BadBytes('a channel is unknown');
  return channel;
}

/** One value for each channel. */
export function perChannel<T>(make: (channel: Channel) => T): Record<Channel, T> {
  return { replication: make('replication'), rpc: make('rpc'), snapshot: make('snapshot') };
}

// What a connection sends: frames are gathered and leave together, once a turn of the event loop, however many answers it had. What its client does not take
// waits in the socket, and is counted.

import type { Socket } from 'node:net';
import { FRAME_HEADER_BYTES } from './protocol.ts';

const ROOM_BYTES = 16 * 1024;
/** Rooms that nobody fills, for whoever has something to send: a connection that is idle holds none. */
const spare: Buffer[] = [];
const MAX_SPARE = 64;
/** What is larger is not copied. */
const MAX_COPIED_BYTES = 2 * 1024;

export class Output {
  readonly #socket: Socket;
  /** Of frames; what has no room in it goes out by itself, in its order. */
  #room: Buffer = NOTHING;
  #from = 0;
  #at = 0;
  #pieces: Buffer[] = [];
  #piecesBytes = 0;
  #isScheduled = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Of this server, not yet the system's. */
  get unsentBytes(): number {
    return this.#at - this.#from + this.#piecesBytes + this.#socket.writableLength;
  }

  frame(type: number, flags: number, stream: number, payload: Buffer): void {
    this.frameOf(type, flags, stream, payload, 0, payload.length);
  }

  /** Of a part of these bytes, which do not change any more. */
  frameOf(type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    const isCopied = length <= MAX_COPIED_BYTES;
    this.#make(FRAME_HEADER_BYTES + (isCopied ? length : 0));
    const room = this.#room;
    const at = this.#at;
    room[at] = length >>> 16;
    room[at + 1] = length >>> 8;
    room[at + 2] = length;
    room[at + 3] = type;
    room[at + 4] = flags;
    room[at + 5] = stream >>> 24;
    room[at + 6] = stream >>> 16;
    room[at + 7] = stream >>> 8;
    room[at + 8] = stream;
    this.#at = at + FRAME_HEADER_BYTES;
    if (isCopied) {
      bytes.copy(room, this.#at, start, end);
      this.#at += length;
    } else {
      this.#cut();
      this.#piece(bytes.subarray(start, end));
    }
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#flushed);
  }

  /** Now; for the rest it is done by itself. */
  flush(): void {
    const socket = this.#socket;
    this.#cut();
    const pieces = this.#pieces;
    if (pieces.length === 0 || socket.destroyed) return;
    this.#pieces = [];
    this.#piecesBytes = 0;
    if (pieces.length > 1) socket.cork();
    for (const piece of pieces) socket.write(piece);
    if (pieces.length > 1) socket.uncork();
    // The system has it all: the room can be filled again.
    if (socket.writableLength > 0) return;
    if (spare.length < MAX_SPARE) spare.push(this.#room);
    this.#room = NOTHING;
    this.#from = 0;
    this.#at = 0;
  }

  readonly #flushed = (): void => {
    this.#isScheduled = false;
    this.flush();
  };

  #make(bytes: number): void {
    if (this.#room.length - this.#at >= bytes) return;
    this.#cut();
    this.#room = spare.pop() ?? Buffer.allocUnsafeSlow(ROOM_BYTES);
    this.#from = 0;
    this.#at = 0;
  }

  /** What the room has is a piece. */
  #cut(): void {
    if (this.#at === this.#from) return;
    this.#piece(this.#room.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }

  #piece(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#piecesBytes += bytes.length;
  }
}

const NOTHING = Buffer.alloc(0);

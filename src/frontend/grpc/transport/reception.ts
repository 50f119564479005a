// One call's request as it comes: bytes become messages, messages go to its method, and what is thrown on the way becomes its status. Used by transport.ts.

import { StatusCode } from '../../../wire/status.ts';
import type { Receiver as StreamReceiver } from '../http2/stream.ts';
import { RpcError } from '../status.ts';
import type { Arriving } from './arriving.ts';
import type { FrameReader } from './frames.ts';
import type { Room } from './room.ts';
import type { Receiver, WireCall } from './wire-call.ts';

/** An object instead of functions: there is one for each call. */
export class Reception implements StreamReceiver {
  readonly #call: WireCall;
  readonly #receiver: Receiver;
  readonly #frames: FrameReader;
  readonly #arriving: Arriving;
  readonly #room: Room;
  readonly #onFault: (error: unknown, path: string) => void;

  constructor(
    call: WireCall,
    receiver: Receiver,
    frames: FrameReader,
    arriving: Arriving,
    room: Room,
    onFault: (error: unknown, path: string) => void,
  ) {
    this.#call = call;
    this.#receiver = receiver;
    this.#frames = frames;
    this.#arriving = arriving;
    this.#room = room;
    this.#onFault = onFault;
  }

  data(chunk: Buffer): void {
    // What still comes after the answer is read and dropped, so that the answer arrives.
    if (this.#call.isOver) return;
    try {
      for (const message of this.#frames.read(chunk)) this.#receiver.message(message);
      this.#arriving.keeps(this.#call, this.#frames.keptBytes + (this.#receiver.heldBytes ?? 0));
    } catch (error) {
      this.#failed(error);
    }
  }

  ended(): void {
    this.#arriving.ended(this.#call);
    if (this.#call.isOver) return;
    try {
      if (this.#frames.keptBytes > 0) throw new RpcError(StatusCode.INTERNAL, 'A message is cut off.');
      this.#receiver.ended();
    } catch (error) {
      this.#failed(error);
    }
  }

  closed(): void {
    this.#room.give(this.#call.streamBytes);
    this.#arriving.ended(this.#call);
    this.#call.closed();
  }

  #failed(error: unknown): void {
    if (error instanceof RpcError) this.#call.end(error);
    else {
      this.#onFault(error, this.#call.path);
      this.#call.end(new RpcError(StatusCode.INTERNAL, 'The server failed.'));
    }
  }
}

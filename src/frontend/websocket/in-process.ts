// The native door without a socket: two ends in one process, the same frames between them. Messages arrive in a later tick, as they
// would over a socket, so neither side runs inside the other's call.

import type { Scheduler } from '../../ports/clock.ts';
import type { NativeDoor } from './door.ts';
import type { Wire } from './wire.ts';

/** The client's end: what `Connection.fromTransport` of `tenuto/client` takes. */
export interface InProcessTransport {
  /** Bytes are the transport's from then on. Ignored once closed. */
  send(bytes: Uint8Array): void;
  close(code?: number, reason?: string): void;
  onmessage: ((bytes: Uint8Array) => void) | undefined;
  onclose: ((reason: string) => void) | undefined;
  /** Bytes sent that the server does not read yet. */
  readonly bufferedAmount: number;
}

/** Messages of one direction, handed over once per tick and in order. */
class Lane {
  readonly #scheduler: Scheduler;
  readonly #deliver: (message: Uint8Array) => void;
  #messages: Uint8Array[] = [];
  #due = false;
  #paused = false;
  #closed = false;
  bytes = 0;

  constructor(scheduler: Scheduler, deliver: (message: Uint8Array) => void) {
    this.#scheduler = scheduler;
    this.#deliver = deliver;
  }

  add(message: Uint8Array): void {
    if (this.#closed) return;
    this.#messages.push(message);
    this.bytes += message.length;
    this.#wake();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#messages.length > 0) this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#messages = [];
    this.bytes = 0;
  }

  #wake(): void {
    if (this.#due || this.#paused) return;
    this.#due = true;
    this.#scheduler.soon(this.#run);
  }

  readonly #run = (): void => {
    this.#due = false;
    for (let i = 0; i < this.#messages.length && !this.#paused && !this.#closed; i += 1) {
      const message = this.#messages[i];
      if (message === undefined) continue;
      this.bytes -= message.length;
      this.#messages[i] = EMPTY;
      this.#deliver(message);
    }
    this.#messages = this.#messages.filter((message) => message !== EMPTY);
    if (this.#messages.length > 0) this.#wake();
  };
}

/** Stands for a message that was handed over. */
const EMPTY = new Uint8Array(0);

/** Opens one connection within the process. */
export function connectInProcess(door: NativeDoor, scheduler: Scheduler): InProcessTransport {
  const toServer = new Lane(scheduler, (message) => connection.receive(message));
  const toClient = new Lane(scheduler, (message) => transport.onmessage?.(message));
  let open = true;
  const end = (reason: string): void => {
    if (!open) return;
    open = false;
    toServer.close();
    // What the server said last is still heard.
    scheduler.soon(() => {
      toClient.close();
      door.ended(connection);
      transport.onclose?.(reason);
    });
  };
  const wire: Wire = {
    peer: 'in-process',
    get bufferedAmount() {
      return toClient.bytes;
    },
    send: (message) => toClient.add(message),
    close: (_code, reason) => end(reason),
    pause: () => toServer.pause(),
    resume: () => toServer.resume(),
  };
  const transport: InProcessTransport = {
    onmessage: undefined,
    onclose: undefined,
    get bufferedAmount() {
      return toServer.bytes;
    },
    send: (bytes) => toServer.add(bytes),
    close: (_code, reason = 'closed by client') => end(reason),
  };
  const connection = door.accept(wire);
  return transport;
}

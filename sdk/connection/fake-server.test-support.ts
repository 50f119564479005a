// A server of a test's making behind in-memory transports, and time that a test moves.

import { decodeAll, encode } from '../../src/wire/codec.ts';
import { FrameKind, type Hello, type Welcome } from '../../src/wire/frame.ts';
import type { Status } from '../../src/wire/status.ts';
import type { Cancelable, Scheduler } from './scheduler.ts';
import type { Transport } from './transport.ts';

/** Nothing happens but what `advance` and `settle` let happen. */
export class VirtualScheduler implements Scheduler {
  now = 0;
  #timers: { at: number; fn: () => void }[] = [];
  #soon: (() => void)[] = [];

  monotonic(): number {
    return this.now;
  }

  after(delayMs: number, fn: () => void): Cancelable {
    const timer = { at: this.now + delayMs, fn };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  soon(fn: () => void): void {
    this.#soon.push(fn);
  }

  random(): number {
    return 0;
  }

  /** Runs what is due now, promises included, until nothing is left to do. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 5; ) {
      const due = this.#soon.splice(0);
      for (const fn of due) fn();
      quiet = due.length === 0 ? quiet + 1 : 0;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  async advance(ms: number): Promise<void> {
    const until = this.now + ms;
    await this.settle();
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.now = Math.max(this.now, next.at);
      next.fn();
      await this.settle();
    }
    this.now = until;
  }
}

export interface SeenRequest {
  link: FakeLink;
  id: number;
  method: string;
  timeoutMs: number;
  // The fake's tests look into bodies as they please.
  body: Record<string, unknown>;
}

/** In place of an answer: none comes. */
export const UNANSWERED = Symbol('unanswered');

/** One connection to the fake server. */
export class FakeLink {
  readonly transport: Transport;
  readonly messages: Uint8Array[] = [];
  hello: Hello | undefined;
  open = true;
  pings = 0;
  buffered = 0;

  constructor(server: FakeServer) {
    this.transport = {
      onmessage: undefined,
      onclose: undefined,
      send: (bytes) => {
        if (!this.open) return;
        this.messages.push(bytes);
        for (const frame of decodeAll(bytes)) server.receive(this, frame as unknown[]);
      },
      close: (_code, reason) => this.drop(reason ?? 'closed'),
    };
    Object.defineProperty(this.transport, 'bufferedAmount', { get: () => this.buffered });
  }

  /** Sends frames as one message. */
  send(...frames: unknown[][]): void {
    this.sendBytes(Buffer.concat(frames.map((frame) => encode(frame))));
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.open) this.transport.onmessage?.(bytes);
  }

  drop(reason = 'dropped'): void {
    if (!this.open) return;
    this.open = false;
    this.transport.onclose?.(reason);
  }
}

export class FakeServer {
  readonly links: FakeLink[] = [];
  readonly requests: SeenRequest[] = [];
  readonly cancels: number[] = [];
  welcome: Welcome | Status = {
    protocol: 1,
    server: 'fake/1',
    nodeId: 'node-1',
    capabilities: [],
    idleMs: 10_000,
    maxMessageBytes: 1_000_000,
  };
  /** Set to answer requests as they come; otherwise they wait in `requests`. */
  answer: ((request: SeenRequest) => unknown) | undefined;
  /** Opening a transport throws this while set. */
  unreachable: Error | undefined;

  readonly connect = (): Transport => {
    if (this.unreachable) throw this.unreachable;
    const link = new FakeLink(this);
    this.links.push(link);
    return link.transport;
  };

  get link(): FakeLink {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error('nobody connected');
    return link;
  }

  /** The latest request. */
  get last(): SeenRequest {
    const request = this.requests.at(-1);
    if (request === undefined) throw new Error('nothing was requested');
    return request;
  }

  respond(request: SeenRequest, body: unknown): void {
    request.link.send([FrameKind.RESPONSE, request.id, body]);
  }

  fail(request: SeenRequest, status: Status): void {
    request.link.send([FrameKind.ERROR, request.id, status]);
  }

  receive(link: FakeLink, frame: unknown[]): void {
    switch (frame[0]) {
      case FrameKind.HELLO:
        link.hello = frame[1] as Hello;
        if ('code' in this.welcome) {
          link.send([FrameKind.ERROR, 0, this.welcome]);
          link.drop('refused');
        } else {
          link.send([FrameKind.WELCOME, this.welcome]);
        }
        return;
      case FrameKind.CANCEL:
        this.cancels.push(frame[1] as number);
        return;
      case FrameKind.REQUEST: {
        const [, id, method, timeoutMs, body] = frame as [number, number, string, number, Record<string, unknown>];
        const request = { link, id, method, timeoutMs, body };
        this.requests.push(request);
        if (this.answer === undefined) return;
        queueMicrotask(() => {
          const answer = this.answer?.(request);
          if (answer !== UNANSWERED) this.respond(request, answer);
        });
        return;
      }
      default:
        throw new Error(`unexpected frame ${frame[0]}`);
    }
  }
}

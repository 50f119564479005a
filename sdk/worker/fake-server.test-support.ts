// The server's end of a connection in this process: real frames, answers said by the test. For tests of a whole Worker.

import type { Method, Methods, Pushes, PushTopic } from '../../src/wire/api.ts';
import { decodeAll, encode } from '../../src/wire/codec.ts';
import { FrameKind, MAX_MESSAGE_BYTES } from '../../src/wire/frame.ts';
import { StatusCode } from '../../src/wire/status.ts';
import { Connection } from '../connection/connection.ts';
import type { Transport } from '../connection/transport.ts';

type Handlers = { [M in Method]?: (body: Methods[M]['request']) => Methods[M]['response'] };

export class FakeServer {
  readonly connection: Connection;
  readonly requests: { method: Method; body: unknown }[] = [];
  private link: Transport | undefined;
  private readonly handlers: Handlers;
  private waiters: (() => void)[] = [];

  /** Methods without a handler are answered with an empty message. */
  constructor(handlers: Handlers = {}) {
    this.handlers = handlers;
    this.connection = Connection.fromTransport(() => this.open(), { identity: 'me' });
  }

  push<T extends PushTopic>(topic: T, body: Omit<Pushes[T], 'workerId'>): void {
    const workerId = this.of('registerWorker')[0]?.workerId;
    this.write([FrameKind.PUSH, topic, { ...body, workerId }]);
  }

  /** The link is lost; the connection opens another. */
  drop(): void {
    const { link } = this;
    this.link = undefined;
    link?.onclose?.('dropped');
  }

  of<M extends Method>(method: M): Methods[M]['request'][] {
    const bodies = this.requests.filter((request) => request.method === method).map((request) => request.body);
    return bodies as Methods[M]['request'][];
  }

  /** The `count`-th request of a method, as soon as it is there. */
  async received<M extends Method>(method: M, count = 1): Promise<Methods[M]['request']> {
    for (;;) {
      const body = this.of(method)[count - 1];
      if (body !== undefined) return body;
      await new Promise<void>((resolve) => this.waiters.push(resolve));
    }
  }

  private open(): Transport {
    const link: Transport = {
      send: (bytes) => {
        const frames = decodeAll(Uint8Array.from(bytes));
        setImmediate(() => {
          if (this.link === link) for (const frame of frames) this.frame(frame as unknown[]);
        });
      },
      close: () => setImmediate(() => link.onclose?.('closed')),
      onmessage: undefined,
      onclose: undefined,
    };
    this.link = link;
    return link;
  }

  private frame([kind, id, method, , body]: unknown[]): void {
    if (kind === FrameKind.HELLO) {
      const welcome = { server: 'fake', nodeId: 'n', capabilities: ['ahead'], maxMessageBytes: MAX_MESSAGE_BYTES };
      this.write([FrameKind.WELCOME, { protocol: 1, idleMs: 60_000, ...welcome }]);
      return;
    }
    if (kind !== FrameKind.REQUEST) return;
    this.requests.push({ method: method as Method, body });
    try {
      const handler = this.handlers[method as Method] as ((body: unknown) => unknown) | undefined;
      this.write([FrameKind.RESPONSE, id, handler?.(body) ?? {}]);
    } catch (error) {
      this.write([FrameKind.ERROR, id, { code: StatusCode.NOT_FOUND, message: String(error) }]);
    }
    for (const resolve of this.waiters.splice(0)) resolve();
  }

  private write(frame: unknown[]): void {
    const { link } = this;
    const bytes = encode(frame);
    setImmediate(() => link?.onmessage?.(bytes));
  }
}

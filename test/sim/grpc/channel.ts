// A connection to the Temporal-compatible door: the real dispatch, methods and protobuf, each call and each answer as bytes; only HTTP/2 itself is not
// there. Calls of one connection go on side by side; when it breaks, each of them ends without an answer, here and there.

import type { OpenRpc } from '../../../src/frontend/grpc/call.ts';
import type { ServiceCalls } from '../../../src/frontend/grpc/calls.ts';
import { WORKFLOW_SERVICE } from '../../../src/frontend/grpc/methods/index.ts';
import { codecNamed } from '../../../src/frontend/grpc/proto/codec.ts';
import { decodeMessage, encodeMessage } from '../../../src/frontend/grpc/proto/message.ts';
import type { Message, Rpc } from '../../../src/frontend/grpc/rpc.ts';
import type { RpcError } from '../../../src/frontend/grpc/status.ts';
import { decode, encode } from '../../../src/wire/codec.ts';
import { StatusCode } from '../../../src/wire/status.ts';
import type { Process } from '../kernel.ts';
import type { Network } from '../network.ts';
import { type Connected, Lane } from '../way.ts';

/** What watches this door: the checkers. */
export interface RpcTap {
  received(channel: Channel, call: number, method: string, request: Message): void;
  answered(channel: Channel, call: number, response: Message): void;
  refused(channel: Channel, call: number, error: RpcError): void;
  closed(channel: Channel): void;
}

/** Where calls arrive. */
export interface RpcListener {
  readonly calls: ServiceCalls;
  methodOf(name: string): Rpc;
  readonly tap: RpcTap;
}

/** What a call came to that was not answered: a status of the server, or of the client's own library. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const CALL = 1;
const CANCEL = 2;
const ANSWER = 3;
const ERROR = 4;
/** ms between two looks at whether the other end still answers, by either side: what pings do. */
const KEEPALIVE_MS = 2_000;

interface Calling {
  readonly method: string;
  readonly resolve: (response: Message) => void;
  readonly reject: (error: CallFailed) => void;
}

export class Channel implements Connected {
  readonly network: Network;
  readonly id: number;
  readonly client: Process;
  readonly listener: RpcListener & { readonly process: Process };
  mute = false;
  extraMs = 0;
  readonly #toServer: Lane;
  readonly #toClient: Lane;
  /** At the client: what it waits for. */
  readonly #calling = new Map<number, Calling>();
  /** At the server: what is not answered. */
  readonly #open = new Map<number, OpenRpc>();
  #calls = 0;
  #clientOpen = true;
  #serverOpen = true;

  constructor(network: Network, id: number, client: Process, listener: RpcListener & { readonly process: Process }) {
    this.network = network;
    this.id = id;
    this.client = client;
    this.listener = listener;
    this.#toServer = new Lane(this, listener.process, 'is called on', (bytes) => this.#arrived(bytes));
    this.#toClient = new Lane(this, client, 'is answered on', (bytes) => this.#returned(bytes));
    this.#look(client, () => this.#endClient('the connection does not answer'));
    this.#look(listener.process, () => this.#endServer());
  }

  get open(): boolean {
    return this.#clientOpen || this.#serverOpen;
  }

  /** Calls can be made on it. */
  get usable(): boolean {
    return this.#clientOpen;
  }

  /** Rejects with CallFailed: refused, cut off, or not answered within `timeoutMs`. */
  call(method: string, request: Message, timeoutMs: number): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (!this.#clientOpen) {
        reject(new CallFailed(StatusCode.UNAVAILABLE, 'the connection is closed'));
        return;
      }
      this.#calls += 1;
      const id = this.#calls;
      const codecs = this.listener.calls.codecsOf(WORKFLOW_SERVICE, method);
      const deadline = this.client.after(timeoutMs, () => {
        if (!this.#calling.delete(id)) return;
        if (this.#clientOpen) this.#toServer.send(encode([CANCEL, id]));
        reject(new CallFailed(StatusCode.DEADLINE_EXCEEDED, `${method} was not answered in time`));
      });
      const ended = <T>(then: (value: T) => void) => {
        return (value: T): void => {
          deadline.cancel();
          then(value);
        };
      };
      this.#calling.set(id, { method, resolve: ended(resolve), reject: ended(reject) });
      this.#toServer.send(encode([CALL, id, method, timeoutMs, encodeMessage(codecs.request, request)]));
    });
  }

  drop(delays: { client: number; server: number }): void {
    this.mute = true;
    const { kernel } = this.network;
    const { process } = this.listener;
    kernel.at(kernel.now + delays.client, this.client, `loses ${this.id}`, () => this.#endClient('connection reset'));
    kernel.at(kernel.now + delays.server, process, `loses ${this.id}`, () => this.#endServer());
  }

  #look(side: Process, end: () => void): void {
    side.after(KEEPALIVE_MS, () => {
      if (this.mute) end();
      else if (this.open) this.#look(side, end);
    });
  }

  // ---------------------------------------------------------------- at the server

  #arrived(bytes: Uint8Array): void {
    if (!this.#serverOpen) return;
    this.network.kernel.fingerprint(bytes);
    const [kind, id, method, timeoutMs, request] = decode(bytes) as [number, number, string, number, Uint8Array];
    if (kind === CANCEL) {
      this.#open.get(id)?.giveUp();
      this.#open.delete(id);
      return;
    }
    const { calls, tap, methodOf } = this.listener;
    const rpc = methodOf(method);
    const codecs = calls.codecsOf(WORKFLOW_SERVICE, method);
    tap.received(this, id, method, decodeMessage(codecs.request, request));
    let ended = false;
    const open = calls.dispatcher.dispatch(
      {
        name: method,
        rpc,
        timeoutMs,
        requestBytes: request.length,
        decodedBytes: 0,
        header: () => undefined,
        decode: () => decodeMessage(codecs.request, request),
      },
      {
        answered: (body) => {
          ended = true;
          this.#open.delete(id);
          const response = encodeMessage(codecs.response, body);
          if (!this.#serverOpen || !this.listener.process.alive) return;
          tap.answered(this, id, decodeMessage(codecs.response, response));
          this.#say([ANSWER, id, response]);
        },
        failed: (error) => {
          ended = true;
          this.#open.delete(id);
          if (!this.#serverOpen || !this.listener.process.alive) return;
          tap.refused(this, id, error);
          this.#say([ERROR, id, error.bytes]);
        },
      },
    );
    if (open !== undefined && !ended) this.#open.set(id, open);
  }

  #say(frame: unknown[]): void {
    const bytes = encode(frame);
    this.network.kernel.fingerprint(bytes);
    this.#toClient.send(bytes);
  }

  #endServer(): void {
    if (!this.#serverOpen) return;
    this.#serverOpen = false;
    this.network.forget(this);
    this.listener.tap.closed(this);
    for (const open of [...this.#open.values()]) open.giveUp();
    this.#open.clear();
  }

  // ---------------------------------------------------------------- at the client

  #returned(bytes: Uint8Array): void {
    const [kind, id, body] = decode(bytes) as [number, number, Uint8Array];
    const calling = this.#calling.get(id);
    if (calling === undefined || !this.#clientOpen) return;
    this.#calling.delete(id);
    if (kind === ANSWER) {
      const { response } = this.listener.calls.codecsOf(WORKFLOW_SERVICE, calling.method);
      calling.resolve(decodeMessage(response, body));
      return;
    }
    const { code, message } = decodeMessage(codecNamed('google.rpc.Status'), body);
    calling.reject(new CallFailed(Number(code), String(message)));
  }

  #endClient(reason: string): void {
    if (!this.#clientOpen) return;
    this.#clientOpen = false;
    this.network.forget(this);
    for (const calling of [...this.#calling.values()])
      calling.reject(new CallFailed(StatusCode.UNAVAILABLE, `${calling.method}: ${reason}`));
    this.#calling.clear();
  }
}

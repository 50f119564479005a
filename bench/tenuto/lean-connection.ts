// The native door with as little of a client as can be: a socket, frames cut by hand, nothing decoded before what came with it was noted. For what
// measures the server through very many connections, where a client's own time would be most of what is seen.

import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { decode, encode } from '../../src/wire/codec.ts';
import { FrameKind, SUBPROTOCOL } from '../../src/wire/frame.ts';

const NO_MASK = Buffer.alloc(4);
const FIN = 0x80;
const BINARY = 2;
const PING = 9;
const PONG = 10;
const MASKED = 0x80;

export interface LeanConnection {
  /** One request at a time: its answer goes to `onAnswer`. */
  ask(method: string, timeoutMs: number, body: object): void;
  close(): void;
}

/** Resolves once the server has said welcome. `onAnswer` gets a response's frame, to be decoded when there is time. */
export async function connectLean(
  address: string,
  onAnswer: (frame: Uint8Array) => void,
  onLost: (why: string) => void,
): Promise<LeanConnection> {
  const [host = '', port = ''] = address.split(':');
  const socket = connect({ host, port: Number(port), noDelay: true });
  await upgrade(socket, address);
  let id = 0;
  let rest: Uint8Array = new Uint8Array(0);
  const welcome = new Promise<void>((resolve) => {
    let welcomed = false;
    socket.on('data', (bytes: Uint8Array) => {
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      for (let message = cut(rest); message !== undefined; message = cut(rest)) {
        rest = rest.subarray(message.end);
        const frame = message.payload;
        if (message.opcode === PING) socket.write(framed(frame, PONG));
        else if (welcomed) onAnswer(frame);
        else {
          welcomed = true;
          resolve();
        }
      }
    });
  });
  socket.on('close', () => onLost('the server closed the connection'));
  const send = (frame: readonly unknown[]): void => void socket.write(framed(encode(frame)));
  send([FrameKind.HELLO, { protocol: [1, 1], client: 'bench', identity: 'bench', capabilities: [] }]);
  await welcome;
  return {
    ask: (method, timeoutMs, body) => send([FrameKind.REQUEST, ++id, method, timeoutMs, body]),
    close: () => {
      socket.removeAllListeners('close');
      socket.destroy();
    },
  };
}

/** @throws Error with what the server refused */
export function answerOf(frame: Uint8Array): unknown {
  const [kind, , body] = decode(frame) as unknown[];
  if (kind !== FrameKind.RESPONSE && kind !== FrameKind.PART)
    throw new Error(`the server refused: ${JSON.stringify(body)}`);
  return body;
}

function upgrade(socket: Socket, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('data', (head: Buffer) => {
      const text = head.toString('latin1');
      // The server says nothing more before hello.
      if (text.startsWith('HTTP/1.1 101') && text.endsWith('\r\n\r\n')) resolve();
      else reject(new Error(`the upgrade was answered ${text.split('\r\n', 1)[0]}`));
    });
    const lines = [
      ...['GET / HTTP/1.1', `Host: ${address}`, 'Connection: Upgrade', 'Upgrade: websocket'],
      ...['Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`],
      `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  });
}

/** Masked with zeros: it is a client's, and costs nothing. */
function framed(payload: Uint8Array, opcode = BINARY): Buffer {
  const { length } = payload;
  const head = length < 126 ? [FIN | opcode, MASKED | length] : [FIN | opcode, MASKED | 126, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(head), NO_MASK, payload]);
}

/** The first message, once it is there as a whole. */
function cut(bytes: Uint8Array): { opcode: number; payload: Uint8Array; end: number } | undefined {
  const short = (bytes[1] ?? 0) & 127;
  const start = short === 126 ? 4 : 2;
  if (bytes.length < start) return undefined;
  if (short === 127) throw new Error('an answer of more than 64 KiB');
  const length = short === 126 ? ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0) : short;
  const end = start + length;
  return bytes.length < end ? undefined : { opcode: (bytes[0] ?? 0) & 15, payload: bytes.subarray(start, end), end };
}

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { COPIED_BYTES, serverFrame } from './server-frame.ts';

const message = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251);

it('is read by a WebSocket client as the message it is, whatever its length, among frames that the library writes', async () => {
  const lengths = [0, 1, 125, 126, 127, 255, 256, 4_095, COPIED_BYTES];
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const server = createServer();
  onTestFinished(() => void server.close());
  server.on('upgrade', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      for (const length of lengths) {
        socket.write(serverFrame(message(length)));
        webSocket.ping();
        webSocket.send(message(length + 1));
      }
      webSocket.close();
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`); // it listens on a port
  const received: Uint8Array[] = [];
  client.on('message', (data: Buffer) => received.push(data));
  await new Promise((resolve, reject) => client.once('close', resolve).once('error', reject));
  expect(received.map((data) => data.length)).toEqual(lengths.flatMap((length) => [length, length + 1]));
  for (const data of received) expect(Buffer.compare(data, message(data.length))).toBe(0);
});

it('is not made of what is too large to copy', () => {
  expect(() => serverFrame(message(COPIED_BYTES + 1))).toThrow(RangeError);
});

// The proxies cut what they are told to cut and nothing else; what TCP would send again is held until the network is mended.

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, connect as dial, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../support/processes.ts';
import { LOCALHOST, Network, type NodePlace } from './network.ts';

const QUIET_MS = 150;

interface Speaker {
  readonly heard: string[];
  send(text: string): void;
}

const speaker = (socket: Socket): Speaker => {
  const heard: string[] = [];
  socket.on('data', (bytes) => heard.push(bytes.toString()));
  return { heard, send: (text) => void socket.write(text) };
};

async function places(): Promise<{ network: Network; a: NodePlace; b: NodePlace }> {
  const network = new Network();
  onTestFinished(() => network.close());
  return { network, a: await network.place('a', undefined), b: await network.place('b', undefined) };
}

/** A connection from a to b's link, by way of the proxy. */
async function connected(a: NodePlace, b: NodePlace): Promise<{ dialer: Speaker; server: Speaker[] }> {
  const server: Speaker[] = [];
  const listening = createServer((socket) => server.push(speaker(socket)));
  await new Promise<void>((resolve) => listening.listen(b.link.port, b.ip, resolve));
  const socket = dial({ host: LOCALHOST, port: Number(b.link.advertise.split(':')[1]), localAddress: a.ip });
  onTestFinished(() => {
    socket.destroy();
    listening.close();
  });
  return { dialer: speaker(socket), server };
}

const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, QUIET_MS));

it('a TCP stream that is cut one way goes on the other way, and loses nothing', async () => {
  const { network, a, b } = await places();
  const { dialer, server } = await connected(a, b);
  const accepted = await until(() => server[0]);
  dialer.send('before ');
  await until(() => (accepted.heard.join('') === 'before ' ? true : undefined));
  network.cuts.oneWay('a', 'b');
  dialer.send('held');
  accepted.send('back');
  await until(() => (dialer.heard.join('') === 'back' ? true : undefined));
  await quiet();
  expect(accepted.heard.join('')).toBe('before ');
  network.cuts.mendAll();
  await until(() => (accepted.heard.join('') === 'before held' ? true : undefined));
});

it('a connection made while either way is cut opens when the network is mended', async () => {
  const { network, a, b } = await places();
  network.cuts.oneWay('b', 'a');
  const { dialer, server } = await connected(a, b);
  dialer.send('hello');
  await quiet();
  expect(server).toHaveLength(0);
  network.cuts.mendAll();
  await until(() => (server[0]?.heard.join('') === 'hello' ? true : undefined));
});

it('packets go both ways, and are lost in the direction that is cut', async () => {
  const { network, a, b } = await places();
  const bound = async (ip: string, port: number): Promise<{ socket: UdpSocket; heard: string[] }> => {
    const heard: string[] = [];
    const socket = createSocket('udp4').on('message', (bytes, from) => {
      heard.push(bytes.toString());
      if (bytes.toString().startsWith('ping')) socket.send('pong', from.port, from.address);
    });
    await new Promise<void>((resolve) => socket.bind(port, ip, resolve));
    onTestFinished(() => void socket.close());
    return { socket, heard };
  };
  const atA = await bound(a.ip, a.gossip.port);
  const atB = await bound(b.ip, b.gossip.port);
  const toB = Number(b.gossip.advertise.split(':')[1]);
  atA.socket.send('ping', toB, LOCALHOST);
  // The answer goes to the address the packet came from, and finds the sender.
  await until(() => (atA.heard.length === 1 ? true : undefined));
  network.cuts.oneWay('b', 'a');
  atA.socket.send('ping again', toB, LOCALHOST);
  await until(() => (atB.heard.length === 2 ? true : undefined));
  await quiet();
  expect(atA.heard).toEqual(['pong']);
});

// An address in front of a node's own, TCP and UDP: passes everything on, both ways, and keeps it, so that a test sees what anybody on the way sees.

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';

const HOST = '127.0.0.1';
/** The free port of UDP may be taken for TCP: another one is tried. */
const PORT_TRIES = 10;

export class WireTap {
  readonly #target: number;
  readonly #server: Server;
  readonly #udp: UdpSocket = createSocket('udp4');
  /** By the sender's port: the socket that stands for it. */
  readonly #faces = new Map<number, UdpSocket>();
  readonly #links = new Set<Socket>();
  /** Each packet, and each direction of each connection. */
  readonly #kept: Buffer[][] = [];
  port = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((near) => this.#link(near));
  }

  static async to(target: number): Promise<WireTap> {
    for (let tries = 1; ; tries += 1) {
      const tap = new WireTap(target);
      try {
        await tap.#open();
        return tap;
      } catch (error) {
        tap.#udp.close();
        if (tries === PORT_TRIES) throw error;
      }
    }
  }

  get address(): string {
    return `${HOST}:${this.port}`;
  }

  /** How much has passed. */
  get bytes(): number {
    return this.#kept.flat().reduce((sum, { length }) => sum + length, 0);
  }

  /** Whether this text has passed as it is. */
  saw(text: string): boolean {
    return this.#kept.some((chunks) => Buffer.concat(chunks).includes(text));
  }

  async close(): Promise<void> {
    for (const link of this.#links) link.destroy();
    for (const socket of [this.#udp, ...this.#faces.values()]) socket.close();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #open(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#udp.once('error', reject).bind(0, HOST, resolve);
    });
    this.port = this.#udp.address().port;
    this.#udp.on('error', () => {});
    this.#udp.on('message', (bytes, { port }) => {
      this.#kept.push([bytes]);
      this.#faceOf(port).send(bytes, this.#target, HOST);
    });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(this.port, HOST, resolve);
    });
  }

  #faceOf(port: number): UdpSocket {
    const known = this.#faces.get(port);
    if (known !== undefined) return known;
    const face = createSocket('udp4');
    this.#faces.set(port, face);
    face.on('error', () => {});
    face.on('message', (bytes) => {
      this.#kept.push([bytes]);
      this.#udp.send(bytes, port, HOST);
    });
    return face;
  }

  #link(near: Socket): void {
    const far = dial({ host: HOST, port: this.#target, noDelay: true });
    near.setNoDelay(true);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      const chunks: Buffer[] = [];
      this.#kept.push(chunks);
      this.#links.add(from);
      from.on('data', (data) => {
        chunks.push(data);
        to.write(data);
      });
      from.on('end', () => to.end());
      from.on('error', () => {});
      from.on('close', () => {
        this.#links.delete(from);
        to.destroy();
      });
    }
  }
}

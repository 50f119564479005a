// Bodies as they come, and what they may take until they are whole.

import { PassThrough } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { Bodies, type Body } from './bodies.ts';

class Sender {
  readonly request = new PassThrough();
  body: Body | undefined;

  constructor(bodies: Bodies) {
    bodies.read(this.request, (body) => {
      this.body = body;
    });
  }

  /** As a request does. */
  send(bytes: Buffer): this {
    this.request.emit('data', bytes);
    return this;
  }

  end(): Body | undefined {
    this.request.emit('end');
    this.request.emit('close');
    return this.body;
  }
}

function memoryOf(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

it('gives a body as it was sent, however it was cut', () => {
  const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, i) => i % 251));
  const sender = new Sender(new Bodies(5_000, 50_000));
  for (let at = 0, i = 1; at < bytes.length; at += i, i = (i * 7) % 1_000) sender.send(bytes.subarray(at, at + i));
  expect(sender.end()).toEqual(bytes);
  expect(new Sender(new Bodies(5_000, 50_000)).end()).toEqual(Buffer.alloc(0));
});

it('keeps of a body in the smallest of pieces little more than its bytes', () => {
  const size = 100_000;
  const sender = new Sender(new Bodies(size, size));
  const before = memoryOf();
  for (let i = 0; i < size; i += 1) sender.send(Buffer.alloc(1));
  expect(memoryOf() - before).toBeLessThan(20 * size);
  expect(sender.end()).toHaveLength(size);
});

it('refuses one that is too large', () => {
  const bodies = new Bodies(1_000, 10_000);
  expect(new Sender(bodies).send(Buffer.alloc(1_000)).send(Buffer.alloc(1)).send(Buffer.alloc(500)).end()).toBe(
    'tooLarge',
  );
});

it('refuses those that come when there are too many, until others are whole or gone', () => {
  const bodies = new Bodies(2_000, 6_000);
  const senders = [1, 2, 3].map(() => new Sender(bodies).send(Buffer.alloc(2_000)));
  const late = (): Body | undefined => new Sender(bodies).send(Buffer.alloc(2_000)).end();
  expect(late()).toBe('tooMany');
  expect(senders[0]?.end()).toHaveLength(2_000);
  expect(late()).toHaveLength(2_000);
  senders[1]?.request.emit('close');
  expect(senders[2]?.end()).toHaveLength(2_000);
  expect(late()).toHaveLength(2_000);
});

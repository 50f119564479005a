// Connections before their hello: how much one of them, and all of them, may send.

import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { Strangers } from './strangers.ts';

class Stranger {
  readonly raw = new PassThrough();
  hasSaidHello = false;
  ended = 0;

  constructor(strangers: Strangers) {
    this.raw.on('data', () => {});
    strangers.watch(this.raw, this, () => {
      this.ended += 1;
    });
  }

  send(bytes: number): this {
    this.raw.emit('data', Buffer.alloc(bytes));
    return this;
  }
}

it('one has room for what a socket reads at once, and no more before its hello', () => {
  const strangers = new Strangers();
  expect(new Stranger(strangers).send(65_536).ended).toBe(0);
  const greedy = new Stranger(strangers).send(65_536).send(1).send(1);
  expect(greedy.ended).toBe(1);
});

it('whoever has said hello is not counted', () => {
  const strangers = new Strangers();
  const known = new Stranger(strangers).send(200);
  known.hasSaidHello = true;
  expect(known.send(65_536).send(65_536).ended).toBe(0);
  expect(known.raw.listenerCount('data')).toBe(1);
});

it('all together have a bound, and leave room when they go', () => {
  const strangers = new Strangers();
  const crowd = Array.from({ length: 256 }, () => new Stranger(strangers).send(65_536));
  expect(crowd.reduce((sum, { ended }) => sum + ended, 0)).toBe(0);
  const late = new Stranger(strangers).send(100);
  expect(late.ended).toBe(1);
  crowd[0]?.raw.emit('close');
  expect(new Stranger(strangers).send(100).ended).toBe(0);
});

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader, frame } from './frames.ts';

function memoryOf(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('frames', () => {
  it('that come in the smallest of pieces take little more than their bytes', () => {
    const size = 100_000;
    const reader = new FrameReader();
    const bytes = frame(Buffer.alloc(size));
    const before = memoryOf();
    for (let at = 0; at < size; at += 1) reader.push(Buffer.from(bytes.subarray(at, at + 1)));
    expect(memoryOf() - before).toBeLessThan(20 * size);
    reader.push(bytes.subarray(size));
    expect(reader.next(size)).toEqual({ type: 'frame', frame: Buffer.alloc(size) });
  });

  it('come out whole however they are cut', () => {
    const frames = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 5 });
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (sent, cuts) => {
        const reader = new FrameReader();
        const received: Buffer[] = [];
        const bytes = Buffer.concat(sent.map(frame));
        for (let at = 0, i = 0; at < bytes.length; i += 1) {
          const cut = cuts[i % cuts.length] ?? 1;
          reader.push(bytes.subarray(at, at + cut));
          at += cut;
          for (let next = reader.next(100); next.type === 'frame'; next = reader.next(100)) received.push(next.frame);
        }
        expect(received).toEqual(sent.map((one) => Buffer.from(one)));
      }),
    );
  });

  it('that claim more than the bound are known by their length', () => {
    const reader = new FrameReader();
    reader.push(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    expect(reader.next(1_000)).toEqual({ type: 'tooLong', length: 0xffff_ffff });
  });
});

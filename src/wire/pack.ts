// MessagePack of plain data, as `encode` in codec.ts wants it: byte for byte what msgpackr writes with its options there, at a third of the
// time. That library asks of each object's each field whether it is its own and among the values to skip; on the hot path that was a tenth of
// a node's CPU. What is not plain (bigint, Map, Date, a class's instance) is left to msgpackr: decision 0022. Called by codec.ts alone.

import { HAS_BUFFERS } from './buffers.ts';

/** Thrown, and caught by `packPlain`: never seen outside. */
const NOT_PLAIN = Symbol('not plain data');

/** Never written to: codec.ts asks nothing of this module then. */
const NO_BUFFER = new Uint8Array(0) as Buffer;
const FIRST_BYTES = 64 * 1024;
/** A scratch that one large value made larger is not kept. */
const MAX_KEPT_BYTES = 1024 * 1024;
/** Beyond so many UTF-16 units the runtime's own writer is faster than a loop. */
const SHORT_TEXT = 64;

let scratch = HAS_BUFFERS ? Buffer.allocUnsafeSlow(FIRST_BYTES) : NO_BUFFER;
let view = new DataView(scratch.buffer);
let at = 0;

/** Small values that are gone soon are written one after the other into a slab, and are pieces of it. */
const SLAB_BYTES = 16 * 1024;
/** With less left, the next value begins a new one. */
const SLAB_LEFT = 2 * 1024;

let slab = HAS_BUFFERS ? Buffer.allocUnsafeSlow(SLAB_BYTES) : NO_BUFFER;
let slabView = new DataView(slab.buffer);
let slabAt = 0;

/**
 * `own`: memory of its own, for what may be kept for long. `shared`: what is small is a piece of a slab, written in place; a piece that is kept keeps the
 * whole slab (16 KiB), so this is for what is gone within moments: frames, and rows until they are flushed.
 */
export type Memory = 'own' | 'shared';

/** Undefined when there is something in `value` that is not plain. */
export function packPlain(value: unknown, memory: Memory = 'own'): Uint8Array | undefined {
  if (memory === 'shared') return packShared(value);
  at = 0;
  try {
    write(value);
    return Uint8Array.prototype.slice.call(scratch, 0, at);
  } catch (thrown) {
    if (thrown === NOT_PLAIN) return undefined;
    throw thrown;
  } finally {
    if (scratch.length > MAX_KEPT_BYTES) resize(FIRST_BYTES, 0);
  }
}

function packShared(value: unknown): Uint8Array | undefined {
  if (slabAt > SLAB_BYTES - SLAB_LEFT) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    slabView = new DataView(slab.buffer);
    slabAt = 0;
  }
  const [ownScratch, ownView, from] = [scratch, view, slabAt];
  scratch = slab;
  view = slabView;
  at = from;
  try {
    write(value);
    // It has outgrown the slab: it goes its own way, and the slab stays as it was.
    if (scratch !== slab) return Uint8Array.prototype.slice.call(scratch, from, at);
    slabAt = at;
    return slab.subarray(from, at);
  } catch (thrown) {
    if (thrown === NOT_PLAIN) return undefined;
    throw thrown;
  } finally {
    scratch = ownScratch;
    view = ownView;
  }
}

function resize(length: number, kept: number): void {
  const larger = Buffer.allocUnsafeSlow(length);
  scratch.copy(larger, 0, 0, kept);
  scratch = larger;
  view = new DataView(larger.buffer);
}

function room(bytes: number): void {
  if (at + bytes > scratch.length) resize(Math.max(scratch.length * 2, at + bytes), at);
}

function write(value: unknown): void {
  switch (typeof value) {
    case 'string':
      writeText(value);
      return;
    case 'number':
      writeNumber(value);
      return;
    case 'boolean':
      room(1);
      scratch[at++] = value ? 0xc3 : 0xc2;
      return;
    case 'undefined':
      // Only in lists: the extension that stands for it.
      room(3);
      scratch[at++] = 0xd4;
      scratch[at++] = 0;
      scratch[at++] = 0;
      return;
    case 'object':
      if (value === null) {
        room(1);
        scratch[at++] = 0xc0;
      } else if (value.constructor === Object) writeMap(value as Readonly<Record<string, unknown>>);
      else if (value.constructor === Array) writeList(value as readonly unknown[]);
      else if (value.constructor === Uint8Array || value.constructor === Buffer) writeBytes(value as Uint8Array);
      else throw NOT_PLAIN;
      return;
    default:
      throw NOT_PLAIN;
  }
}

function writeMap(map: Readonly<Record<string, unknown>>): void {
  room(5);
  const head = at;
  at += 1;
  let fields = 0;
  for (const name in map) {
    const value = map[name];
    if (value === undefined) continue;
    if (fields === 15) {
      // Its length needs two more bytes, or four: rare enough to count first and write again.
      at = head;
      writeLargeMap(map);
      return;
    }
    writeText(name);
    write(value);
    fields += 1;
  }
  scratch[head] = 0x80 | fields;
}

function writeLargeMap(map: Readonly<Record<string, unknown>>): void {
  const fields = Object.keys(map).filter((name) => map[name] !== undefined);
  room(5);
  writeLength(fields.length, 0xde);
  for (const name of fields) {
    writeText(name);
    write(map[name]);
  }
}

function writeList(list: readonly unknown[]): void {
  const { length } = list;
  room(5);
  if (length < 16) scratch[at++] = 0x90 | length;
  else writeLength(length, 0xdc);
  for (let i = 0; i < length; i += 1) write(list[i]);
}

/** Of a map or list, in two bytes or, with the next code, in four. */
function writeLength(length: number, code: number): void {
  if (length < 0x10000) {
    scratch[at++] = code;
    scratch[at++] = length >>> 8;
    scratch[at++] = length;
  } else {
    scratch[at++] = code + 1;
    view.setUint32(at, length);
    at += 4;
  }
}

function writeBytes(bytes: Uint8Array): void {
  const { length } = bytes;
  room(5 + length);
  if (length < 0x100) {
    scratch[at++] = 0xc4;
    scratch[at++] = length;
  } else writeLength(length, 0xc5);
  scratch.set(bytes, at);
  at += length;
}

function writeText(text: string): void {
  const { length } = text;
  // Three bytes per UTF-16 unit is the most UTF-8 needs.
  room(5 + length * 3);
  const head = length < 0x20 ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : 5;
  const from = at + head;
  let end = from;
  if (length < SHORT_TEXT) {
    for (let i = 0; i < length; i += 1) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) {
        end = writeShortUtf8(text, i, end);
        break;
      }
      scratch[end++] = unit;
    }
  } else end += scratch.write(text, from, 'utf8');
  writeTextHead(head, end - from);
}

/** From the unit `i` on. Half a surrogate pair becomes three bytes, as msgpackr has it for short texts. Returns where it ends. */
function writeShortUtf8(text: string, from: number, to: number): number {
  let end = to;
  for (let i = from; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    const code = text.codePointAt(i) ?? unit;
    if (unit < 0x80) scratch[end++] = unit;
    else if (unit < 0x800) {
      scratch[end++] = (unit >> 6) | 0xc0;
      scratch[end++] = (unit & 0x3f) | 0x80;
    } else if (code > 0xffff) {
      scratch[end++] = (code >> 18) | 0xf0;
      scratch[end++] = ((code >> 12) & 0x3f) | 0x80;
      scratch[end++] = ((code >> 6) & 0x3f) | 0x80;
      scratch[end++] = (code & 0x3f) | 0x80;
      i += 1;
    } else {
      scratch[end++] = (unit >> 12) | 0xe0;
      scratch[end++] = ((unit >> 6) & 0x3f) | 0x80;
      scratch[end++] = (unit & 0x3f) | 0x80;
    }
  }
  return end;
}

/** Before the `length` bytes that begin `room` bytes from here; they move on where more than that is needed. */
function writeTextHead(room: number, length: number): void {
  const head = length < 0x20 ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : 5;
  // A text of few units may have many bytes, never fewer.
  if (head > room) scratch.copyWithin(at + head, at + room, at + room + length);
  if (head === 1) scratch[at] = 0xa0 | length;
  else if (head === 2) {
    scratch[at] = 0xd9;
    scratch[at + 1] = length;
  } else if (head === 3) {
    scratch[at] = 0xda;
    scratch[at + 1] = length >>> 8;
    scratch[at + 2] = length;
  } else {
    scratch[at] = 0xdb;
    view.setUint32(at + 1, length);
  }
  at += head + length;
}

function writeNumber(value: number): void {
  room(9);
  if (value >>> 0 === value) {
    if (value < 0x80) scratch[at++] = value;
    else if (value < 0x100) {
      scratch[at++] = 0xcc;
      scratch[at++] = value;
    } else if (value < 0x10000) {
      scratch[at++] = 0xcd;
      scratch[at++] = value >>> 8;
      scratch[at++] = value;
    } else {
      scratch[at++] = 0xce;
      view.setUint32(at, value);
      at += 4;
    }
  } else if (value >> 0 === value) writeNegative(value);
  else {
    // Fractions, and integers beyond 32 bits.
    scratch[at++] = 0xcb;
    view.setFloat64(at, value);
    at += 8;
  }
}

function writeNegative(value: number): void {
  if (value >= -0x20) scratch[at++] = 0x100 + value;
  else if (value >= -0x80) {
    scratch[at++] = 0xd0;
    scratch[at++] = 0x100 + value;
  } else if (value >= -0x8000) {
    scratch[at++] = 0xd1;
    view.setInt16(at, value);
    at += 2;
  } else {
    scratch[at++] = 0xd2;
    view.setInt32(at, value);
    at += 4;
  }
}

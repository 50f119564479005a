// MessagePack back into plain data, the counterpart of pack.ts: the same values as msgpackr makes, in half to two thirds of the time. That library asks
// for each key of each map whether it has met it, and adds it to the object by its name. Here a map that begins like one before is taken to go on
// like it: keys are compared as bytes, and an object of a known shape is made at once, with the hidden class that all of its kind have. Short texts
// that came before are the same string, whose hash is known. What is not plain, and every mistake, is left to msgpackr: decision 0089. Called by
// codec.ts alone.
//
// Any byte may be hostile: not all that is read here was walked before (websocket/skim.ts). So no header is believed about memory, no peer makes what
// is remembered of keys and texts grow beyond its bounds, or makes looking for a key take long; and what is remembered decides about speed alone.

import { HAS_BUFFERS } from './buffers.ts';

/** What stands in for a result when something is not plain, or wrong. Thrown within, never seen outside. */
export const NOT_PLAIN = Symbol('not plain data');

/** Makes an object of the values from `base` on. */
type Make = (values: readonly unknown[], base: number) => Record<string, unknown>;

/** A key that came after the ones above it. */
interface Step {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** Of the bytes: see `hashOf`. */
  readonly hash: number;
  /** All keys up to this one. */
  readonly keys: readonly string[];
  /** Keys that came next, the likelier ones first. */
  readonly next: Step[];
  /** Maps that ended here while there was no function for them. */
  ends: number;
  make: Make | undefined;
}

/** Maps of more fields are rare, and not of the kind that comes again. */
const MAX_FIELDS = 64;
const MAX_KEY_BYTES = 64;
/** Keys kept as the next one after the same ones: maps by ids have no shape, and must not grow a list. */
const MAX_NEXT = 64;
/** A key is compared with the first ones byte by byte, and with the others' hashes: keys that all differ in their last byte alone would take long. */
const MAX_LIKELY = 8;
/** With more, all are forgotten: peers send whatever they like. 25 MB, measured, if all of them are as large as they can be and have functions. */
const MAX_STEPS = 8_192;
/** Maps of one shape that are made key by key before there is a function for it. */
const ENDS_BEFORE_MAKE = 50;
/** Longer texts are not kept. */
const MAX_KEPT_BYTES = 64;
/** A power of two. */
const KEPT_TEXTS = 4_096;
const REPLACED = '\ufffd';
/** Odd, and of this process alone: nobody can send keys that are all the same to it. */
const HASH_FACTOR = 2 * Math.floor(Math.random() * 0x4000_0000) + 1;
const NO_BYTES = new Uint8Array(0);
/** What `toString('utf8', from, to)` calls, of any bytes; missing from Node's types. */
const { utf8Slice } = (HAS_BUFFERS ? Buffer.prototype : {}) as unknown as {
  utf8Slice(this: Uint8Array, from: number, to: number): string;
};

let first: Step[] = [];
let steps = 0;
const texts: string[] = new Array<string>(KEPT_TEXTS).fill('');

let source: Uint8Array = NO_BYTES;
let at = 0;
/** Elements that lists may still have, all of them together. */
let room = 0;
/** Of the maps that are being read, outer ones first. */
const values: unknown[] = [];
let top = 0;

const float = new DataView(new ArrayBuffer(8));

/** One value, which is all there is. Byte strings are views. */
export function unpackPlain(bytes: Uint8Array): unknown {
  begin(bytes);
  try {
    const value = read();
    return at === bytes.length ? value : NOT_PLAIN;
  } catch (error) {
    return notPlain(error);
  } finally {
    source = NO_BYTES;
  }
}

/** One value after the other. */
export function unpackAllPlain(bytes: Uint8Array): unknown[] | typeof NOT_PLAIN {
  begin(bytes);
  try {
    const all: unknown[] = [];
    while (at < bytes.length) all.push(read());
    return at === bytes.length ? all : NOT_PLAIN;
  } catch (error) {
    return notPlain(error);
  } finally {
    source = NO_BYTES;
  }
}

function begin(bytes: Uint8Array): void {
  source = bytes;
  at = 0;
  room = bytes.length;
}

/** Nested too deeply is not plain either: whoever is asked next says so. */
function notPlain(error: unknown): typeof NOT_PLAIN {
  values.length = 0;
  top = 0;
  if (error === NOT_PLAIN || error instanceof RangeError) return NOT_PLAIN;
  throw error;
}

/** Of a byte beyond the end: zero, and what was read is refused since it goes on beyond the end. */
const byte = (): number => source[at++] ?? 0;
const uint16 = (): number => (byte() << 8) | byte();
const uint32 = (): number => ((byte() << 24) | (byte() << 16) | (byte() << 8) | byte()) >>> 0;

function read(): unknown {
  if (at >= source.length) throw NOT_PLAIN;
  const head = byte();
  if (head < 0x80) return head;
  if (head < 0x90) return readMap(head & 0x0f);
  if (head < 0xa0) return readList(head & 0x0f);
  if (head < 0xc0) return readText(head & 0x1f);
  if (head >= 0xe0) return head - 0x100;
  switch (head) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xc4:
      return readBytes(byte());
    case 0xc5:
      return readBytes(uint16());
    case 0xc6:
      return readBytes(uint32());
    case 0xcb:
      return readFloat();
    case 0xcc:
      return byte();
    case 0xcd:
      return uint16();
    case 0xce:
      return uint32();
    case 0xd0:
      return (byte() << 24) >> 24;
    case 0xd1:
      return (uint16() << 16) >> 16;
    case 0xd2:
      return uint32() | 0;
    case 0xd4:
      return readUndefined();
    case 0xd9:
      return readText(byte());
    case 0xda:
      return readText(uint16());
    case 0xdb:
      return readText(uint32());
    case 0xdc:
      return readList(uint16());
    case 0xdd:
      return readList(uint32());
    case 0xde:
      return readMap(uint16());
    case 0xdf:
      return readMap(uint32());
    default:
      throw NOT_PLAIN;
  }
}

function readFloat(): number {
  float.setUint32(0, uint32());
  float.setUint32(4, uint32());
  return float.getFloat64(0);
}

/** The one extension that pack.ts writes, whose byte of data says nothing. */
function readUndefined(): undefined {
  if (byte() !== 0) throw NOT_PLAIN;
  at += 1;
}

/** Where what comes next ends. */
function past(length: number): number {
  const end = at + length;
  if (end > source.length) throw NOT_PLAIN;
  return end;
}

function readBytes(length: number): Uint8Array {
  const from = at;
  at = past(length);
  return source.subarray(from, at);
}

function readList(length: number): unknown[] {
  // Each element takes a byte at least. Not what is left is asked, but what no other list has taken: of lists within lists each could claim all of the rest.
  room -= length;
  if (room < 0) throw NOT_PLAIN;
  const list = new Array<unknown>(length);
  for (let i = 0; i < length; i += 1) list[i] = read();
  return list;
}

function readText(length: number): string {
  const from = at;
  at = past(length);
  if (length === 0) return '';
  if (length > MAX_KEPT_BYTES) return newText(from);
  const slot = slotOf(from, length);
  const kept = texts[slot];
  if (kept !== undefined && kept.length === length && isAt(kept, from)) return kept;
  const text = newText(from);
  // As many units as bytes: all of it is ASCII.
  if (text.length === length) texts[slot] = text;
  return text;
}

/** What is not well-formed is read by msgpackr, whose packer says half of a surrogate pair in its own way. */
function newText(from: number): string {
  const text = utf8Slice.call(source, from, at);
  if (text.includes(REPLACED) && !Buffer.from(text).equals(source.subarray(from, at))) throw NOT_PLAIN;
  return text;
}

/** By the length and some of the bytes: ids differ at their ends, or all over. */
function slotOf(from: number, length: number): number {
  const last = from + length - 1;
  const ends = (source[from] ?? 0) ^ ((source[last] ?? 0) << 5) ^ ((source[last - 1] ?? 0) << 2);
  const within = ((source[from + (length >> 1)] ?? 0) << 4) ^ ((source[from + (length >> 2)] ?? 0) << 7);
  return (ends ^ within ^ (length << 6)) & (KEPT_TEXTS - 1);
}

/** `text` is of ASCII alone: where all units of it are bytes, these bytes are it. */
function isAt(text: string, from: number): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) !== source[from + i]) return false;
  return true;
}

function readMap(fields: number): Record<string, unknown> {
  if (fields === 0) return {};
  if (fields > MAX_FIELDS) throw NOT_PLAIN;
  const base = top;
  let step = readKey(first, undefined);
  for (let i = 1; ; i += 1) {
    const value = read();
    values[top] = value;
    top += 1;
    if (i === fields) break;
    step = readKey(step.next, step);
  }
  const made = step.make === undefined ? makeOf(step)(values, base) : step.make(values, base);
  while (top > base) {
    top -= 1;
    values[top] = undefined;
  }
  return made;
}

function readKey(next: Step[], above: Step | undefined): Step {
  const head = byte();
  const length = head === 0xd9 ? byte() : head & 0x1f;
  if ((head !== 0xd9 && head >> 5 !== 5) || length > MAX_KEY_BYTES) throw NOT_PLAIN;
  const from = at;
  at = past(length);
  for (let i = 0; i < next.length; i += 1) {
    const step = next[i] as Step;
    if (step.bytes.length !== length) continue;
    if (hasBytes(step.bytes, from)) {
      // What came is likelier than before. Written out: as a call it costs a twentieth of a message.
      if (i > 0) {
        next[i] = next[i - 1] as Step;
        next[i - 1] = step;
      }
      return step;
    }
    if (i >= MAX_LIKELY) return readUnlikelyKey(next, above, from, i + 1);
  }
  return newStep(next, above, from);
}

/** The key from `from` to here, which is among those from the `i`th on, or new. */
function readUnlikelyKey(next: Step[], above: Step | undefined, from: number, i: number): Step {
  const hash = hashOf(from);
  const length = at - from;
  for (let j = i; j < next.length; j += 1) {
    const step = next[j] as Step;
    if (step.hash !== hash || step.bytes.length !== length || !hasBytes(step.bytes, from)) continue;
    next[j] = next[j - 1] as Step;
    next[j - 1] = step;
    return step;
  }
  return newStep(next, above, from);
}

/** Of the key from `from` to here. */
function hashOf(from: number): number {
  let hash = 0;
  for (let i = from; i < at; i += 1) hash = (Math.imul(hash, HASH_FACTOR) + (source[i] ?? 0)) | 0;
  return hash;
}

function hasBytes(bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < bytes.length; i += 1) if (bytes[i] !== source[from + i]) return false;
  return true;
}

function newStep(next: Step[], above: Step | undefined, from: number): Step {
  const key = newText(from);
  // It would be no member, but the prototype.
  if (key === '__proto__') throw NOT_PLAIN;
  const bytes = new Uint8Array(at - from);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = source[from + i] ?? 0;
  const step: Step = {
    key,
    bytes,
    hash: hashOf(from),
    keys: [...(above?.keys ?? []), key],
    next: [],
    ends: 0,
    make: undefined,
  };
  steps += 1;
  if (steps > MAX_STEPS) {
    steps = 0;
    first = [];
  }
  if (next.length < MAX_NEXT) next.push(step);
  else next[MAX_NEXT - 1] = step;
  return step;
}

function makeOf(step: Step): Make {
  step.ends += 1;
  if (step.ends === ENDS_BEFORE_MAKE) step.make = compiled(step.keys);
  return step.make ?? byName(step.keys);
}

const byName =
  (keys: readonly string[]): Make =>
  (from, base) => {
    const made: Record<string, unknown> = {};
    for (let i = 0; i < keys.length; i += 1) made[keys[i] as string] = from[base + i];
    return made;
  };

/** Undefined where code may not be made of texts (`--disallow-code-generation-from-strings`). */
function compiled(keys: readonly string[]): Make | undefined {
  const members = keys.map((key, i) => `${JSON.stringify(key)}: values[base + ${i}]`);
  try {
    return new Function('values', 'base', `return { ${members.join(', ')} };`) as Make;
  } catch {
    return undefined;
  }
}

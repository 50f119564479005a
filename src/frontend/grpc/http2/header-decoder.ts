// Headers out of HPACK's bytes (RFC 7541). A client repeats nearly all of its headers with each call, as numbers: what such a number stands for is made once,
// and so is whether a request may have it.

import { decodeHuffman } from './huffman.ts';
import { ConnectionError, ErrorCode } from './protocol.ts';
import { STATIC_HEADERS } from './static-table.ts';

export interface Header {
  /** In lower case, or it is not allowed. */
  readonly name: string;
  /** A character for each byte. */
  readonly value: string;
  readonly place: Place;
}

/** Where a request may have a header. */
export type Place = 'first' | 'later' | 'nowhere';

/** Of a header beside its name and value, as HTTP/2 counts. */
const ENTRY_BYTES = 32;
/** Of what was said before: HPACK's own default, and no client is told that it may have more. */
const TABLE_BYTES = 4_096;
/** Headers there can be of so many bytes. A power of two. */
const TABLE_SLOTS = 128;
/** Of one request. */
const MAX_HEADERS = 128;

const PSEUDO_HEADERS = new Set([':method', ':scheme', ':authority', ':path']);
/** Of HTTP/1.1. */
const OF_CONNECTIONS = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

function placeOf(name: string, value: string): Place {
  if (name.startsWith(':')) return PSEUDO_HEADERS.has(name) ? 'first' : 'nowhere';
  if (name === '' || /[A-Z]/.test(name) || OF_CONNECTIONS.has(name)) return 'nowhere';
  return name === 'te' && value !== 'trailers' ? 'nowhere' : 'later';
}

const headerOf = (name: string, value: string): Header => ({ name, value, place: placeOf(name, value) });

const FIXED: readonly Header[] = STATIC_HEADERS.map(([name, value]) => headerOf(name, value));

export class HeaderDecoder {
  readonly #maxBytes: number;
  /** The newest at `#newest`, those before it at the slots before. */
  readonly #slots: (Header | undefined)[] = [];
  #newest = -1;
  #count = 0;
  #tableBytes = 0;
  #maxTableBytes = TABLE_BYTES;
  #bytes: Buffer = NOTHING;
  #at = 0;
  #end = 0;
  /** Of the last request: what its headers have that were not said before, counted as HTTP/2 does. */
  ownBytes = 0;

  /** @param maxBytes of one request's headers, as HTTP/2 counts them: 32 beside each one's name and value */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Undefined when there are more than they may be. Throws ConnectionError: what comes after could not be understood. */
  decode(bytes: Buffer, start: number, end: number): Header[] | undefined {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.ownBytes = 0;
    const headers: Header[] = [];
    let size = 0;
    while (this.#at < end) {
      const header = this.#next(size === 0);
      if (header === undefined) continue;
      size += sizeOf(header);
      if (size <= this.#maxBytes && headers.length <= MAX_HEADERS) headers.push(header);
    }
    this.#bytes = NOTHING;
    return size <= this.#maxBytes && headers.length <= MAX_HEADERS ? headers : undefined;
  }

  /** Undefined: it was the size of the table. */
  #next(isFirst: boolean): Header | undefined {
    const byte = this.#bytes[this.#at] ?? 0;
    if (byte >= 0x80) return this.#header(this.#integer(7));
    if (byte >= 0x40) {
      const header = this.#literal(6);
      this.#add(header);
      return header;
    }
    if (byte < 0x20) return this.#literal(4);
    if (!isFirst) throw malformed('the size of its table comes after headers');
    this.#resize(this.#integer(5));
    return undefined;
  }

  #literal(prefix: number): Header {
    const index = this.#integer(prefix);
    const name = index === 0 ? this.#text() : this.#header(index).name;
    const header = headerOf(name, this.#text());
    this.ownBytes += sizeOf(header);
    return header;
  }

  #header(index: number): Header {
    const fixed = FIXED[index - 1];
    if (fixed !== undefined) return fixed;
    const before = index - FIXED.length - 1;
    const header = before < 0 || before >= this.#count ? undefined : this.#slots[(this.#newest - before) & SLOT];
    if (header === undefined) throw malformed(`there is no header ${index}`);
    return header;
  }

  #add(header: Header): void {
    const size = sizeOf(header);
    this.#evict(this.#maxTableBytes - size);
    if (size > this.#maxTableBytes) return;
    this.#newest = (this.#newest + 1) & SLOT;
    this.#slots[this.#newest] = header;
    this.#count += 1;
    this.#tableBytes += size;
  }

  #resize(bytes: number): void {
    if (bytes > TABLE_BYTES) throw malformed(`its table has ${bytes} bytes of ${TABLE_BYTES}`);
    this.#maxTableBytes = bytes;
    this.#evict(bytes);
  }

  #evict(bytes: number): void {
    while (this.#count > 0 && this.#tableBytes > bytes) {
      const slot = (this.#newest - this.#count + 1) & SLOT;
      const oldest = this.#slots[slot];
      this.#slots[slot] = undefined;
      this.#count -= 1;
      if (oldest !== undefined) this.#tableBytes -= sizeOf(oldest);
    }
  }

  #text(): string {
    const isCoded = (this.#bytes[this.#at] ?? 0) >= 0x80;
    const length = this.#integer(7);
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) throw malformed('a text is cut off');
    this.#at = end;
    return isCoded ? decodeHuffman(this.#bytes, start, end) : this.#bytes.toString('latin1', start, end);
  }

  /** @param prefix bits of the first byte that belong to it */
  #integer(prefix: number): number {
    if (this.#at >= this.#end) throw malformed('a number is cut off');
    const most = (1 << prefix) - 1;
    let value = (this.#bytes[this.#at++] ?? 0) & most;
    if (value < most) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.#at >= this.#end) throw malformed('a number is cut off');
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw malformed('a number is too large');
  }
}

const NOTHING = Buffer.alloc(0);
const SLOT = TABLE_SLOTS - 1;

const sizeOf = ({ name, value }: Header): number => name.length + value.length + ENTRY_BYTES;

const malformed = (message: string): ConnectionError => new ConnectionError(ErrorCode.COMPRESSION_ERROR, message);

/** Whether a request may have these: what makes it one comes first, each once; nothing of HTTP/1.1's. */
export function isRequest(headers: readonly Header[]): boolean {
  let first = 0;
  let needed = 0;
  for (let at = 0; at < headers.length; at += 1) {
    const header = headers[at];
    if (header === undefined || header.place === 'later') continue;
    if (header.place === 'nowhere' || first !== at) return false;
    for (let before = 0; before < at; before += 1) if (headers[before]?.name === header.name) return false;
    first += 1;
    if (header.name !== ':authority' && header.value !== '') needed += 1;
  }
  return needed === NEEDED;
}

/** `:method`, `:scheme` and `:path`. */
const NEEDED = 3;

/** Whether a request may end with these. */
export const isTrailers = (headers: readonly Header[]): boolean => headers.every(({ place }) => place === 'later');

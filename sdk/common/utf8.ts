// UTF-8 without TextEncoder, which the deterministic realm does not have. Where the host offers TextEncoder it is used: the
// results are the same to the byte (lone surrogates and malformed bytes become U+FFFD), so replay cannot tell the difference.

interface HostCodec {
  encode(text: string): Uint8Array;
  decode(bytes: Uint8Array): string;
}

function findHostCodec(): HostCodec | undefined {
  if (typeof TextEncoder === 'undefined' || typeof TextDecoder === 'undefined') return undefined;
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return { encode: (text) => encoder.encode(text), decode: (bytes) => decoder.decode(bytes) };
}

let host = findHostCodec();
/** Length from which the host is asked. */
let hostFrom = 0;

/**
 * @internal For the realm, which has no TextEncoder but a host that does: asking it costs more than a short text takes here.
 *
 * @param from Length, in UTF-16 units or bytes, from which the host is asked.
 */
export function setHostCodec(codec: HostCodec, from: number): void {
  host = codec;
  hostFrom = from;
}

/** The UTF-8 bytes of `text`. Lone surrogates become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return host === undefined || text.length < hostFrom ? encodeUtf8Portable(text) : host.encode(text);
}

/** The text of UTF-8 `bytes`. Malformed sequences become U+FFFD; a byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string {
  return host === undefined || bytes.length < hostFrom ? decodeUtf8Portable(bytes) : host.decode(bytes);
}

/** @internal Exported for its test. */
export function encodeUtf8Portable(text: string): Uint8Array {
  // A UTF-16 unit never takes more than 3 bytes.
  const out = new Uint8Array(text.length * 3);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code >= 0xd800 && code <= 0xdfff) {
      const low = code < 0xdc00 && i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
      if (low >= 0xdc00 && low <= 0xdfff) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        i++;
      } else {
        code = 0xfffd;
      }
    }
    if (code < 0x80) {
      out[length++] = code;
    } else if (code < 0x800) {
      out[length++] = 0xc0 | (code >> 6);
      out[length++] = 0x80 | (code & 0x3f);
    } else if (code < 0x10000) {
      out[length++] = 0xe0 | (code >> 12);
      out[length++] = 0x80 | ((code >> 6) & 0x3f);
      out[length++] = 0x80 | (code & 0x3f);
    } else {
      out[length++] = 0xf0 | (code >> 18);
      out[length++] = 0x80 | ((code >> 12) & 0x3f);
      out[length++] = 0x80 | ((code >> 6) & 0x3f);
      out[length++] = 0x80 | (code & 0x3f);
    }
  }
  return out.slice(0, length);
}

/** @internal Exported for its test. */
export function decodeUtf8Portable(bytes: Uint8Array): string {
  const parts: string[] = [];
  let units: number[] = [];
  let i = 0;
  while (i < bytes.length) {
    const [code, consumed] = decodeOne(bytes, i);
    i += consumed;
    if (code < 0x10000) {
      units.push(code);
    } else {
      units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
    }
    // String.fromCharCode takes its units as arguments: keep them well below any engine's limit.
    if (units.length >= 4096) {
      parts.push(String.fromCharCode(...units));
      units = [];
    }
  }
  parts.push(String.fromCharCode(...units));
  return parts.join('');
}

/** One code point at `at` and the bytes it took; a malformed sequence gives U+FFFD for its longest valid prefix (WHATWG's rule). */
function decodeOne(bytes: Uint8Array, at: number): [code: number, consumed: number] {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return [first, 1];
  let needed: number;
  let lower = 0x80;
  let upper = 0xbf;
  let code: number;
  if (first >= 0xc2 && first <= 0xdf) {
    needed = 1;
    code = first & 0x1f;
  } else if (first >= 0xe0 && first <= 0xef) {
    needed = 2;
    code = first & 0x0f;
    if (first === 0xe0) lower = 0xa0;
    if (first === 0xed) upper = 0x9f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    needed = 3;
    code = first & 0x07;
    if (first === 0xf0) lower = 0x90;
    if (first === 0xf4) upper = 0x8f;
  } else {
    return [0xfffd, 1];
  }
  for (let n = 1; n <= needed; n++) {
    const next = bytes[at + n];
    if (next === undefined || next < lower || next > upper) return [0xfffd, n];
    code = (code << 6) | (next & 0x3f);
    lower = 0x80;
    upper = 0xbf;
  }
  return [code, needed + 1];
}

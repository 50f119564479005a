// Which core a new connection is for: clients that know the cores say so at the very beginning, in the path of the WebSocket upgrade (`/cores/2`) or,
// where TLS hides that, in the ALPN list of the ClientHello (`tenuto-core/2`, RFC 7301). Pure; the bytes are a stranger's.

/** `more`: not to be told from so few bytes. `any`: it names none. */
export type Wanted = { readonly type: 'core'; readonly core: number } | { readonly type: 'any' | 'more' };

/** What is read of a connection at most before it goes to any core, which answers or refuses it: bytes. */
export const MAX_HEAD_BYTES = 16 * 1024;
export const CORE_PROTOCOL = 'tenuto-core/';

const ANY: Wanted = { type: 'any' };
const MORE: Wanted = { type: 'more' };
/** RFC 9112: method and target, before the version. */
const REQUEST_LINE = /^[A-Z]{1,16} \/cores\/(\d{1,4})(?:\?[^ ]*)? HTTP\//;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const ALPN = 16;

export function corePath(core: number): string {
  return `/cores/${core}`;
}

export function wantedOfRequest(head: Buffer): Wanted {
  const end = head.indexOf('\r\n');
  if (end === -1) return head.length >= MAX_HEAD_BYTES ? ANY : MORE;
  const core = REQUEST_LINE.exec(head.toString('latin1', 0, end))?.[1];
  return core === undefined ? ANY : { type: 'core', core: Number(core) };
}

/** RFC 8446 §4.1.2. One record holds it unless the client splits it, which none of ours does: then any core serves. */
export function wantedOfHello(head: Buffer): Wanted {
  if (head.length < 5) return MORE;
  const end = 5 + head.readUInt16BE(3);
  if (head[0] !== HANDSHAKE || end > MAX_HEAD_BYTES) return ANY;
  if (head.length < end) return MORE;
  try {
    for (const name of alpnOf(new Reader(head.subarray(5, end)))) {
      if (name.startsWith(CORE_PROTOCOL) && /^\d{1,4}$/.test(name.slice(CORE_PROTOCOL.length)))
        return { type: 'core', core: Number(name.slice(CORE_PROTOCOL.length)) };
    }
  } catch (error) {
    // No ClientHello, or a broken one: the core that gets it says so.
    if (!(error instanceof RangeError)) throw error;
  }
  return ANY;
}

function alpnOf(hello: Reader): string[] {
  if (hello.number(1) !== CLIENT_HELLO) return [];
  const body = hello.block(3);
  // Version and random.
  body.skip(34);
  body.block(1);
  body.block(2);
  body.block(1);
  const extensions = body.block(2);
  while (!extensions.done) {
    const type = extensions.number(2);
    const extension = extensions.block(2);
    if (type !== ALPN) continue;
    const list = extension.block(2);
    const names: string[] = [];
    while (!list.done) names.push(list.block(1).text());
    return names;
  }
  return [];
}

/** Reads what TLS writes: numbers, and blocks with their length before them. Throws RangeError past the end. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  number(bytes: 1 | 2 | 3): number {
    const value = this.#bytes.readUIntBE(this.#at, bytes);
    this.#at += bytes;
    return value;
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  block(lengthBytes: 1 | 2 | 3): Reader {
    const length = this.number(lengthBytes);
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('a block longer than what holds it');
    const block = new Reader(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return block;
  }

  text(): string {
    return this.#bytes.toString('latin1', this.#at);
  }
}

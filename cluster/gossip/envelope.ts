// What every packet and stream frame is wrapped in. It says which cluster it belongs to, so that a foreigner is told and not parsed, and is
// either checked (CRC-32) or sealed (AES-256-GCM, cluster id and header authenticated with it, each message of a sender accepted once).
//
//   0  'Tg'      4  tag of the cluster id     plain:   8  crc32      12  body
//   2  version                                sealed:  8  key id     12  sender   20  counter   26  ciphertext, tag (16)
//   3  kind                                   refusal: 8  reason
//
// The first eight bytes and refusals stay as they are in every version, so that versions can tell each other that they differ.

import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { crcOver } from '../../src/ports/crc.ts';
import { isIn, type KeptFormat, VERSIONS } from '../../src/wire/versions.ts';
import { REASONS, type RefusalReason } from './core/refusal.ts';
import { type Keyring, senderKey } from './keyring.ts';
import { ReplayGuard } from './replay-guard.ts';

const MAGIC = 0x5467;
const PLAIN = 0;
const SEALED = 1;
const REFUSAL = 2;

const HEADER_BYTES = 8;
const CRC_BYTES = 4;
const KEY_ID_BYTES = 4;
const SENDER_BYTES = 8;
const COUNTER_BYTES = 6;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const SENDER_AT = HEADER_BYTES + KEY_ID_BYTES;
const COUNTER_AT = SENDER_AT + SENDER_BYTES;
const CIPHERTEXT_AT = COUNTER_AT + COUNTER_BYTES;

/** Senders remembered, those heard longest ago forgotten first (I9). What a forgotten one said may be replayed, once. */
const MAX_SENDERS = 8_192;

export type Opened =
  | { readonly type: 'body'; readonly body: Buffer }
  /** Not for us, or we not for it. */
  | { readonly type: 'stranger'; readonly reason: RefusalReason }
  /** It says that it does not listen to us. */
  | { readonly type: 'refusal'; readonly reason: RefusalReason }
  | { readonly type: 'garbage'; readonly why: string };

interface Sender {
  readonly key: Buffer;
  readonly guard: ReplayGuard;
}

export class Envelopes {
  readonly #clusterId: Buffer;
  readonly #tag: Buffer;
  readonly #keyring: Keyring | undefined;
  readonly #format: KeptFormat;
  readonly #self = randomBytes(SENDER_BYTES);
  #counter = 0;
  /** Our derived key, of the key it was derived from. */
  #own: { id: string; key: Buffer } | undefined;
  /** By key id and sender; in the order in which they were last heard. */
  readonly #senders = new Map<string, Sender>();

  constructor(clusterId: string, keyring: Keyring | undefined, format = VERSIONS.kept.gossipEnvelope) {
    this.#format = format;
    this.#clusterId = Buffer.from(clusterId, 'utf8');
    this.#tag = createHash('sha256').update('tenuto cluster\0').update(this.#clusterId).digest().subarray(0, 4);
    this.#keyring = keyring;
  }

  /** Sealed when there are keys. */
  wrap(body: Uint8Array): Buffer {
    return this.#keyring === undefined ? this.#plain(body) : this.#seal(this.#keyring, body);
  }

  /** Short and readable by anybody: it answers those who cannot read us. */
  refusal(reason: RefusalReason): Buffer {
    const bytes = Buffer.alloc(HEADER_BYTES + 1);
    this.#header(bytes, REFUSAL);
    bytes[HEADER_BYTES] = REASONS.indexOf(reason);
    return bytes;
  }

  /** Never throws, whatever the bytes. */
  open(bytes: Uint8Array): Opened {
    const packet = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (packet.length <= HEADER_BYTES || packet.readUInt16BE(0) !== MAGIC) return garbage('it is not gossip');
    const kind = packet[3];
    if (kind === REFUSAL) {
      const reason = REASONS[packet[HEADER_BYTES] ?? -1];
      return reason === undefined ? garbage('a refusal for no known reason') : { type: 'refusal', reason };
    }
    if (!isIn(packet[2] ?? 0, this.#format.reads)) return stranger('incompatibleVersion');
    if (!packet.subarray(4, HEADER_BYTES).equals(this.#tag)) return stranger('foreignCluster');
    switch (kind) {
      case PLAIN:
        return this.#keyring === undefined ? this.#check(packet) : stranger('notEncrypted');
      case SEALED:
        return this.#keyring === undefined ? stranger('encrypted') : this.#unseal(this.#keyring, packet);
      default:
        return garbage('it is of no known kind');
    }
  }

  #header(bytes: Buffer, kind: number): void {
    bytes.writeUInt16BE(MAGIC, 0);
    bytes[2] = this.#format.writes;
    bytes[3] = kind;
    this.#tag.copy(bytes, 4);
  }

  #plain(body: Uint8Array): Buffer {
    const bytes = Buffer.allocUnsafe(HEADER_BYTES + CRC_BYTES + body.length);
    this.#header(bytes, PLAIN);
    bytes.set(body, HEADER_BYTES + CRC_BYTES);
    bytes.writeUInt32BE(this.#crcOf(body), HEADER_BYTES);
    return bytes;
  }

  #check(packet: Buffer): Opened {
    if (packet.length < HEADER_BYTES + CRC_BYTES) return garbage('it is shorter than its checksum');
    const body = packet.subarray(HEADER_BYTES + CRC_BYTES);
    if (packet.readUInt32BE(HEADER_BYTES) !== this.#crcOf(body)) return garbage('its checksum does not match');
    return { type: 'body', body };
  }

  /** Seeded with the whole cluster id: the tag is only a hash of it. */
  #crcOf(body: Uint8Array): number {
    return crcOver(body, crcOver(this.#clusterId, 0));
  }

  #seal(keyring: Keyring, body: Uint8Array): Buffer {
    const { id, bytes: key } = keyring.primary;
    if (this.#own?.id !== id) this.#own = { id, key: senderKey(key, this.#self) };
    const head = Buffer.alloc(CIPHERTEXT_AT);
    this.#header(head, SEALED);
    head.write(id, HEADER_BYTES, 'hex');
    this.#self.copy(head, SENDER_AT);
    head.writeUIntBE((this.#counter += 1), COUNTER_AT, COUNTER_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#own.key, nonceOf(head), { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.concat([head, this.#clusterId]));
    return Buffer.concat([head, cipher.update(body), cipher.final(), cipher.getAuthTag()]);
  }

  #unseal(keyring: Keyring, packet: Buffer): Opened {
    if (packet.length < CIPHERTEXT_AT + TAG_BYTES) return garbage('it is shorter than its seal');
    const senderBytes = packet.subarray(SENDER_AT, COUNTER_AT);
    if (senderBytes.equals(this.#self)) return stranger('yourself');
    const name = packet.toString('hex', HEADER_BYTES, COUNTER_AT);
    // The keyring is asked each time: a key that was removed opens nothing.
    const key = keyring.find(name.slice(0, 2 * KEY_ID_BYTES));
    if (key === undefined) return stranger('unknownKey');
    const sender = this.#senders.get(name) ?? { key: senderKey(key.bytes, senderBytes), guard: new ReplayGuard() };
    const head = packet.subarray(0, CIPHERTEXT_AT);
    const decipher = createDecipheriv('aes-256-gcm', sender.key, nonceOf(head), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.concat([head, this.#clusterId]));
    decipher.setAuthTag(packet.subarray(-TAG_BYTES));
    let body: Buffer;
    try {
      body = Buffer.concat([decipher.update(packet.subarray(CIPHERTEXT_AT, -TAG_BYTES)), decipher.final()]);
    } catch {
      return garbage('its seal is broken');
    }
    // Only now: nobody without the key may fill the memory of senders, or use up their numbers.
    this.#remember(name, sender);
    if (!sender.guard.accept(packet.readUIntBE(COUNTER_AT, COUNTER_BYTES))) return garbage('it was received before');
    return { type: 'body', body };
  }

  #remember(name: string, sender: Sender): void {
    this.#senders.delete(name);
    this.#senders.set(name, sender);
    if (this.#senders.size <= MAX_SENDERS) return;
    for (const oldest of this.#senders.keys()) {
      this.#senders.delete(oldest);
      return;
    }
  }
}

/** Unique for the key: it is the sender's own, and the counter never repeats. */
function nonceOf(head: Buffer): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  head.copy(nonce, NONCE_BYTES - COUNTER_BYTES, COUNTER_AT, CIPHERTEXT_AT);
  return nonce;
}

const garbage = (why: string): Opened => ({ type: 'garbage', why });
const stranger = (reason: RefusalReason): Opened => ({ type: 'stranger', reason });

// What one node says to another in one tick: the messages of all their shards, and the heartbeats of the pair. MessagePack lists, bounded in
// every dimension. Bytes from a socket are hostile: what is not a frame is a value that says why, never an exception.

import { type Lsn, lsn, type ShardId, shardId, type Term, term } from '../../../src/ports/ids.ts';
import type { LogEntry } from '../../../src/ports/store.ts';
import { decode, encode } from '../../../src/wire/codec.ts';
import { isIn, rangeText, VERSIONS, type VersionRange } from '../../../src/wire/versions.ts';
import { decodeConfiguration, encodeConfiguration } from '../core/configuration.ts';
import type { Position } from '../core/log.ts';
import type { LogEnd, Message, SnapshotMeta } from '../core/message.ts';
import type { Beat, BeatReply, ShardBeat } from './beats.ts';

export interface ShardMessage {
  readonly shard: ShardId;
  readonly message: Message;
}

export interface Frame {
  /** Made anew by each start of the sender: heartbeat sets do not outlive it. */
  readonly session: number;
  readonly messages: readonly ShardMessage[];
  readonly beat: Beat | undefined;
  /** To a beat of the receiver's session `to`. */
  readonly reply: (BeatReply & { readonly to: number }) | undefined;
}

const FORMAT = VERSIONS.kept.replicationFrame;
/** A frame larger than this is not decoded: one entry of 4 MiB and its head fit many times. */
export const MAX_FRAME_BYTES = 48 * 1024 * 1024;
/** Of shards and messages in one frame. */
const MAX_ITEMS = 65_536;
const MAX_ID_CHARS = 256;
const MAX_NUMBER = 2 ** 48 - 1;
const MAX_U32 = 2 ** 32 - 1;

const TYPES = [
  'preVote',
  'preVoteReply',
  'vote',
  'voteReply',
  'append',
  'appendReply',
  'appendRefusal',
  'resend',
  'heartbeat',
  'heartbeatReply',
  'snapshotChunk',
  'snapshotReply',
  'timeoutNow',
  'newerTerm',
] as const satisfies readonly Message['type'][];

// ---------------------------------------------------------------- encoding

export function encodeFrame({ session, messages, beat, reply }: Frame, version = FORMAT.writes): Uint8Array {
  return encode([
    version,
    session,
    messages.map(({ shard, message }) => [shard, TYPES.indexOf(message.type), message.term, ...fieldsOf(message)]),
    beat === undefined
      ? null
      : [
          beat.round,
          beat.base,
          beat.next,
          beat.changed.map((one) => [one.shard, one.term, one.commit]),
          beat.gone,
          beat.scope === 'all' ? 1 : 0,
        ],
    reply === undefined ? null : [reply.to, reply.round, reply.version, reply.state === 'taken' ? 1 : 0, reply.silent],
  ]);
}

function fieldsOf(message: Message): unknown[] {
  switch (message.type) {
    case 'preVote':
      return [message.end.term, message.end.lsn];
    case 'vote':
      return [message.end.term, message.end.lsn, message.reason === 'transfer' ? 1 : 0];
    case 'preVoteReply':
    case 'voteReply':
      return [message.answer === 'granted' ? 1 : 0];
    case 'append': {
      const { previous, commit, entries } = message;
      // Lsns follow from where the list begins.
      return [previous.lsn, previous.term, previous.chain, commit, entries.flatMap((e) => [e.term, e.chain, e.entry])];
    }
    case 'appendReply':
      return [message.match];
    case 'appendRefusal':
      return [message.rejected, message.hint.term, message.hint.lsn];
    case 'resend':
      return [message.from];
    case 'heartbeat':
      return [message.commit, message.round];
    case 'heartbeatReply':
      return [message.round];
    case 'snapshotChunk': {
      const { meta, chunk } = message;
      const { index, bytes, digest, place } = chunk;
      const about = [meta.id, meta.lsn, meta.term, meta.chain, encodeConfiguration(meta.configuration)];
      return [...about, index, bytes, digest, place === 'last' ? 1 : 0];
    }
    case 'snapshotReply':
      return [message.id, message.next, message.state === 'installed' ? 1 : 0];
    case 'timeoutNow':
    case 'newerTerm':
      return [];
  }
}

// ---------------------------------------------------------------- decoding

export type Decoded = { frame: Frame } | { refused: string };

class BadFrame extends Error {}

/** Views of `bytes` in the result: copy what outlives them. */
export function decodeFrame(bytes: Uint8Array, shardCount: number, reads = FORMAT.reads): Decoded {
  if (bytes.length > MAX_FRAME_BYTES)
    return { refused: `a frame of ${bytes.length} bytes, more than ${MAX_FRAME_BYTES}` };
  try {
    return { frame: readFrame(new Fields(decode(bytes)), shardCount, reads) };
  } catch (error) {
    return { refused: error instanceof BadFrame ? error.message : 'the bytes are no MessagePack' };
  }
}

function readFrame(fields: Fields, shardCount: number, reads: VersionRange): Frame {
  const version = fields.number();
  if (!isIn(version, reads))
    throw new BadFrame(`version ${version} of the frame, and ${rangeText(reads)} is read here`);
  const shard = (of: Fields): ShardId => shardId(of.number(shardCount - 1));
  const session = fields.number();
  const messages = fields.list().map((one) => {
    const each = new Fields(one);
    return { shard: shard(each), message: readMessage(each) };
  });
  const beat = fields.optional((of): Beat => {
    const [round, base, next] = [of.number(), of.number(), of.number()];
    const changed = of.list().map((one): ShardBeat => {
      const each = new Fields(one);
      return { shard: shard(each), term: each.term(), commit: each.lsn() };
    });
    const gone = of.list().map((one) => shard(new Fields([one])));
    return { round, base, next, changed, gone, scope: of.flag() ? 'all' : 'listed' };
  });
  const reply = fields.optional((of) => {
    const [to, round, version] = [of.number(), of.number(), of.number()];
    const state = of.flag() ? ('taken' as const) : ('unknown' as const);
    return { to, round, version, state, silent: of.list().map((one) => shard(new Fields([one]))) };
  });
  return { session, messages, beat, reply };
}

function readMessage(of: Fields): Message {
  const type = TYPES[of.number(TYPES.length - 1)] as (typeof TYPES)[number]; // the bound makes it one
  const inTerm = of.term();
  switch (type) {
    case 'preVote':
      return { type, term: inTerm, end: of.end() };
    case 'vote':
      return { type, term: inTerm, end: of.end(), reason: of.flag() ? 'transfer' : 'timeout' };
    case 'preVoteReply':
    case 'voteReply':
      return { type, term: inTerm, answer: of.flag() ? 'granted' : 'refused' };
    case 'append': {
      const previous = of.position();
      const commit = of.lsn();
      return { type, term: inTerm, previous, commit, entries: readEntries(of.list(), previous.lsn) };
    }
    case 'appendReply':
      return { type, term: inTerm, match: of.lsn() };
    case 'appendRefusal':
      return { type, term: inTerm, rejected: of.lsn(), hint: of.end() };
    case 'resend':
      return { type, term: inTerm, from: of.lsn() };
    case 'heartbeat':
      return { type, term: inTerm, commit: of.lsn(), round: of.number() };
    case 'heartbeatReply':
      return { type, term: inTerm, round: of.number() };
    case 'snapshotChunk': {
      const meta = of.meta();
      const [index, bytes, digest] = [of.number(MAX_U32), of.bytes(), of.number(MAX_U32)];
      if (!isRows(bytes)) throw new BadFrame('a chunk of a snapshot without rows');
      return { type, term: inTerm, meta, chunk: { index, bytes, digest, place: of.flag() ? 'last' : 'middle' } };
    }
    case 'snapshotReply': {
      const [id, next] = [of.text(), of.number(MAX_U32)];
      return { type, term: inTerm, id, next, state: of.flag() ? 'installed' : 'receiving' };
    }
    case 'timeoutNow':
    case 'newerTerm':
      return { type, term: inTerm };
  }
}

function readEntries(list: readonly unknown[], after: Lsn): LogEntry[] {
  const entries: LogEntry[] = [];
  const of = new Fields(list);
  for (let at = after + 1; !of.done; at += 1) {
    if (at > MAX_NUMBER) throw new BadFrame('an lsn out of range');
    entries.push({ lsn: lsn(at), term: of.term(), chain: of.number(MAX_U32), entry: of.bytes() });
  }
  return entries;
}

/** What the store will take: a list of keys and values. */
function isRows(bytes: Uint8Array): boolean {
  const items = decode(bytes);
  return Array.isArray(items) && items.length % 2 === 0 && items.every((item) => item instanceof Uint8Array);
}

/** Values in order, each checked as it is taken. */
class Fields {
  readonly #values: readonly unknown[];
  #at = 0;

  constructor(value: unknown) {
    if (!Array.isArray(value)) throw new BadFrame('a value is no list');
    if (value.length > 3 * MAX_ITEMS) throw new BadFrame(`a list of ${value.length} values`);
    this.#values = value;
  }

  get done(): boolean {
    return this.#at >= this.#values.length;
  }

  number(max = MAX_NUMBER): number {
    const value = this.#next();
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) {
      throw new BadFrame('a number is missing or out of range');
    }
    return value;
  }

  term(): Term {
    return term(this.number());
  }

  lsn(): Lsn {
    return lsn(this.number());
  }

  flag(): boolean {
    return this.number(1) === 1;
  }

  text(): string {
    const value = this.#next();
    if (typeof value !== 'string' || value.length > MAX_ID_CHARS) throw new BadFrame('a name is missing or too long');
    return value;
  }

  bytes(): Uint8Array {
    const value = this.#next();
    if (!(value instanceof Uint8Array)) throw new BadFrame('bytes are missing');
    return value;
  }

  list(): readonly unknown[] {
    const value = this.#next();
    if (!Array.isArray(value) || value.length > 3 * MAX_ITEMS) throw new BadFrame('a list is missing or too long');
    return value;
  }

  end(): LogEnd {
    return { term: this.term(), lsn: this.lsn() };
  }

  position(): Position {
    return { lsn: this.lsn(), term: this.term(), chain: this.number(MAX_U32) };
  }

  meta(): SnapshotMeta {
    const id = this.text();
    const position = this.position();
    const configuration = decodeConfiguration(this.bytes());
    if (configuration === undefined) throw new BadFrame('a snapshot without a configuration');
    return { ...position, id, configuration };
  }

  optional<T>(read: (of: Fields) => T): T | undefined {
    const value = this.#next();
    return value === null ? undefined : read(new Fields(value));
  }

  #next(): unknown {
    const value = this.#values[this.#at];
    this.#at += 1;
    return value;
  }
}

/** Entries are kept: their bytes are copied out of the frame, which is as large as all of a tick. Chunks are staged in the same turn. */
export function owned(message: Message): Message {
  if (message.type === 'append') {
    return { ...message, entries: message.entries.map((entry) => ({ ...entry, entry: new Uint8Array(entry.entry) })) };
  }
  if (message.type !== 'snapshotChunk') return message;
  return { ...message, chunk: { ...message.chunk, bytes: new Uint8Array(message.chunk.bytes) } };
}

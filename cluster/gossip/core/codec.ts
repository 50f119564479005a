// Messages as bytes: each an array, its type first, written one after the other. Reading checks every field against its bound (I9), so that
// what comes out can be trusted to have the shape its type says. Unknown types and further elements are skipped: a later version may send them.

import { encode } from '../../../src/wire/codec.ts';
import { STATES } from './member.ts';
import type { AliveClaim, DigestEntry, MemberRecord, Message } from './messages.ts';
import { DRAININGS, metaProblem, type NodeMeta } from './meta.ts';
import { Malformed, readValues, type Value } from './reader.ts';
import { REASONS } from './refusal.ts';

/** Order is wire format: append only. */
const TYPES: readonly Message['type'][] = [
  'ping',
  'ack',
  'nack',
  'pingRequest',
  'alive',
  'suspect',
  'dead',
  'left',
  'load',
  'refused',
  'sync',
  'syncReply',
  'syncClose',
];

const U32 = 0xffff_ffff;
/** Far above what accusations can reach in the life of a cluster, and far below where numbers stop counting. */
export const MAX_INCARNATION = 0xffff_ffff_ffff;

export function encodeMessage(message: Message): Uint8Array {
  return encode([TYPES.indexOf(message.type), ...fieldsOf(message)]);
}

export function encodeMessages(messages: readonly Message[]): Uint8Array {
  return Buffer.concat(messages.map(encodeMessage));
}

function fieldsOf(message: Message): unknown[] {
  switch (message.type) {
    case 'ping':
    case 'pingRequest':
      return [message.seq, message.target, message.from];
    case 'ack':
    case 'nack':
      return [message.seq];
    case 'alive':
      return [message.incarnation, message.load, message.loadVersion, metaFields(message.meta)];
    case 'suspect':
    case 'dead':
      return [message.name, message.incarnation, message.from];
    case 'left':
      return [
        message.name,
        message.incarnation,
        ...(message.draining === undefined ? [] : [DRAININGS.indexOf(message.draining)]),
      ];
    case 'load':
      return [message.name, message.instance, message.load, message.loadVersion];
    case 'refused':
      return [
        REASONS.indexOf(message.reason),
        message.name,
        message.instance,
        message.by,
        Math.round(message.uptimeMs),
      ];
    case 'sync':
      return [message.id, message.wallMs, recordFields(message.self), message.digest.map(digestFields)];
    case 'syncReply':
      return [message.id, message.wallMs, message.from, message.records.map(recordFields), message.wants];
    case 'syncClose':
      return [message.from, message.records.map(recordFields)];
  }
}

function metaFields(meta: NodeMeta): unknown[] {
  const { gossip, client, link } = meta.addresses;
  return [
    meta.name,
    meta.directoryId,
    meta.instance,
    [gossip, client, link],
    meta.roles,
    meta.zone,
    meta.version,
    meta.protocol.min,
    meta.protocol.max,
    meta.startedAtMs,
    DRAININGS.indexOf(meta.draining),
    Math.round(meta.weight * 100),
  ];
}

const recordFields = (record: MemberRecord): unknown[] => [
  record.incarnation,
  record.load,
  record.loadVersion,
  metaFields(record.meta),
  STATES.indexOf(record.state),
  record.ageMs,
];

const digestFields = ({ name, incarnation, state }: DigestEntry): unknown[] => [
  name,
  incarnation,
  STATES.indexOf(state),
];

/** The elements of one array, taken in order. */
class Fields {
  readonly #values: readonly Value[];
  #at = 0;

  constructor(value: Value | undefined) {
    if (!Array.isArray(value)) throw new Malformed('a list was expected');
    this.#values = value;
  }

  #next(): Value | undefined {
    this.#at += 1;
    return this.#values[this.#at - 1];
  }

  /** Whoever wrote it knew no more of them. */
  get isOver(): boolean {
    return this.#at >= this.#values.length;
  }

  uint(max: number): number {
    const value = this.#next();
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) {
      throw new Malformed(`a whole number up to ${max} was expected`);
    }
    return value;
  }

  text(): string {
    const value = this.#next();
    if (typeof value !== 'string') throw new Malformed('a string was expected');
    return value;
  }

  name(): string {
    const value = this.text();
    // The full rule is checked where the name enters the table; here it only must not be a burden.
    if (value.length === 0 || value.length > 64) throw new Malformed('a name was expected');
    return value;
  }

  flag(): boolean {
    const value = this.#next();
    if (typeof value !== 'boolean') throw new Malformed('true or false was expected');
    return value;
  }

  oneOf<T>(values: readonly T[]): T {
    const value = values[this.uint(values.length - 1)];
    if (value === undefined) throw new Malformed('an unknown value');
    return value;
  }

  fields(): Fields {
    return new Fields(this.#next());
  }

  list<T>(read: (value: Value) => T): T[] {
    const value = this.#next();
    if (!Array.isArray(value)) throw new Malformed('a list was expected');
    return value.map(read);
  }
}

const textOf = (value: Value): string => {
  if (typeof value !== 'string') throw new Malformed('a string was expected');
  return value;
};

function readMeta(fields: Fields): NodeMeta {
  const name = fields.text();
  const directoryId = fields.text();
  const instance = fields.uint(U32);
  const addresses = fields.fields();
  const meta: NodeMeta = {
    name,
    directoryId,
    instance,
    addresses: { gossip: addresses.text(), client: addresses.text(), link: addresses.text() },
    roles: fields.list(textOf),
    zone: fields.text(),
    version: fields.text(),
    protocol: { min: fields.uint(0xffff), max: fields.uint(0xffff) },
    startedAtMs: fields.uint(Number.MAX_SAFE_INTEGER),
    draining: DRAININGS[fields.uint(DRAININGS.length - 1)] ?? 'no',
    weight: fields.uint(0xffff) / 100,
  };
  const problem = metaProblem(meta);
  if (problem !== undefined) throw new Malformed(problem);
  return meta;
}

const readAlive = (fields: Fields): Omit<AliveClaim, 'type'> => ({
  incarnation: fields.uint(MAX_INCARNATION),
  load: fields.uint(100),
  loadVersion: fields.uint(U32),
  meta: readMeta(fields.fields()),
});

function readRecord(value: Value | Fields): MemberRecord {
  const fields = value instanceof Fields ? value : new Fields(value);
  return { ...readAlive(fields), state: fields.oneOf(STATES), ageMs: fields.uint(Number.MAX_SAFE_INTEGER) };
}

function readDigest(value: Value): DigestEntry {
  const fields = new Fields(value);
  return {
    name: fields.name(),
    incarnation: fields.uint(MAX_INCARNATION),
    state: fields.oneOf(STATES),
  };
}

function readMessage(type: Message['type'], fields: Fields): Message {
  switch (type) {
    case 'ping':
    case 'pingRequest':
      return { type, seq: fields.uint(U32), target: fields.name(), from: fields.name() };
    case 'ack':
    case 'nack':
      return { type, seq: fields.uint(U32) };
    case 'alive':
      return { type, ...readAlive(fields) };
    case 'suspect':
    case 'dead':
      return { type, name: fields.name(), incarnation: fields.uint(MAX_INCARNATION), from: fields.name() };
    case 'left':
      return {
        type,
        name: fields.name(),
        incarnation: fields.uint(MAX_INCARNATION),
        ...(fields.isOver ? {} : { draining: fields.oneOf(DRAININGS) }),
      };
    case 'load':
      return {
        type,
        name: fields.name(),
        instance: fields.uint(U32),
        load: fields.uint(100),
        loadVersion: fields.uint(U32),
      };
    case 'refused':
      return {
        type,
        reason: fields.oneOf(REASONS),
        name: fields.name(),
        instance: fields.uint(U32),
        by: fields.name(),
        uptimeMs: fields.uint(Number.MAX_SAFE_INTEGER),
      };
    case 'sync':
      return {
        type,
        id: fields.uint(U32),
        wallMs: fields.uint(Number.MAX_SAFE_INTEGER),
        self: readRecord(fields.fields()),
        digest: fields.list(readDigest),
      };
    case 'syncReply':
      return {
        type,
        id: fields.uint(U32),
        wallMs: fields.uint(Number.MAX_SAFE_INTEGER),
        from: fields.name(),
        records: fields.list(readRecord),
        wants: fields.list(textOf),
      };
    case 'syncClose':
      return { type, from: fields.name(), records: fields.list(readRecord) };
  }
}

export type Decoded = { readonly messages: Message[] } | { readonly malformed: string };

/** Everything in `bytes`, or why not: one malformed message spoils the packet, since who sent it cannot be trusted with the rest. */
export function decodeMessages(bytes: Uint8Array): Decoded {
  try {
    const messages: Message[] = [];
    for (const value of readValues(bytes)) {
      const fields = new Fields(value);
      const type = TYPES[fields.uint(0xff)];
      if (type !== undefined) messages.push(readMessage(type, fields));
    }
    return { messages };
  } catch (error) {
    if (error instanceof Malformed) return { malformed: error.message };
    throw error;
  }
}

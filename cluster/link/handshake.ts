// The handshake of a link, as a pure state machine: payloads in, payloads and a verdict out. Four messages:
//
//   dialer                         acceptor
//   hello  (identity, nonce, key ids)  →
//                                  ←   hello  (identity, nonce, chosen key id)
//   proof  (clock, MAC)            →
//                                  ←   accept (clock, MAC)
//
// Each MAC is over both hellos, so it answers the other side's nonce and covers every claim. With certificates TLS has done that, and without
// security nobody does: then the MACs are empty. Whatever a stranger sends ends in a refusal. Called by session.ts.

import { createHash } from 'node:crypto';
import { BadBytes, ByteReader, ByteWriter } from './bytes.ts';
import {
  agreeOnProtocol,
  type NodeIdentity,
  REFUSALS,
  type Refusal,
  type RefusalKind,
  type RemoteNode,
  wrongCluster,
} from './identity.ts';
import { isProof, KEY_ID_BYTES, keyId, type LinkSecurity, MAX_KEYS, proof, type Role, sendingKey } from './security.ts';

/** Bytes of one handshake message. */
export const MAX_HANDSHAKE_BYTES = 4_096;
const AGE_BYTES = 8;
/** Of a refusal's message. */
const MAX_REASON_BYTES = 1_000;
const MAGIC = Buffer.from('TNLK');
const NONCE_BYTES = 32;
const Kind = { hello: 1, proof: 2, accept: 3, refuse: 4 } as const;
const MODES: readonly LinkSecurity['mode'][] = ['none', 'clusterKey', 'mtls'];

export interface HandshakeOptions {
  role: Role;
  local: NodeIdentity;
  security: LinkSecurity;
  /** Where the peer is, for messages. */
  address: string;
  /** Whom the dialer means to reach. */
  expectedName?: string | undefined;
  /** What the peer's certificate says, with mutual TLS. */
  certificateNames: readonly string[];
  /** Wall clock, epoch ms. */
  now(): number;
  skewMs: number;
  randomBytes(length: number): Uint8Array;
  /** The last word on a peer that proved who it is. */
  admit(remote: RemoteNode): Refusal | undefined;
  /** Sends one handshake message. */
  write(payload: Uint8Array): void;
}

export type Verdict =
  | { type: 'going' }
  | { type: 'refused'; by: 'us' | 'peer'; refusal: Refusal; claimed: NodeIdentity | undefined }
  | { type: 'established'; remote: RemoteNode; keys: { send: Uint8Array; receive: Uint8Array } | undefined };

interface Hello {
  identity: NodeIdentity;
  mode: LinkSecurity['mode'];
  nonce: Uint8Array;
  expectedName: string;
  keyIds: Uint8Array[];
}

const GOING: Verdict = { type: 'going' };

/** A refusal on its way up to `receive`. */
class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: Refusal;
  constructor(kind: RefusalKind, message: string) {
    super(message);
    this.refusal = { kind, message };
  }
}

export class Handshake {
  readonly #options: HandshakeOptions;
  #waitsFor: 'hello' | 'proof' | 'accept' | 'nothing';
  #ownHello: Uint8Array | undefined;
  #ownNonce: Uint8Array | undefined;
  #theirs: Hello | undefined;
  #agreedProtocol = 0;
  #key: Uint8Array | undefined;
  #transcript: Uint8Array = new Uint8Array(0);
  /** Own wall clock when the last message left: the peer's stamp on its answer lies between it and the answer's arrival. */
  #askedAtMs = 0;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#waitsFor = 'hello';
  }

  /** The dialer speaks first. */
  start(): void {
    if (this.#options.role === 'dialer') this.#sayHello(this.#keys().map(keyId));
  }

  receive(payload: Uint8Array): Verdict {
    try {
      return this.#receive(payload);
    } catch (error) {
      if (error instanceof Refused) return this.refuse(error.refusal);
      if (error instanceof BadBytes) return this.refuse(this.#garbage(error.message));
      throw error;
    }
  }

  /** Tells the peer why, unless it may have begun to send frames already, and is over. */
  refuse(refusal: Refusal): Verdict {
    const tells = this.#waitsFor === 'hello' || this.#waitsFor === 'proof';
    this.#waitsFor = 'nothing';
    if (tells) {
      const message = Buffer.from(refusal.message).subarray(0, MAX_REASON_BYTES);
      const head = new ByteWriter().u8(Kind.refuse).u8(REFUSALS.indexOf(refusal.kind)).u16(message.length);
      this.#options.write(head.bytes(message).done());
    }
    return { type: 'refused', by: 'us', refusal, claimed: this.#theirs?.identity };
  }

  #receive(payload: Uint8Array): Verdict {
    const reader = new ByteReader(payload);
    const kind = reader.u8();
    if (kind === Kind.refuse) return this.#refusedByPeer(reader);
    switch (this.#waitsFor) {
      case 'hello':
        if (kind !== Kind.hello) throw new BadBytes('a hello was expected');
        return this.#heardHello(payload, readHello(reader));
      case 'proof':
        if (kind !== Kind.proof) throw new BadBytes('a proof was expected');
        return this.#heardProof(reader, 'dialer');
      case 'accept':
        if (kind !== Kind.accept) throw new BadBytes('an acceptance was expected');
        return this.#heardProof(reader, 'acceptor');
      case 'nothing':
        return GOING;
    }
  }

  #refusedByPeer(reader: ByteReader): Verdict {
    const kind = REFUSALS[reader.u8()] ?? 'protocol';
    const text = Buffer.from(reader.bytes(reader.u16())).toString('utf8');
    this.#waitsFor = 'nothing';
    // Whoever answers the port wrote this: one printable line of it.
    const message = text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '?').slice(0, MAX_REASON_BYTES);
    return { type: 'refused', by: 'peer', refusal: { kind, message }, claimed: this.#theirs?.identity };
  }

  #heardHello(payload: Uint8Array, theirs: Hello): Verdict {
    const { local, security, role, address, expectedName, certificateNames } = this.#options;
    const { identity } = theirs;
    this.#theirs = theirs;
    const protocol = agreeOnProtocol(local, identity);
    if (typeof protocol !== 'number') throw new Refused(protocol.kind, protocol.message);
    this.#agreedProtocol = protocol;
    if (this.#ownNonce !== undefined && Buffer.compare(this.#ownNonce, theirs.nonce) === 0) {
      throw new Refused('self', `the peer at ${address} repeats what it is sent: it is not a node.`);
    }
    if (identity.bootId === local.bootId) {
      throw new Refused(
        'self',
        `node ${local.nodeName} reached itself at ${address}: remove its own address from its peers.`,
      );
    }
    if (identity.clusterId !== local.clusterId) {
      const refusal = wrongCluster(local, identity);
      throw new Refused(refusal.kind, refusal.message);
    }
    if (theirs.mode !== security.mode) {
      throw new Refused(
        'security',
        `node ${identity.nodeName} at ${address} uses link security ${theirs.mode}, node ${local.nodeName} ${security.mode}: set the same on every node.`,
      );
    }
    if (expectedName !== undefined && identity.nodeName !== expectedName) {
      throw new Refused(
        'unexpectedName',
        `at ${address} sits node ${identity.nodeName}, not ${expectedName}: check its address.`,
      );
    }
    if (role === 'acceptor' && theirs.expectedName !== '' && theirs.expectedName !== local.nodeName) {
      throw new Refused(
        'unexpectedName',
        `node ${identity.nodeName} looks for ${theirs.expectedName} and reached ${local.nodeName}: check the address of ${theirs.expectedName}.`,
      );
    }
    if (security.mode === 'mtls' && security.names === 'perNode' && !certificateNames.includes(identity.nodeName)) {
      const names = certificateNames.length === 0 ? 'nobody' : certificateNames.slice(0, 8).join(', ');
      throw new Refused(
        'certificate',
        `the peer at ${address} calls itself ${identity.nodeName}, its certificate names ${names}: give each node a certificate that names it.`,
      );
    }
    this.#key = this.#chooseKey(theirs);
    if (role === 'acceptor') this.#sayHello(this.#key === undefined ? [] : [keyId(this.#key)]);
    const own = this.#ownHello ?? new Uint8Array(0);
    this.#transcript = role === 'dialer' ? transcriptOf(own, payload) : transcriptOf(payload, own);
    if (role === 'acceptor') this.#waitsFor = 'proof';
    else {
      this.#sayProof(Kind.proof);
      this.#waitsFor = 'accept';
    }
    return GOING;
  }

  #heardProof(reader: ByteReader, by: Role): Verdict {
    const { local, role, address, skewMs, admit } = this.#options;
    const theirs = this.#theirs;
    if (theirs === undefined) throw new BadBytes('a proof came before the hello');
    const { identity } = theirs;
    const stamp = reader.bytes(8);
    const wallClockMs = new ByteReader(stamp).u64();
    const given = reader.bytes(reader.u8());
    if (this.#key !== undefined && !isProof(proof(this.#key, by, this.#transcript, stamp), given)) {
      throw new Refused(
        'authentication',
        `the peer at ${address} calls itself ${identity.nodeName} and does not have the cluster key it named.`,
      );
    }
    const skew = skewOf(wallClockMs, this.#askedAtMs, this.#options.now());
    if (Math.abs(skew) > skewMs) {
      throw new Refused(
        'clock',
        `the clock of node ${identity.nodeName} is ${Math.abs(Math.round(skew))} ms ${skew > 0 ? 'ahead of' : 'behind'} that of node ` +
          `${local.nodeName}, at most ${skewMs} ms are allowed: synchronise both (NTP).`,
      );
    }
    const remote: RemoteNode = { ...identity, agreedProtocol: this.#agreedProtocol, address };
    const refusal = admit(remote);
    if (refusal !== undefined) throw new Refused(refusal.kind, refusal.message);
    if (role === 'acceptor') this.#sayProof(Kind.accept);
    this.#waitsFor = 'nothing';
    const other: Role = role === 'dialer' ? 'acceptor' : 'dialer';
    const keys = this.#key && {
      send: sendingKey(this.#key, role, this.#transcript),
      receive: sendingKey(this.#key, other, this.#transcript),
    };
    return { type: 'established', remote, keys };
  }

  #keys(): readonly Uint8Array[] {
    return this.#options.security.mode === 'clusterKey' ? this.#options.security.keys : [];
  }

  /** The dialer's first key that both have; a hello of the acceptor names just that one. */
  #chooseKey(theirs: Hello): Uint8Array | undefined {
    const { local, security, address } = this.#options;
    if (security.mode !== 'clusterKey') return undefined;
    for (const id of theirs.keyIds) {
      const key = security.keys.find((candidate) => keyId(candidate).equals(id));
      if (key !== undefined) return key;
    }
    throw new Refused(
      'authentication',
      `node ${theirs.identity.nodeName} at ${address} and node ${local.nodeName} have no cluster key in common: set the same key on both.`,
    );
  }

  #sayHello(keyIds: readonly Uint8Array[]): void {
    const { local, security, expectedName } = this.#options;
    this.#ownNonce = this.#options.randomBytes(NONCE_BYTES);
    const writer = new ByteWriter().u8(Kind.hello).bytes(MAGIC).u16(local.protocol.min).u16(local.protocol.max);
    writer.u8(MODES.indexOf(security.mode)).bytes(this.#ownNonce);
    for (const field of ['clusterId', 'nodeName', 'directoryId', 'bootId', 'version'] as const)
      writer.text(local[field]);
    writer.text(expectedName ?? '').u8(keyIds.length);
    for (const id of keyIds) writer.bytes(id);
    if (local.age !== undefined) writer.u64(local.age);
    this.#ownHello = writer.done();
    this.#say(this.#ownHello);
  }

  #sayProof(kind: typeof Kind.proof | typeof Kind.accept): void {
    const stamp = new ByteWriter().u64(this.#options.now()).done();
    const bytes =
      this.#key === undefined ? new Uint8Array(0) : proof(this.#key, this.#options.role, this.#transcript, stamp);
    this.#say(new ByteWriter().u8(kind).bytes(stamp).u8(bytes.length).bytes(bytes).done());
  }

  #say(payload: Uint8Array): void {
    this.#askedAtMs = this.#options.now();
    this.#options.write(payload);
  }

  #garbage(what: string): Refusal {
    const tls = this.#options.security.mode === 'mtls' ? '' : ' (does it use TLS, or is it another service?)';
    return {
      kind: 'protocol',
      message: `the peer at ${this.#options.address} does not speak this protocol${tls}: ${what}.`,
    };
  }
}

/** How far the peer's clock is off at least, ms; its stamp was made between the two instants of ours. */
export function skewOf(stampMs: number, askedAtMs: number, nowMs: number): number {
  const [earliest, latest] = askedAtMs <= nowMs ? [askedAtMs, nowMs] : [nowMs, askedAtMs];
  if (stampMs < earliest) return stampMs - earliest;
  return stampMs > latest ? stampMs - latest : 0;
}

function transcriptOf(dialers: Uint8Array, acceptors: Uint8Array): Uint8Array {
  const lengths = new ByteWriter().u16(dialers.length).u16(acceptors.length).done();
  return createHash('sha256').update(lengths).update(dialers).update(acceptors).digest();
}

/** Bytes after the last field are a newer version's, and ignored. */
function readHello(reader: ByteReader): Hello {
  if (!MAGIC.equals(reader.bytes(MAGIC.length))) throw new BadBytes('it does not begin as a hello does');
  const protocol = { min: reader.u16(), max: reader.u16() };
  const mode = MODES[reader.u8()];
  if (mode === undefined) throw new BadBytes('its link security is unknown here');
  // Kept until the handshake is over: copied out of the frame.
  const nonce = Uint8Array.from(reader.bytes(NONCE_BYTES));
  const [clusterId, nodeName, directoryId, bootId] = [reader.text(), reader.text(), reader.text(), reader.text()];
  const version = reader.text();
  for (const name of [clusterId, nodeName, directoryId, bootId]) if (name === '') throw new BadBytes('a name is empty');
  if (!(protocol.min >= 1 && protocol.min <= protocol.max)) throw new BadBytes('its protocol range is none');
  const expectedName = reader.text();
  const count = reader.u8();
  if (count > MAX_KEYS) throw new BadBytes('it names too many keys');
  const keyIds = Array.from({ length: count }, () => Uint8Array.from(reader.bytes(KEY_ID_BYTES)));
  const age = reader.left >= AGE_BYTES ? reader.u64() : undefined;
  return {
    identity: { clusterId, nodeName, directoryId, bootId, version, protocol, age },
    mode,
    nonce,
    expectedName,
    keyIds,
  };
}

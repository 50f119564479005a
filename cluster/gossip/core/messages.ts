// What members say to each other. Packets carry one or more of these; streams one request and one answer. Bytes: codec.ts.

import type { Draining } from '../../../src/ports/cluster.ts';
import type { MemberState } from './member.ts';
import type { NodeMeta } from './meta.ts';
import type { RefusalReason } from './refusal.ts';

/** Are you there? Names its target: an address may have changed hands. */
export interface Ping {
  readonly type: 'ping';
  readonly seq: number;
  readonly target: string;
  readonly from: string;
}

export interface Ack {
  readonly type: 'ack';
  readonly seq: number;
}

/** Asked to probe and got no answer: tells the asker that we, at least, are well. */
export interface Nack {
  readonly type: 'nack';
  readonly seq: number;
}

/** Probe this member in my stead. */
export interface PingRequest {
  readonly type: 'pingRequest';
  readonly seq: number;
  readonly target: string;
  readonly from: string;
}

export interface Load {
  /** Percent of capacity, 0..100. */
  readonly load: number;
  /** Counts the changes within one instance. */
  readonly loadVersion: number;
}

export interface AliveClaim extends Load {
  readonly type: 'alive';
  readonly meta: NodeMeta;
  readonly incarnation: number;
}

export interface SuspectClaim {
  readonly type: 'suspect';
  readonly name: string;
  readonly incarnation: number;
  /** The accuser: counts as one confirmation. */
  readonly from: string;
}

export interface DeadClaim {
  readonly type: 'dead';
  readonly name: string;
  readonly incarnation: number;
  readonly from: string;
}

/** Said by the member itself. */
export interface LeftClaim {
  readonly type: 'left';
  readonly name: string;
  readonly incarnation: number;
  /** Its last word on it: what it announced before may not have come through. Undefined: an older node does not say. */
  readonly draining?: Draining | undefined;
}

export interface LoadClaim extends Load {
  readonly type: 'load';
  readonly name: string;
  readonly instance: number;
}

/** You are not let in, and why. */
export interface Refused {
  readonly type: 'refused';
  readonly reason: RefusalReason;
  /** Whom it is meant for: name and instance, so that it cannot hit another life. */
  readonly name: string;
  readonly instance: number;
  /** Who says so. */
  readonly by: string;
  /** Whoever holds the name or directory has been up for at least so long; the younger gives way, and no clocks need agree. 0: not about that. */
  readonly uptimeMs: number;
}

/** All that is known of a member. */
export interface MemberRecord extends Load {
  readonly meta: NodeMeta;
  readonly incarnation: number;
  readonly state: MemberState;
  /** How long it has been in this state. */
  readonly ageMs: number;
}

/** Enough to see which of two tables knows better. Not of loads: they are old soon anyway, and would make every table differ from every other. */
export interface DigestEntry {
  readonly name: string;
  readonly incarnation: number;
  readonly state: MemberState;
}

/** Push/pull: my own record, and what I know of the others in short. */
export interface Sync {
  readonly type: 'sync';
  readonly id: number;
  readonly wallMs: number;
  readonly self: MemberRecord;
  readonly digest: readonly DigestEntry[];
}

/** What I know better, and whose records I want from you. */
export interface SyncReply {
  readonly type: 'syncReply';
  readonly id: number;
  readonly wallMs: number;
  readonly from: string;
  readonly records: readonly MemberRecord[];
  readonly wants: readonly string[];
}

/** What you wanted. */
export interface SyncClose {
  readonly type: 'syncClose';
  readonly from: string;
  readonly records: readonly MemberRecord[];
}

export type Claim = AliveClaim | SuspectClaim | DeadClaim | LeftClaim | LoadClaim;
export type PacketMessage = Ping | Ack | Nack | PingRequest | Claim | Refused;
export type StreamMessage = Sync | SyncReply | SyncClose;
export type Message = PacketMessage | StreamMessage;

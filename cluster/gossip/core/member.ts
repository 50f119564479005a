// One member as this node knows it. The table's entries change in place; what listeners get are copies (`snapshotOf`).

import type { MemberRecord } from './messages.ts';
import type { NodeMeta } from './meta.ts';

export type MemberState = 'alive' | 'suspect' | 'dead' | 'left';

/** Of two claims with one incarnation the one further down this list holds. */
export const STATES: readonly MemberState[] = ['alive', 'suspect', 'dead', 'left'];

const rankOf = (state: MemberState): number => STATES.indexOf(state);

export interface Member {
  meta: NodeMeta;
  incarnation: number;
  state: MemberState;
  /** Monotonic ms of this node's clock; before its start for what was learned with an age. */
  sinceMs: number;
  /** When this instance of it was first heard of here: it has been up at least since then. */
  instanceSinceMs: number;
  load: number;
  loadVersion: number;
}

/** A member as listeners and callers see it. */
export interface MemberSnapshot extends NodeMeta {
  readonly state: MemberState;
  /** Grows with every change the member announces and every accusation it refutes. */
  readonly incarnation: number;
  /** Percent of its capacity, as last announced. */
  readonly load: number;
  /** How long it has been in this state as this node knows it, ms. */
  readonly inStateMs: number;
}

export const isUp = (member: Member): boolean => member.state === 'alive' || member.state === 'suspect';

/** Whether a claim (incarnation, state) beats what is known. */
export function beats(
  claim: { incarnation: number; state: MemberState },
  known: { incarnation: number; state: MemberState },
): boolean {
  if (claim.incarnation !== known.incarnation) return claim.incarnation > known.incarnation;
  return rankOf(claim.state) > rankOf(known.state);
}

export function recordOf(member: Member, nowMs: number): MemberRecord {
  const { meta, incarnation, state, load, loadVersion } = member;
  return { meta, incarnation, state, load, loadVersion, ageMs: Math.max(0, Math.round(nowMs - member.sinceMs)) };
}

export function snapshotOf(member: Member, nowMs: number): MemberSnapshot {
  const { meta, incarnation, state, load } = member;
  // Member by member: every look at the cluster makes one of each (docs/decisions/0089).
  return {
    name: meta.name,
    directoryId: meta.directoryId,
    instance: meta.instance,
    addresses: meta.addresses,
    roles: meta.roles,
    zone: meta.zone,
    version: meta.version,
    protocol: meta.protocol,
    startedAtMs: meta.startedAtMs,
    draining: meta.draining,
    weight: meta.weight,
    state,
    incarnation,
    load,
    inStateMs: Math.max(0, nowMs - member.sinceMs),
  };
}

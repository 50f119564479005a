// Ring plans as text: in the coordinator and in gossip. What comes back may be anything; what is no plan is `undefined`, and members that
// could not be placed make it none: a plan is taken as a whole or not at all, so that all nodes place alike.

import { MAX_MEMBERS } from './limits.ts';
import { type Drain, memberFault, type RingMember } from './member.ts';
import type { RingPlan } from './plan.ts';

/** Characters of one text field. */
const MAX_FIELD = 256;

export function encodePlan({ version, validFromMs, proposer, members }: RingPlan): string {
  const rows = members.map(({ name, directoryId, zone, weight, drain, seed }) => [
    name,
    directoryId,
    zone,
    weight,
    drain,
    seed,
  ]);
  return JSON.stringify({ version, validFromMs, proposer, members: rows });
}

export function decodePlan(text: string): RingPlan | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  // Its fields are checked one by one.
  const { version, validFromMs, proposer, members } = value as Record<string, unknown>;
  if (!isWhole(version) || version < 1 || !isWhole(validFromMs) || !isText(proposer)) return undefined;
  // None at all: every shard would be taken from everybody.
  if (!Array.isArray(members) || members.length === 0 || members.length > MAX_MEMBERS) return undefined;
  const decoded: RingMember[] = [];
  const directories = new Set<string>();
  for (const row of members) {
    const member = decodeMember(row);
    if (member === undefined || directories.has(member.directoryId)) return undefined;
    directories.add(member.directoryId);
    decoded.push(member);
  }
  return { version, validFromMs, proposer, members: decoded };
}

function decodeMember(row: unknown): RingMember | undefined {
  if (!Array.isArray(row)) return undefined;
  const [name, directoryId, zone, weight, drain, seed]: unknown[] = row;
  if (!isText(name) || !isText(directoryId) || !isText(zone) || !isDrain(drain)) return undefined;
  if (typeof weight !== 'number' || typeof seed !== 'number') return undefined;
  const member: RingMember = { name, directoryId, zone, weight, drain, seed };
  return memberFault(member) === undefined ? member : undefined;
}

const isWhole = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= MAX_FIELD;
const isDrain = (value: unknown): value is Drain => value === 'no' || value === 'leadership' || value === 'everything';

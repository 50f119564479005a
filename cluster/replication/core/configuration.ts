// The replica set of a shard: the voters and learners that the latest configuration entry of its *own log* names, in force once appended
// (DESIGN §1). One member changes at a time, a learner first, so any two majorities that follow each other have a member in common.

import { decode, encode } from '../../../src/wire/codec.ts';
import type { DirectoryId } from './ids.ts';
import { directoryId } from './ids.ts';
import { MAX_DIRECTORY_ID_BYTES, MAX_MEMBERS } from './options.ts';

/** Sorted, disjoint. */
export interface Configuration {
  readonly voters: readonly DirectoryId[];
  /** Get the log but are never counted. */
  readonly learners: readonly DirectoryId[];
}

/** Of a replica whose log names nobody: an empty directory. It may only learn. */
export const NO_CONFIGURATION: Configuration = { voters: [], learners: [] };

export type ConfigurationChange =
  /** A new member begins here. */
  | { type: 'addLearner'; id: DirectoryId }
  /** Only a learner that has caught up. */
  | { type: 'promote'; id: DirectoryId }
  | { type: 'remove'; id: DirectoryId };

export const isVoter = ({ voters }: Configuration, id: DirectoryId): boolean => voters.includes(id);
export const isMember = ({ voters, learners }: Configuration, id: DirectoryId): boolean =>
  voters.includes(id) || learners.includes(id);

export const configurationOf = (
  voters: readonly DirectoryId[],
  learners: readonly DirectoryId[] = [],
): Configuration => ({ voters: [...voters].sort(), learners: [...learners].sort() });

/** The configuration after the change, or why there is none, for people. */
export function changed(now: Configuration, change: ConfigurationChange): Configuration | string {
  const { voters, learners } = now;
  const without = (ids: readonly DirectoryId[]) => ids.filter((id) => id !== change.id);
  switch (change.type) {
    case 'addLearner':
      if (isMember(now, change.id)) return `${change.id} is a member already`;
      if (voters.length + learners.length >= MAX_MEMBERS) return `a shard has at most ${MAX_MEMBERS} members`;
      return configurationOf(voters, [...learners, change.id]);
    case 'promote':
      if (!learners.includes(change.id)) return `${change.id} is no learner`;
      return configurationOf([...voters, change.id], without(learners));
    case 'remove':
      if (!isMember(now, change.id)) return `${change.id} is no member`;
      if (voters.length === 1 && voters[0] === change.id) return `${change.id} is the last voter`;
      return configurationOf(without(voters), without(learners));
  }
}

/** All members of both. */
export function joined(one: Configuration, other: Configuration): Configuration {
  const voters = new Set([...one.voters, ...other.voters]);
  const learners = new Set([...one.learners, ...other.learners].filter((id) => !voters.has(id)));
  return configurationOf([...voters], [...learners]);
}

export const encodeConfiguration = ({ voters, learners }: Configuration): Uint8Array => encode([voters, learners]);

/** Undefined: no configuration. */
export function decodeConfiguration(bytes: Uint8Array): Configuration | undefined {
  let value: unknown;
  try {
    value = decode(bytes);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [voters, learners] = value.map(readIds);
  if (voters === undefined || learners === undefined) return undefined;
  const all = [...voters, ...learners];
  if (all.length > MAX_MEMBERS || new Set(all).size !== all.length) return undefined;
  return configurationOf(voters, learners);
}

function readIds(value: unknown): DirectoryId[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const ids: DirectoryId[] = [];
  for (const id of value) {
    if (typeof id !== 'string' || id === '' || Buffer.byteLength(id) > MAX_DIRECTORY_ID_BYTES) return undefined;
    ids.push(directoryId(id));
  }
  return ids;
}

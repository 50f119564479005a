// What a node knows of its cluster from before its start: which cluster its directory belongs to, the newest ring plan, and whether the
// cluster's first shards were made. Without it a node that starts while the coordinator is away would know nothing. One small file.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Draining } from '../../src/ports/cluster.ts';
import type { ClusterRecord } from '../../src/ports/coordinator.ts';
import { VERSION } from '../../src/version.ts';
import { isIn, rangeText, VERSIONS } from '../../src/wire/versions.ts';
import { ClusterStartError } from './start-error.ts';
import { writeWhole } from './whole-file.ts';

export interface NodeState {
  readonly record: ClusterRecord;
  /** The newest plan known, as plan-codec.ts writes it; '' before the first. */
  readonly plan: string;
  /** The first plan this directory agreed to, for ever: shards are made by it, once (DESIGN §1, Amnesia). '' before. */
  readonly firstPlan: string;
  /** Its share of the first shards is made, or was made by others: none is made here any more. */
  readonly born: boolean;
  readonly draining: Draining;
  /** What was found wrong with what the directory holds, of which its own checks see nothing: it is no replica any more. */
  readonly damaged?: string | undefined;
  /** How old the directory is (directory-ages.ts), and the others' as they said last. Absent in what a release before wrote. */
  readonly age?: number | undefined;
  readonly ages?: readonly KnownAge[] | undefined;
}

/** Of another node's directory. */
export interface KnownAge {
  readonly directoryId: string;
  /** Of the process that said it. */
  readonly bootId: string;
  readonly age: number;
}

/** In the place of a first plan: the shards were made before the cluster had any, by a restore. No plan of the new cluster is taken for theirs. */
export const RESTORED = 'restored';

export interface StateStore {
  read(): Promise<NodeState | undefined>;
  /** Durable when it resolves. One after the other. */
  write(state: NodeState): Promise<void>;
}

export const STATE_FILE = 'cluster.json';

/** @throws ClusterStartError from `read` for a file that is damaged or of another version: it names the file; and for a directory that was given up. */
export function stateFile(directory: string): StateStore {
  const file = join(directory, STATE_FILE);
  let last: Promise<void> = Promise.resolve();
  return {
    read: () => readState(file),
    write: (state) => {
      last = last.catch(() => undefined).then(() => writeState(file, state));
      return last;
    },
  };
}

async function readState(file: string): Promise<NodeState | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    // Of what is no directory the store says what is wrong.
    const nothing = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
    if (nothing) return undefined;
    throw error;
  }
  const state = parseState(text);
  if (state === undefined) throw unreadable(file, text);
  if (state.damaged !== undefined) {
    throw new ClusterStartError(
      'fault',
      `the data directory was given up in an earlier run: ${state.damaged}`,
      START_EMPTY,
    );
  }
  return state;
}

const START_EMPTY = 'Give this node an empty data directory: it takes part as a new one, and learns from the others.';

/** Another version is no damage: whoever empties the directory then throws away what the right version reads. */
function unreadable(file: string, text: string): ClusterStartError {
  const { reads } = VERSIONS.kept.nodeState;
  const format = formatOf(text);
  return format === undefined || isIn(format, reads)
    ? new ClusterStartError('fault', `${file} is damaged`, START_EMPTY)
    : new ClusterStartError(
        'fault',
        `${file} has format ${format}, and this is Tenuto ${VERSION}, which reads ${rangeText(reads)}`,
        'Start it with the version that wrote it, or the one before that. Nothing was changed.',
      );
}

function formatOf(text: string): number | undefined {
  try {
    const { format } = JSON.parse(text) as { format?: unknown }; // any JSON may stand there
    return Number.isSafeInteger(format) ? (format as number) : undefined;
  } catch {
    return undefined;
  }
}

export function parseState(text: string, { reads } = VERSIONS.kept.nodeState): NodeState | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { format, record, plan, firstPlan, born, draining, damaged, age, ages } = value as Record<string, unknown>; // checked one by one
  if (typeof format !== 'number' || !isIn(format, reads) || typeof plan !== 'string' || typeof firstPlan !== 'string')
    return undefined;
  if (typeof born !== 'boolean' || !isDraining(draining) || !isRecord(record)) return undefined;
  return {
    ...{ record, plan, firstPlan, born, draining },
    ...(typeof damaged === 'string' && { damaged }),
    ...(isAge(age) && { age }),
    ...(Array.isArray(ages) && { ages: ages.filter(isKnownAge) }),
  };
}

const isAge = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0; // it is a number

function isKnownAge(value: unknown): value is KnownAge {
  if (typeof value !== 'object' || value === null) return false;
  const { directoryId, bootId, age } = value as Record<string, unknown>; // checked one by one
  return typeof directoryId === 'string' && typeof bootId === 'string' && isAge(age);
}

const isDraining = (value: unknown): value is Draining =>
  value === 'no' || value === 'leadership' || value === 'everything';

function isRecord(value: unknown): value is ClusterRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { clusterId, incarnation, shardCount, createdAtMs } = value as Record<string, unknown>; // checked one by one
  return (
    typeof clusterId === 'string' &&
    typeof incarnation === 'string' &&
    Number.isSafeInteger(shardCount) &&
    Number.isSafeInteger(createdAtMs)
  );
}

const writeState = (file: string, state: NodeState): Promise<void> =>
  writeWhole(file, `${JSON.stringify({ format: VERSIONS.kept.nodeState.writes, ...state }, null, 2)}\n`);

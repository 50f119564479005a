// One shard on this node: its core, and what the driver holds for it between drains. Mutable, owned by the driver.

import { type Lsn, lsn, type ShardId, type Term } from '../../src/ports/ids.ts';
import type { ReplicaPosition, ShardSnapshot } from '../../src/ports/replica-store.ts';
import type { AppendOutcome } from '../../src/ports/replicated-log.ts';
import type { LogEntry } from '../../src/ports/store.ts';
import { type Configuration, decodeConfiguration, NO_CONFIGURATION } from './core/configuration.ts';
import { type DirectoryId, directoryId } from './core/ids.ts';
import type { StoredEntry } from './core/log.ts';
import type { SnapshotMeta } from './core/message.ts';
import type { Outgoing } from './core/output.ts';
import type { Replica } from './core/replica.ts';
import type { Restored } from './core/state.ts';
import { Retention } from './retention.ts';

export interface Export {
  readonly meta: SnapshotMeta;
  readonly snapshot: ShardSnapshot;
}

export class ShardReplica {
  readonly shard: ShardId;
  readonly replica: Replica;
  readonly retention = new Retention();
  /** Handed to the user up to here. */
  applied: Lsn;
  /** Of the core's persist steps. */
  durableSeq = 0;
  /** Messages that wait for a step. */
  held: Outgoing[] = [];
  /** Appends that wait for their commit, in order of lsn. */
  readonly appends = new Map<Lsn, { term: Term; settled: (outcome: AppendOutcome) => void }>();
  /** Reads that wait for their round, then for `applied` to reach `at`. */
  readonly reads = new Map<number, { at: Lsn | undefined; done: (fresh: boolean) => void }>();
  /** Snapshots on their way to followers. */
  readonly exports = new Map<DirectoryId, Export>();
  /** Steps that take more than one write go one after the other, and all behind them. */
  slow: Promise<void> | undefined;
  /** Rows are being replaced by this step. */
  installing: { after: number; lsn: Lsn } | undefined;
  /** Committed entries are being read from the store. */
  reading = false;
  isDirty = false;
  /** What it told the user last. */
  wasLeading = false;
  /** No replica any more. */
  hasLeft = false;

  constructor(shard: ShardId, replica: Replica) {
    this.shard = shard;
    this.replica = replica;
    this.applied = replica.commit;
  }

  leave(): void {
    this.hasLeft = true;
    this.held = [];
    this.abandon();
    for (const { done } of this.reads.values()) done(false);
    this.reads.clear();
  }

  /** Leads no more: nobody knows what becomes of what is not committed. */
  abandon(): void {
    const appends = [...this.appends.values()];
    this.appends.clear();
    for (const { settled } of appends) settled('unknown');
  }
}

export function configurationIn(bytes: Uint8Array | undefined): Configuration {
  return (bytes === undefined ? undefined : decodeConfiguration(bytes)) ?? NO_CONFIGURATION;
}

/** What the store holds of a shard, as the core wants it. */
export function restoredFrom(
  position: ReplicaPosition,
  stored: readonly StoredEntry[],
  entries: readonly LogEntry[],
): Restored {
  const { base, appliedLsn, configuration, term: inTerm, votedTerm, votedFor } = position;
  return {
    base: { ...base, configuration: configurationIn(configuration) },
    applied: lsn(appliedLsn),
    stored,
    entries,
    term: inTerm,
    votedFor: votedTerm === inTerm && votedFor !== '' ? directoryId(votedFor) : undefined,
  };
}

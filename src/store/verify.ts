// Looks at a data directory that nobody has open: every record's checksum, every shard's chain, and what takes the room.
import { StoreError } from '../ports/store.ts';
import { LOG, POSITION, ROW, shownKey, unframe } from './framing.ts';
import { LevelBackend } from './leveldb/backend.ts';
import { type Manifest, openError, readManifest, storePath } from './leveldb/directory.ts';
import { checkIdentity } from './leveldb/identity.ts';
import type { TableDamage } from './leveldb/tables.ts';
import { LogStore } from './log-store.ts';

export interface VerifyReport {
  manifest: Manifest;
  records: number;
  bytes: number;
  shards: number;
  logEntries: number;
  /** Empty: the directory is sound. At most MAX_PROBLEMS. */
  problems: string[];
  /** Found beyond those. */
  moreProblems: number;
}

/** Listed one by one; of others only their number is said. */
const MAX_PROBLEMS = 100;

/** Throws StoreError when the directory cannot be opened at all; damage inside it is reported, not thrown. */
export async function verifyDirectory(
  directory: string,
  onProgress?: (progress: { records: number; bytes: number }) => void,
): Promise<VerifyReport> {
  const manifest = readManifest(directory);
  if (!manifest)
    throw new StoreError('version', `${directory} is not a Tenuto data directory`, {
      hint: 'Name one that a server or a backup made.',
    });
  const report: VerifyReport = {
    manifest,
    records: 0,
    bytes: 0,
    shards: 0,
    logEntries: 0,
    problems: [],
    moreProblems: 0,
  };
  const note = (error: unknown) => {
    if (report.problems.length < MAX_PROBLEMS)
      report.problems.push(error instanceof Error ? error.message : String(error));
    else report.moreProblems += 1;
  };
  if (await readEverything(directory, report, note, onProgress)) await readLogs(directory, manifest, report, note);
  return report;
}

/** False: so damaged that it cannot be opened. */
async function readEverything(
  directory: string,
  report: VerifyReport,
  note: (error: unknown) => void,
  onProgress: ((progress: { records: number; bytes: number }) => void) | undefined,
): Promise<boolean> {
  const backend = new LevelBackend(storePath(directory), { create: false });
  try {
    await backend.open();
  } catch (error) {
    const why = openError(directory, error);
    if (why.kind !== 'corrupt') throw why;
    note(why);
    return false;
  }
  let tablesDamaged = false;
  try {
    await checkIdentity(backend, directory, report.manifest).catch(note);
    for await (const damage of backend.tableDamage()) {
      note(tableProblem(damage));
      tablesDamaged = true;
    }
    for await (const [key, framed] of backend.snapshot()) {
      report.records += 1;
      report.bytes += key.length + framed.length;
      try {
        unframe(key, framed, (at) => backend.locate(at));
      } catch (error) {
        note(error);
      }
      if (report.records % 10_000 === 0) onProgress?.({ records: report.records, bytes: report.bytes });
    }
    return true;
  } catch (error) {
    // LevelDB passes over blocks it cannot read and says so at its end, without saying which: they are listed already.
    const known = tablesDamaged && error instanceof StoreError && error.kind === 'corrupt';
    if (!known) note(error);
    return true;
  } finally {
    await backend.close();
  }
}

function tableProblem({ file, offset, what, keys }: TableDamage): string {
  const rows =
    keys === undefined ? '' : `; rows after ${shownKey(keys.after)} up to ${shownKey(keys.upTo)} cannot be trusted`;
  return `damaged data in ${file}, at byte ${offset}: ${what}${rows}`;
}

async function readLogs(
  directory: string,
  manifest: Manifest,
  report: VerifyReport,
  note: (error: unknown) => void,
): Promise<void> {
  const store = new LogStore(new LevelBackend(storePath(directory), { create: false }), manifest);
  try {
    const positions = await store.open();
    report.shards = positions.size;
    for (const [shard, position] of positions) {
      for await (const _ of store.readLog(shard, position.appliedLsn)) report.logEntries += 1;
    }
  } catch (error) {
    note(error);
  } finally {
    await store.close();
  }
}

export interface DirectoryStats {
  manifest: Manifest;
  diskBytes: number;
  freeBytes: number;
  rows: number;
  rowBytes: number;
  logRecords: number;
  logBytes: number;
  shardsWithData: number;
}

/** Counts what a directory that nobody has open holds, without checking it. */
export async function directoryStats(directory: string): Promise<DirectoryStats> {
  const manifest = readManifest(directory);
  if (!manifest)
    throw new StoreError('version', `${directory} is not a Tenuto data directory`, {
      hint: 'Name one that a server or a backup made.',
    });
  const backend = new LevelBackend(storePath(directory), { create: false });
  try {
    await backend.open();
  } catch (error) {
    throw openError(directory, error);
  }
  const stats = { rows: 0, rowBytes: 0, logRecords: 0, logBytes: 0, shardsWithData: 0 };
  try {
    for await (const [key, value] of backend.snapshot()) {
      const size = key.length + value.length;
      if (key.startsWith(ROW)) {
        stats.rows += 1;
        stats.rowBytes += size;
      } else if (key.startsWith(LOG)) {
        stats.logRecords += 1;
        stats.logBytes += size;
      } else if (key.startsWith(POSITION)) stats.shardsWithData += 1;
    }
    return { manifest, diskBytes: await backend.diskBytes(), freeBytes: await backend.freeBytes(), ...stats };
  } finally {
    await backend.close();
  }
}

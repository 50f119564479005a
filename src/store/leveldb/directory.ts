// A data directory: `tenuto.json` says what it is, `store/` holds LevelDB and segments of the log, `pid` names who has it open.
// Refuses what is not a data directory, what a newer version wrote, and what another process holds: each with its own words.
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { StoreError } from '../../ports/store.ts';
import { VERSION } from '../../version.ts';
import { rangeText, VERSIONS, type VersionRange } from '../../wire/versions.ts';

/**
 * Of the files and of the rows in them. 2: rows by position (docs/decisions/0008), large inputs of activities in rows of their own (0011).
 * 3: log records in segments (0026). 4: these deflated. Formats 1 to 3 were never released.
 */
const FORMAT = VERSIONS.kept.directory;
export const DEFAULT_SHARD_COUNT = 256;
const MAX_SHARD_COUNT = 65_536;
const MANIFEST = 'tenuto.json';
/** The manifest of a directory that is being made. */
const PENDING = '.tenuto.json';
const STORE = 'store';
const PID_FILE = 'pid';

export interface Manifest {
  format: number;
  directoryId: string;
  shardCount: number;
  /** Version of Tenuto that made it. */
  createdBy: string;
  /** RFC 3339. */
  createdAt: string;
}

export const storePath = (directory: string): string => join(directory, STORE);

/**
 * Reads the manifest; undefined when the directory is absent, empty, or its creation was cut short before anything was kept in it.
 * Throws StoreError `version` on anything else.
 */
export function readManifest(directory: string, reads = FORMAT.reads): Manifest | undefined {
  if (existsSync(directory) && !statSync(directory).isDirectory()) {
    throw new StoreError('version', `${directory} is not a directory`, {
      hint: 'Name an empty or absent directory, or one that a server or a backup made.',
    });
  }
  const file = join(directory, MANIFEST);
  if (existsSync(file)) return parseManifest(directory, file, reads);
  const others = existsSync(directory) ? readdirSync(directory) : [];
  if (others.length === 0 || others.includes(PENDING)) return undefined;
  if (others.includes(STORE)) {
    throw new StoreError(
      'version',
      `${directory} holds a store but no ${MANIFEST}: a copy was interrupted, or the file is lost`,
      {
        hint: 'If it was to be a backup, remove it and make it again; otherwise restore a backup.',
      },
    );
  }
  throw new StoreError('version', `${directory} is not a Tenuto data directory: it has files but no ${MANIFEST}`, {
    hint: 'Name an empty or absent directory, or the right one.',
  });
}

function parseManifest(directory: string, file: string, reads: VersionRange): Manifest {
  let manifest: Partial<Manifest>;
  try {
    manifest = JSON.parse(readFileSync(file, 'utf8')) as Partial<Manifest>;
  } catch (error) {
    throw new StoreError('version', `${file} cannot be read: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
  const { format, directoryId, shardCount } = manifest;
  if (typeof format === 'number' && format > reads.max) {
    throw new StoreError(
      'version',
      `${directory} has format ${format}, written by Tenuto ${manifest.createdBy ?? '(unknown)'}; this is ${VERSION}, which reads ${rangeText(reads)}`,
      {
        hint: 'Start it with that version, or the one before it. Nothing was changed.',
      },
    );
  }
  if (typeof format === 'number' && format < reads.min) {
    throw new StoreError(
      'version',
      `${directory} has format ${format}, written by Tenuto ${manifest.createdBy ?? '(unknown)'}; this is ${VERSION}, which reads ${rangeText(reads)}`,
      {
        hint: 'A release reads what the one before it wrote: start it with the releases in between, one after the other. Formats before the first release are not carried over.',
      },
    );
  }
  if (
    typeof format !== 'number' ||
    typeof directoryId !== 'string' ||
    typeof shardCount !== 'number' ||
    shardCount < 1 ||
    shardCount > MAX_SHARD_COUNT
  ) {
    throw new StoreError('version', `${file} is not a manifest of a data directory`, {
      hint: 'Restore it from a backup.',
    });
  }
  return { format, directoryId, shardCount, createdBy: manifest.createdBy ?? '', createdAt: manifest.createdAt ?? '' };
}

export function newManifest(shardCount: number): Manifest {
  if (!Number.isInteger(shardCount) || shardCount < 1 || shardCount > MAX_SHARD_COUNT) {
    throw new StoreError('misuse', `shardCount must be 1..${MAX_SHARD_COUNT}, not ${shardCount}`);
  }
  return {
    format: FORMAT.writes,
    directoryId: randomUUID(),
    shardCount,
    createdBy: VERSION,
    createdAt: new Date().toISOString(),
  };
}

/** The first step of making a data directory: what its manifest will be. Cut short after it, the next start goes on from there. */
export function beginDirectory(directory: string, shardCount: number): Manifest {
  const pending = join(directory, PENDING);
  const manifest = newManifest(shardCount);
  try {
    makeDirectory(directory);
    if (existsSync(pending)) {
      try {
        return parseManifest(directory, pending, FORMAT.reads);
      } catch {
        // Torn: it is written through before anything else is made.
      }
    }
    writeFileSync(pending, serialize(manifest), { flush: true });
  } catch (error) {
    throw unusable(directory, error);
  }
  return manifest;
}

/** Parents one by one: Node's `recursive` says ENOENT of a read-only file system, and tries for ever where making one is refused so (/proc). */
function makeDirectory(directory: string): void {
  const missing: string[] = [];
  for (let path = resolve(directory); !existsSync(path); path = dirname(path)) missing.push(path);
  for (const path of missing.reverse()) mkdirSync(path);
}

/**
 * Before a build writes rows of its own format into a directory of the one before: from now on it says so, and who cannot read them is refused. One of
 * a newer format that is read here stays what it is.
 */
export function raiseFormat(directory: string, manifest: Manifest, writes = FORMAT.writes): Manifest {
  if (manifest.format >= writes) return manifest;
  const raised = { ...manifest, format: writes };
  finishDirectory(directory, raised);
  return raised;
}

/** The last step: with the manifest the directory is there, whole; without it, it is not one. */
export function finishDirectory(directory: string, manifest: Manifest): void {
  try {
    const pending = join(directory, PENDING);
    writeFileSync(pending, serialize(manifest), { flush: true });
    renameSync(pending, join(directory, MANIFEST));
    syncPath(directory);
  } catch (error) {
    throw unusable(directory, error);
  }
}

/** Makes a file, or the names in a directory, durable. */
export function syncPath(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

const serialize = (manifest: Manifest): string => `${JSON.stringify(manifest, null, 2)}\n`;

/** For the message that the next process gets when it finds the directory locked. */
export function writePid(directory: string): void {
  try {
    writeFileSync(join(directory, PID_FILE), `${process.pid}\n`);
  } catch (error) {
    throw unusable(directory, error);
  }
}

export function removePid(directory: string): void {
  rmSync(join(directory, PID_FILE), { force: true });
}

/** What LevelDB's open error means. */
export function openError(directory: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'LEVEL_LOCKED' || /LOCK.*(held|already|temporarily)/i.test(cause.message))
      return locked(directory, error);
    if (/create_if_missing is false/.test(cause.message)) return emptied(directory);
    if (/corrupt/i.test(cause.message)) {
      return new StoreError('corrupt', `the data in ${directory} is damaged: ${cause.message}`, {
        cause: error,
        hint: '`tenuto data verify` says more; `tenuto data restore` brings back a backup.',
      });
    }
  }
  return unusable(directory, error);
}

/** The manifest says that there was a store. Starting with an empty one would forget what was acknowledged and what was voted. */
export function emptied(directory: string): StoreError {
  return new StoreError('corrupt', `the data in ${directory} is gone: ${MANIFEST} is there, but no store`, {
    hint: 'Bring back the `store` folder or restore a backup. To start with nothing, name an empty directory.',
  });
}

function locked(directory: string, error: unknown): StoreError {
  let holder = '';
  try {
    holder = ` (process ${readFileSync(join(directory, PID_FILE), 'utf8').trim()})`;
  } catch {
    // The holder has not written its pid yet.
  }
  return new StoreError('locked', `${directory} is in use by another server${holder}`, {
    cause: error,
    hint: 'Stop that one first, or name another directory with --data-dir.',
  });
}

export function unusable(directory: string, error: unknown): StoreError {
  const reasons: string[] = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) reasons.push(cause.message);
  const text = reasons.join(': ') || String(error);
  const hint = /EACCES|EPERM|EROFS|read-only|permission/i.test(text)
    ? 'The server needs to write there: check owner, permissions, and whether the file system is read-only.'
    : /ENOSPC|No space/i.test(text)
      ? 'Free some space, then start again.'
      : /ENOTDIR/.test(text)
        ? 'A part of that path is a file: name another directory.'
        : 'Check the directory and the disk.';
  return new StoreError('failed', `cannot use data directory ${directory}: ${text}`, { cause: error, hint });
}

// Ties a store to its directory: which directory it belongs to is also a row in it, so that a store that was emptied, or exchanged for
// another one's, is noticed instead of served (it would vote again and forget what was acknowledged).
import { StoreError } from '../../ports/store.ts';
import type { Write } from '../backend.ts';
import { frame, META, unframe } from '../framing.ts';
import { encodeExtent, extentKey, WHOLE_LOG } from '../log-extent.ts';
import type { LevelBackend } from './backend.ts';
import { emptied, type Manifest } from './directory.ts';

export const IDENTITY_KEY = `${META}id`;

type Identity = Pick<Manifest, 'directoryId' | 'shardCount'>;

export function identityWrite({ directoryId, shardCount }: Identity): Write {
  return [IDENTITY_KEY, frame(IDENTITY_KEY, Buffer.from(JSON.stringify({ directoryId, shardCount })))];
}

/** The first thing in a new store. */
export async function writeIdentity(backend: LevelBackend, identity: Identity): Promise<void> {
  const before = await readIdentity(backend);
  if (before === undefined) {
    const [found] = await backend.range({ from: '', to: '\xff', limit: 1, reverse: false });
    if (found !== undefined) throw foreign(backend, 'it has data but does not say whose');
    // With the extent row of an empty log, so that the first batch too replaces one.
    const none = extentKey(WHOLE_LOG.through);
    await backend.write([identityWrite(identity), [none, frame(none, encodeExtent(WHOLE_LOG))]], 'sync');
  } else checkSame(backend, identity, before);
}

export async function checkIdentity(backend: LevelBackend, directory: string, identity: Identity): Promise<void> {
  const found = await readIdentity(backend);
  if (found === undefined) throw emptied(directory);
  checkSame(backend, identity, found);
}

async function readIdentity(backend: LevelBackend): Promise<Identity | undefined> {
  const framed = await backend.get(IDENTITY_KEY);
  if (framed === undefined) return undefined;
  const value = unframe(IDENTITY_KEY, framed, (key) => backend.locate(key));
  return JSON.parse(Buffer.from(value).toString()) as Identity;
}

function checkSame(backend: LevelBackend, { directoryId, shardCount }: Identity, found: Identity): void {
  if (found.directoryId === directoryId && found.shardCount === shardCount) return;
  const whose = `${found.directoryId} with ${found.shardCount} shards`;
  throw foreign(backend, `it belongs to directory ${whose}, not to ${directoryId} with ${shardCount}`);
}

function foreign(backend: LevelBackend, what: string): StoreError {
  return new StoreError('corrupt', `the store in ${backend.name} is not this directory's: ${what}`, {
    hint: 'Put back the right `store` folder, or restore a backup.',
  });
}

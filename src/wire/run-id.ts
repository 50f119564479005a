// Run ids are UUIDs of version 7 (RFC 9562): their first 48 bits are the moment the run began, so that a run is found by its id at its place in
// order of time, without an index of ids. Doors name runs before they begin and leave the moment out; the shard that begins one fills it in.
// Ids of other origin are as good: those have rows (shard/visibility.ts). Nothing else may be read from an id.

/** Version 7, and no time yet. */
const UNTIMED = '00000000-0000-7';
/** Where the time ends: behind come twelve random bits, the variant, and 62 random bits. */
const RANDOM_AT = UNTIMED.length;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** Greater times have no room. */
const MAX_TIME = 2 ** 48 - 1;

/** The id of a run that has not begun, out of a random UUID; any other text is its own. */
export const untimedRunId = (uuid: string): string => (UUID.test(uuid) ? UNTIMED + uuid.slice(RANDOM_AT) : uuid);

/** The id under which a run begins at this moment, epoch ms: an untimed one with the moment in it, any other as it is. */
export function timedRunId(runId: string, atMs: number): string {
  if (!runId.startsWith(UNTIMED)) return runId;
  const time = Math.min(MAX_TIME, Math.max(0, Math.floor(atMs)))
    .toString(16)
    .padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${runId.slice(RANDOM_AT)}`;
}

/** The moment in an id, epoch ms; undefined: it has none. */
export const runIdTime = (runId: string): number | undefined =>
  runId.charAt(14) === '7' && UUID.test(runId)
    ? Number.parseInt(runId.slice(0, 8) + runId.slice(9, 13), 16)
    : undefined;

/**
 * What the server calls the request of a run that no client has asked for: a retry, say, or the next run of a cron schedule. Another UUID than that of
 * the run, and always the same one; any other text is its own.
 */
export function ownRequestId(runId: string): string {
  if (!UUID.test(runId)) return runId;
  const [time = '', moment = '', version = '', variant = '', random = ''] = runId.split('-');
  return `${random.slice(0, 8)}-${random.slice(8)}-4${version.slice(1)}-${variant}-${time}${moment}`;
}

/** Whether a run that goes by `runId` was named `named` by the door that asked for it. */
export const isNamed = (runId: string, named: string): boolean =>
  runId === named || (named.startsWith(UNTIMED) && runId.slice(RANDOM_AT) === named.slice(RANDOM_AT));

// Keys of every row the shards write, as binary strings (ports/ids.ts): string order is byte order, and a key indexes a Map.
//
//   a base 'c' id                      chain rows of an actor             a base 'r' run table id   rows of one run
//   e base run firstEventId            one batch of history events        s session kind base …     started tasks of a session
//   b ns queue kind priority time …    waiting tasks, best first          n shard ns queue kind     how many wait, per shard
//   t time base …                      timers, earliest first             o source dest seq         outbox
//   v index ns value ~start run shard  visibility, newest first           m …                       meta of shards, what is ordinary in them, low waters
//   a base 's'                         what a namespace was told, where its own base has no workflow id
//   a base 'j' job id                  its batch jobs, there too: how far each has come, and what it is to do
//   a base 'n' name, a base 'v'        all namespaces, where one without a name would be told things; how often they changed
//   a base 'q' ns queue kind           configured task queues, there too
//   a base 'p' kind run task           where a waiting task of the actor is, when fairness says (b: pass instead of time)
//   a base 'w' ns name, a base 'x'     all worker deployments, there too; how often they changed
//
// base = shard, namespace, workflow id. Ranges that serve a whole node (b, t, v, s) do not begin with the shard.

import type { RowTable } from '../core/workflow/outcome.ts';
import { START_ROW_ID } from '../core/workflow/rows.ts';
import { type Key, key } from '../ports/ids.ts';
import type { QueueKey, TaskKind } from '../ports/matching.ts';

// Clients know it too.
export { shardOf } from '../wire/shard.ts';

/** Every character is one byte of UTF-8 and none is 0x00: the text is its own key. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 0 || code > 0x7f) return false;
  }
  return true;
}

function fromUtf8(binary: string): string {
  return isPlain(binary) ? binary : Buffer.from(binary, 'latin1').toString('utf8');
}

/** UTF-8 as a binary string. */
export function utf8(text: string): string {
  return isPlain(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** The same of bytes as a binary string. */
export const binaryPart = (bytes: string): string => `${escaped(bytes)}\x00\x01`;

/** Without its end: what begins with it begins with these bytes. */
export const escaped = (bytes: string): string => bytes.replaceAll('\x00', '\x00\xff');

/** A number in eight bytes whose order is that of numbers. */
export function f64(n: number): string {
  FLOAT.setFloat64(0, n === 0 ? 0 : n);
  const high = FLOAT.getUint32(0);
  const low = FLOAT.getUint32(4);
  // Of negative numbers the greater bytes are the smaller number.
  return n < 0 ? u32(~high >>> 0) + u32(~low >>> 0) : u32((high ^ 0x8000_0000) >>> 0) + u32(low);
}

/** What `f64` wrote at `at`. */
export function readF64(k: string, at: number): number {
  const high = readU32(k, at);
  const low = readU32(k, at + 4);
  const negative = high < 0x8000_0000;
  FLOAT.setUint32(0, negative ? ~high >>> 0 : (high ^ 0x8000_0000) >>> 0);
  FLOAT.setUint32(4, negative ? ~low >>> 0 : low);
  return FLOAT.getFloat64(0);
}

const readU32 = (k: string, at: number): number => readU16(k, at) * 0x1_0000 + readU16(k, at + 2);

const FLOAT = new DataView(new ArrayBuffer(8));

/** Text inside a key: order-preserving and self-delimiting (0x00 becomes 00 FF, the end is 00 01). */
export function part(text: string): string {
  if (isPlain(text)) return `${text}\x00\x01`;
  return `${Buffer.from(text, 'utf8').toString('latin1').replaceAll('\x00', '\x00\xff')}\x00\x01`;
}

export const u8 = (n: number): string => String.fromCharCode(n);
export const u16 = (n: number): string => String.fromCharCode(n >>> 8, n & 255);
export const u32 = (n: number): string => String.fromCharCode(n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255);

/** Six bytes: enough for epoch milliseconds and event ids. Below zero counts as zero. */
export function u48(n: number): string {
  const value = n > 0 ? Math.min(Math.floor(n), MAX_U48) : 0;
  return u16(Math.floor(value / 0x1_0000_0000)) + u32((value % 0x1_0000_0000) >>> 0);
}

export const MAX_U48 = 2 ** 48 - 1;

/** The same, newest first. */
export const inverted = (n: number): string => u48(MAX_U48 - Math.max(0, Math.floor(n)));

export function readU48(text: string, at: number): number {
  let n = 0;
  for (let i = at; i < at + 6; i += 1) n = n * 256 + text.charCodeAt(i);
  return n;
}

/** The first key after every key that begins with `prefix`. */
export function after(prefix: string): Key {
  const last = prefix.charCodeAt(prefix.length - 1);
  return last === 0xff ? after(prefix.slice(0, -1)) : key(prefix.slice(0, -1) + u8(last + 1));
}

/** The key right after this one. */
export const next = (k: Key): Key => key(`${k}\x00`);

/** Text that `part` wrote at `at`, and where what follows begins. */
export function readPart(k: string, at: number): { text: string; next: number } {
  let end = k.indexOf('\x00', at);
  while (k.charCodeAt(end + 1) === 0xff) end = k.indexOf('\x00', end + 1);
  if (end < 0 || k.charCodeAt(end + 1) !== 1) throw new Error(`A key is cut short: ${printable(k)}`);
  return { text: fromUtf8(k.slice(at, end).replaceAll('\x00\xff', '\x00')), next: end + 2 };
}

export const base = (shard: number, namespace: string, workflowId: string): string =>
  u16(shard) + part(namespace) + part(workflowId);

const TABLES: Record<RowTable, string> = {
  chain: 'c',
  run: 'r',
  activity: 'a',
  timer: 't',
  child: 'h',
  external: 'x',
  update: 'u',
  buffered: 'b',
  callback: 'k',
  operation: 'o',
};
const TABLE_NAMES = new Map(Object.entries(TABLES).map(([name, letter]) => [letter, name as RowTable]));

/** Settings of a namespace live where a workflow without an id would: no door lets one start. */
export const settingsKey = (shard: number, namespace: string): Key => key(`a${base(shard, namespace, '')}s`);

export const jobsPrefix = (actorBase: string): string => `a${actorBase}j`;
/** Two rows a job, this one first. */
export const jobProgressKey = (actorBase: string, jobId: string): Key => key(`${jobsPrefix(actorBase)}${part(jobId)}p`);
export const jobSpecKey = (actorBase: string, jobId: string): Key => key(`${jobsPrefix(actorBase)}${part(jobId)}s`);

export const namespacesPrefix = (actorBase: string): string => `a${actorBase}n`;
export const namespaceKey = (actorBase: string, name: string): Key => key(namespacesPrefix(actorBase) + part(name));
/** Of all namespaces, or of one. */
export const queueConfigsPrefix = (actorBase: string, namespace?: string): string =>
  `a${actorBase}q${namespace === undefined ? '' : part(namespace)}`;
export const queueConfigKey = (actorBase: string, queue: QueueKey): Key =>
  key(queueConfigsPrefix(actorBase) + queuePart(queue));
export const revisionKey = (actorBase: string): Key => key(`a${actorBase}v`);

export const endpointsPrefix = (actorBase: string): string => `a${actorBase}E`;
export const endpointKey = (actorBase: string, id: string): Key => key(endpointsPrefix(actorBase) + part(id));
export const endpointRevisionKey = (actorBase: string): Key => key(`a${actorBase}F`);
/** Where a task of an actor waits cannot be told from the actor's rows when it has a pass: then this row tells it. */
export const passKey = (actorBase: string, kind: TaskKind, runId: string, scheduledEventId: number): Key =>
  key(`a${actorBase}p${kindLetter(kind)}${part(runId)}${u48(scheduledEventId)}`);
/** Of one namespace, or of all. */
export const deploymentsPrefix = (actorBase: string, namespace?: string): string =>
  `a${actorBase}w${namespace === undefined ? '' : part(namespace)}`;
export const deploymentKey = (actorBase: string, namespace: string, name: string): Key =>
  key(deploymentsPrefix(actorBase, namespace) + part(name));
export const deploymentRevisionKey = (actorBase: string): Key => key(`a${actorBase}x`);

export const chainPrefix = (actorBase: string): string => `a${actorBase}c`;
export const runPrefix = (actorBase: string, runId: string): string => `a${actorBase}r${part(runId)}`;

/** Given the `runPrefix`. */
export const runRowKey = (prefix: string, table: Exclude<RowTable, 'chain'>, id: string): Key =>
  key(prefix + TABLES[table] + utf8(id));

export function rowKey(actorBase: string, table: RowTable, runId: string, id: string): Key {
  if (table === 'chain') return key(`a${actorBase}c${utf8(id)}`);
  return runRowKey(runPrefix(actorBase, runId), table, id);
}

/** Table and id of a row, given the prefix its range was read with. */
export function rowIdentity(k: Key, prefix: string): { table: RowTable; id: string } {
  if (prefix.endsWith('c')) return { table: 'chain', id: fromUtf8(k.slice(prefix.length)) };
  const table = TABLE_NAMES.get(k.charAt(prefix.length));
  if (table === undefined) throw new Error(`A row's key names no table: ${printable(k)}`);
  return { table, id: fromUtf8(k.slice(prefix.length + 1)) };
}

export const eventsPrefix = (actorBase: string, runId: string): string => `e${actorBase}${part(runId)}`;
export const eventsKey = (prefix: string, firstEventId: number): Key => key(prefix + u32(firstEventId));
export const firstEventIdOf = (k: Key): number => {
  let n = 0;
  for (let i = k.length - 4; i < k.length; i += 1) n = n * 256 + k.charCodeAt(i);
  return n;
};

/** Where what follows the part that begins at `at` begins. */
export function endOfPart(k: string, at: number): number {
  let end = k.indexOf('\x00', at);
  while (k.charCodeAt(end + 1) === 0xff) end = k.indexOf('\x00', end + 1);
  return end + 2;
}

/** Whose base stands at `at`, and where what follows begins. */
export function readBaseAt(k: string, at: number): { namespace: string; workflowId: string; next: number } {
  const namespace = readPart(k, at + 2);
  const workflowId = readPart(k, namespace.next);
  return { namespace: namespace.text, workflowId: workflowId.text, next: workflowId.next };
}

const kindLetter = (kind: TaskKind): string => (kind === 'workflow' ? 'w' : 'a');

export const startedPrefix = (session: string): string => `s${part(session)}`;
export const startedKey = (
  session: string,
  kind: TaskKind,
  actorBase: string,
  runId: string,
  scheduledEventId: number,
): Key => key(startedPrefix(session) + kindLetter(kind) + actorBase + part(runId) + u48(scheduledEventId));

/** What a `startedKey` says, given the prefix of its session. */
export function readStartedKey(
  k: Key,
  prefix: string,
): { kind: TaskKind; namespace: string; workflowId: string; runId: string; scheduledEventId: number } {
  const kind: TaskKind = k.charAt(prefix.length) === 'w' ? 'workflow' : 'activity';
  const { namespace, workflowId, next: run } = readBaseAt(k, prefix.length + 1);
  const { text: runId, next: scheduled } = readPart(k, run);
  return { kind, namespace, workflowId, runId, scheduledEventId: readU48(k, scheduled) };
}

export const queuePart = (queue: QueueKey): string => part(queue.namespace) + part(queue.name) + kindLetter(queue.kind);
/**
 * From here on what stands in a backlog's key after the priority is a pass, below it a time: no time of this era comes near. So tasks that began to wait
 * before a queue's first fair one come before it, and older builds read the same layout.
 */
const FAIR = 2 ** 47;
export const backlogPrefix = (queue: QueueKey): string => `b${queuePart(queue)}`;
export const backlogKey = (
  queue: QueueKey,
  task: {
    priority: number;
    scheduledTime: number;
    /** Fairness (core/matching/fairness.ts); undefined where nobody asks for it. */
    pass?: number | undefined;
    actorBase: string;
    runId: string;
    scheduledEventId: number;
  },
): Key =>
  key(
    backlogPrefix(queue) +
      u8(Math.min(255, Math.max(0, task.priority))) +
      u48(task.pass === undefined ? task.scheduledTime : FAIR + Math.min(task.pass, FAIR - 1)) +
      task.actorBase +
      part(task.runId) +
      u48(task.scheduledEventId),
  );
/** Of a waiting task, given its queue's prefix. */
export const backlogPriority = (k: Key, prefix: string): number => k.charCodeAt(prefix.length);
/** Undefined when its place is a pass: then its row tells its age. */
export function backlogTime(k: Key, prefix: string): number | undefined {
  const place = readU48(k, prefix.length + 1);
  return place < FAIR ? place : undefined;
}
/** Undefined when its place is its age. */
export function backlogPass(k: Key, prefix: string): number | undefined {
  const place = readU48(k, prefix.length + 1);
  return place < FAIR ? undefined : place - FAIR;
}
export const priorityRange = (prefix: string, priority: number): { from: Key; to: Key } => ({
  from: key(prefix + u8(priority)),
  to: key(prefix + u8(priority + 1)),
});
/** The waiting tasks of one priority that have a pass. */
export const fairRange = (prefix: string, priority: number): { from: Key; to: Key } => ({
  from: key(prefix + u8(priority) + u48(FAIR)),
  to: key(prefix + u8(priority + 1)),
});
/** Its queue, and where the base of the task's actor begins. */
export function readBacklogKey(k: Key): { queue: QueueKey; baseAt: number } {
  const namespace = readPart(k, 1);
  const name = readPart(k, namespace.next);
  const kind: TaskKind = k.charAt(name.next) === 'w' ? 'workflow' : 'activity';
  // After the kind: priority and time.
  return { queue: { namespace: namespace.text, name: name.text, kind }, baseAt: name.next + 8 };
}
export const backlogCountKey = (shard: number, queue: QueueKey): Key => key(`n${u16(shard)}${queuePart(queue)}`);
export const backlogLowWaterKey = (queue: QueueKey): Key => key(`mb${queuePart(queue)}`);

export const timerKey = (at: number, actorBase: string): Key => key(`t${u48(at)}${actorBase}a`);
export const retentionKey = (at: number, actorBase: string, runId: string): Key =>
  key(`t${u48(at)}${actorBase}d${part(runId)}`);
export const jobTimerKey = (at: number, actorBase: string, jobId: string): Key =>
  key(`t${u48(at)}${actorBase}j${part(jobId)}`);

export const namespaceTimerKey = (at: number, actorBase: string, name: string): Key =>
  key(`t${u48(at)}${actorBase}n${part(name)}`);

export interface TimerIdentity {
  namespace: string;
  workflowId: string;
  /** Set when it ends the retention of a closed run. */
  retainedRunId: string | undefined;
  /** Set when it drives a batch job. */
  jobId: string | undefined;
  /** Set when it takes away what is left of this namespace. */
  goneNamespace: string | undefined;
}

/** Whose timer it is. */
export function readTimerKey(k: Key): TimerIdentity {
  const { namespace, workflowId, next: kind } = readBaseAt(k, 7);
  const letter = k.charAt(kind);
  const retainedRunId = letter === 'd' ? readPart(k, kind + 1).text : undefined;
  const jobId = letter === 'j' ? readPart(k, kind + 1).text : undefined;
  const goneNamespace = letter === 'n' ? readPart(k, kind + 1).text : undefined;
  return { namespace, workflowId, retainedRunId, jobId, goneNamespace };
}
export const readU16 = (k: string, at: number): number => k.charCodeAt(at) * 256 + k.charCodeAt(at + 1);
/** Of a `startedKey`. */
export const startedShard = (k: Key): number => readU16(k, k.indexOf('\x00\x01', 1) + 3);
export const timerShard = (k: Key): number => readU16(k, 7);
/** Given its queue's prefix. */
export const backlogShard = (k: Key, prefix: string): number => readU16(k, prefix.length + 7);
export const timerAt = (k: Key): number => readU48(k, 1);

export const outboxPrefix = (source: number): string => `o${u16(source)}`;
export const outboxSource = (k: Key): number => readU16(k, 1);
export const outboxDestination = (k: Key): number => readU16(k, 3);
export const outboxSeq = (k: Key): number => readU48(k, 5);
export const outboxKey = (source: number, destination: number, seq: number): Key =>
  key(`o${u16(source)}${u16(destination)}${u48(seq)}`);

/** Of a row of the status index: its namespace, still as in the key, and its status. */
export function statusCountOf(k: string): { namespace: string; status: number } {
  const end = endOfPart(k, 2);
  return { namespace: k.slice(2, end), status: k.charCodeAt(end) };
}

/** What is ordinary in a shard, value by value (ordinary.ts). */
export const ordinaryPrefix = (shard: number): string => `mo${u16(shard)}`;
export const ordinaryShard = (k: string): number => readU16(k, 2);
export const shardMetaKey = (shard: number): Key => key(`ms${u16(shard)}`);
export const TIMER_LOW_WATER = key('mt');

/**
 * Which partition of the overlay a key lives in: the smallest part a range is ever read over. Actors' rows and events by actor,
 * started tasks by session, the rest by its first letters.
 */
export function partitionOf(k: string): string {
  switch (k.charCodeAt(0)) {
    case 0x61: // a
    case 0x65: // e
      return k.slice(0, k.indexOf('\x00\x01', k.indexOf('\x00\x01', 3) + 2) + 2);
    case 0x73: // s
      return k.slice(0, k.indexOf('\x00\x01', 1) + 2);
    case 0x76: // v
      return k.slice(0, 2);
    default:
      return k.charAt(0);
  }
}

/**
 * Rows written once and then deleted, never rewritten in place: born and gone between two flushes, they need no trace on disk.
 * (The visibility rows with an execution's or a schedule's info, `va` and `vc`, are rewritten; one of a workflow id, `vw`, may be there from an older
 * version.)
 */
export function isWriteOnce(k: string): boolean {
  switch (k.charCodeAt(0)) {
    case 0x62: // b
    case 0x65: // e
    case 0x6f: // o
    case 0x73: // s
    case 0x74: // t
      return true;
    case 0x76: // v
      return k.charCodeAt(1) !== 0x61 && k.charCodeAt(1) !== 0x63 && k.charCodeAt(1) !== 0x77;
    default:
      return false;
  }
}

/** For a row of a run: the run's first row, written when the run began and never again. */
export function startRowOf(k: string): Key | undefined {
  if (k.charCodeAt(0) !== 0x61) return undefined; // a
  const base = k.indexOf('\x00\x01', k.indexOf('\x00\x01', 3) + 2) + 2;
  if (k.charCodeAt(base) !== 0x72) return undefined; // r
  return key(`${k.slice(0, k.indexOf('\x00\x01', base) + 2)}${TABLES.run}${START_ROW_ID}`);
}

/** What the keys of a run's rows begin with, of its first row's. */
export const runOf = (start: Key): string => start.slice(0, -(TABLES.run.length + START_ROW_ID.length));

/** For messages to people: a key with its unprintable bytes in hexadecimal. */
export const printable = (k: string): string =>
  JSON.stringify(k).slice(1, -1).replaceAll('\\u0000\\u0001', '/').replaceAll('\\u00', '\\x');

// What stands in Redis, as text and back. Whoever can write to Redis can write anything, so whatever comes back is checked: what is no
// value of ours is `undefined`, never a wrong value and never an error thrown.

import {
  type ClusterRecord,
  type LeaderHint,
  MAX_TERM,
  type NodeSession,
  type Peer,
  type PublishedPlan,
} from '../../../src/ports/coordinator.ts';
import { type ShardId, shardId, type Term, term } from '../../../src/ports/ids.ts';

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= 1_000;
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** `<word> <rest>` */
function split(text: unknown): [string, string] | undefined {
  if (typeof text !== 'string') return undefined;
  const at = text.indexOf(' ');
  return at < 0 ? undefined : [text.slice(0, at), text.slice(at + 1)];
}

function number(text: unknown, most: number): number | undefined {
  if (typeof text !== 'string' || !/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= most ? value : undefined;
}

/** The fields of a JSON object behind the first word. */
function fields(text: unknown): Record<string, unknown> | undefined {
  const json = split(text)?.[1];
  if (json === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(json);
    // An object's fields are looked at one by one below.
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

export function parseTerm(text: unknown): Term | undefined {
  const value = number(text, MAX_TERM);
  return value === undefined || value === 0 ? undefined : term(value);
}

export function clusterValue({ clusterId, incarnation, shardCount, createdAtMs }: ClusterRecord): string {
  return JSON.stringify({ clusterId, incarnation, shardCount, createdAtMs });
}

export function parseCluster(text: unknown): ClusterRecord | undefined {
  const { clusterId, incarnation, shardCount, createdAtMs } = fields(text) ?? {};
  if (!isText(clusterId) || !isText(incarnation) || !isCount(shardCount) || !isCount(createdAtMs)) return undefined;
  return { clusterId, incarnation, shardCount, createdAtMs };
}

export function sessionValue({ node, directoryId, sessionId }: NodeSession): string {
  return `${sessionId} ${JSON.stringify({ node, directoryId, sessionId })}`;
}

export function parseSession(text: unknown): NodeSession | undefined {
  const { node, directoryId, sessionId } = fields(text) ?? {};
  return isText(node) && isText(directoryId) && isText(sessionId) ? { node, directoryId, sessionId } : undefined;
}

export function peerValue({ name, directoryId, gossip, link, client }: Peer): string {
  return JSON.stringify({ name, directoryId, gossip, link, client });
}

export function parsePeer(text: unknown): Peer | undefined {
  const { name, directoryId, gossip, link, client } = fields(text) ?? {};
  if (!isText(name) || !isText(directoryId) || !isText(gossip) || !isText(link) || !isText(client)) return undefined;
  return { name, directoryId, gossip, link, client };
}

export function parsePlan(text: unknown): PublishedPlan | undefined {
  const [word, body] = split(text) ?? [];
  const version = number(word, MAX_TERM);
  return version === undefined || version === 0 || body === undefined ? undefined : { version, body };
}

export function parseHint(shard: unknown, text: unknown): LeaderHint | undefined {
  const [word, directoryId] = split(text) ?? [];
  const id = number(shard, 65_535);
  const inTerm = parseTerm(word);
  if (id === undefined || inTerm === undefined || !isText(directoryId)) return undefined;
  const of: ShardId = shardId(id);
  return { shard: of, term: inTerm, directoryId };
}

/** HGETALL's answer as pairs: flat in every protocol we speak. */
export function pairs(answer: unknown): [unknown, unknown][] {
  // ioredis turns the flat answer into an object of strings.
  return typeof answer === 'object' && answer !== null ? Object.entries(answer) : [];
}

// What of two answers has to be the same: everything, but for what is each server's own. Times become `<time>`, ids that it made a number by first
// appearance, tokens `<token>`.

import { apiRoot } from '../../src/frontend/grpc/proto/descriptors.ts';
import { type Answer, type Plain, plain } from './side.ts';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
/** What a schedule puts behind the ids of what it starts. */
const ACTION_TIME = /-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g;
const TOKENS = new Set(['taskToken', 'nextPageToken', 'conflictToken', 'longPollToken', 'namespaceId']);
/** Lists without an order. */
const UNORDERED = new Set(['groups']);
const sorted = (list: unknown[]): unknown[] => list.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
/** How far off the next full hour or year is. */
const CLOCKS = new Set(['firstWorkflowTaskBackoff']);
/** Sizes, counters and clocks of the server itself, its name and what it runs on. */
const OWN = new Set([
  ...['taskId', 'historySizeBytes', 'stateTransitionCount', 'version', 'pollerScalingDecision', 'pollerGroupId'],
  ...['pollerGroupInfos', 'executionDuration', 'clusterId', 'persistenceStore', 'visibilityStore', 'serverVersion'],
  ...['historyShardCount', 'initialFailoverVersion', 'failoverVersionIncrement', 'httpAddress', 'supportedClients'],
  ...[
    'tasksAddRate',
    'tasksDispatchRate',
    'ratePerSecond',
    'historyLength',
    'stateSizeBytes',
    'versionInfo',
    'backlogCountHint',
  ],
  ...['approximateBacklogAge', 'clusterName', 'activeClusterName', 'ownerHostName', 'storageSchema'],
]);
/** Names that its SQL tables have columns for. */
const COLUMN = /^(Bool|Datetime|Double|Int|Keyword|KeywordList|Text)\d\d$/;

/** Ids of requests: of one that a server has made for itself each says its own, or none, and it is no number of what both have. */
const REQUESTS = new Set(['requestId', 'startRequestId']);
const OWN_REQUEST = '<request>';
/** By ids of requests. */
const BY_REQUEST = 'requestIdInfos';

/** Where a server says by which request of its own it gave a task out. */
const TASK_STARTED = 'workflowTaskStartedEventAttributes';

/** Its text says how long it took, and where. */
const DEADLINE = 4;

export class Normal {
  readonly #ids: Map<string, string>;

  constructor(ids: ReadonlyMap<string, string> = new Map()) {
    this.#ids = new Map(ids);
  }

  /** Knows the same ids; what it learns is its own. */
  copy(): Normal {
    return new Normal(this.#ids);
  }

  /** As text, in which the same answers are the same. */
  answer({ code, message, details, body }: Answer): Plain {
    if (code === DEADLINE) return { code };
    // What is named in words alone is no number of what both have.
    const said = message === '' ? '' : this.copy().#text(message);
    return { code, message: said, details: this.#value(details), body: this.#value(body) };
  }

  #text(text: string): string {
    return text.replace(ACTION_TIME, '-<time>').replace(UUID, (uuid) => {
      const known = this.#ids.get(uuid) ?? `uuid#${this.#ids.size + 1}`;
      this.#ids.set(uuid, known);
      return known;
    });
  }

  #value(value: unknown): unknown {
    if (typeof value === 'string') return this.#text(value);
    if (value instanceof Uint8Array) return this.#text(Buffer.from(value).toString());
    if (Array.isArray(value)) return value.map((one) => this.#value(one));
    if (value === null || typeof value !== 'object') return value;
    const whole = opened(value as Plain);
    if (isDuration(whole)) return durationOf(whole);
    const entries = Object.entries(whole)
      .filter(([key]) => !OWN.has(key) && !COLUMN.test(key))
      .map(([key, one]) => [this.#text(key), this.#field(key, one)] as const)
      .filter(([, one]) => !isDefault(one));
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #field(key: string, value: unknown): unknown {
    if (TOKENS.has(key)) return (value as Uint8Array | string).length === 0 ? undefined : '<token>';
    if (CLOCKS.has(key)) return durationOf(value as Plain) === undefined ? undefined : '<until then>';
    if (isTime(key, value)) return isZeroTime(value) ? undefined : '<time>';
    if (REQUESTS.has(key) && isOwnRequest(value)) return OWN_REQUEST;
    if (key === BY_REQUEST) return this.#value(withoutOwn(value as Plain));
    const whole = this.#value(key === TASK_STARTED ? { ...(value as Plain), requestId: '' } : value);
    return UNORDERED.has(key) && Array.isArray(whole) ? sorted(whole) : whole;
  }
}

const isOwnRequest = (id: unknown): boolean => typeof id === 'string' && id.search(UUID) === 0;
const withoutOwn = (byRequest: Plain): Plain =>
  Object.fromEntries(Object.entries(byRequest).filter(([id]) => !isOwnRequest(id)));

/** A message within `Any`, which each server writes in its own order. */
function opened(value: Plain): Plain {
  const { type_url: url, value: bytes } = value;
  if (typeof url !== 'string' || !(bytes instanceof Uint8Array)) return value;
  const name = url.slice(url.lastIndexOf('/') + 1);
  return { type: name, ...plain(apiRoot().lookupType(name), bytes) };
}

const isDuration = (value: Plain): value is { seconds?: number; nanos?: number } => {
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => key === 'seconds' || key === 'nanos');
};

/** However it was written: two thousand million nanoseconds are two seconds. */
const durationOf = ({ seconds = 0, nanos = 0 }: { seconds?: number; nanos?: number }): string | undefined =>
  seconds === 0 && nanos === 0 ? undefined : `${seconds + nanos / 1e9} s`;

const isTime = (key: string, value: unknown): value is { seconds?: number } =>
  /(Time|Timestamp|Date|At)$/.test(key) && !Array.isArray(value) && typeof value === 'object' && value !== null;

/** Absent, or the first of January of year 1: what a server has that never set it. */
const isZeroTime = ({ seconds = 0 }: { seconds?: number }): boolean => seconds <= 0;

const isDefault = (value: unknown): boolean =>
  value === undefined ||
  value === '' ||
  value === 0 ||
  value === false ||
  (typeof value === 'string' && /_UNSPECIFIED$/.test(value)) ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' && value !== null && Object.keys(value).length === 0);

export interface Unlike {
  readonly path: string;
  readonly a: unknown;
  readonly b: unknown;
}

/** Every path at which two values are not the same, the outermost of each. */
export function differencesOf(a: unknown, b: unknown, path = ''): Unlike[] {
  if (Object.is(a, b)) return [];
  const objects = typeof a === 'object' && typeof b === 'object' && a !== null && b !== null;
  if (!objects || Array.isArray(a) !== Array.isArray(b)) return [{ path, a, b }];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .sort()
    .flatMap((key) => differencesOf((a as Plain)[key], (b as Plain)[key], path === '' ? key : `${path}.${key}`));
}

// What of two answers has to be the same: everything, but for what is each server's own. Times become `<time>`, ids that it made a number by first
// appearance, tokens `<token>`.

import type { Answer, Plain } from './side.ts';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TOKENS = new Set(['taskToken', 'nextPageToken', 'conflictToken', 'longPollToken', 'namespaceId']);
/** Sizes, counters and clocks of the server itself. */
const OWN = new Set([
  ...['taskId', 'historySizeBytes', 'stateTransitionCount', 'version', 'pollerScalingDecision', 'pollerGroupId'],
  ...['pollerGroupInfos', 'executionDuration', 'clusterId', 'persistenceStore', 'visibilityStore', 'serverVersion'],
  ...[
    'historyShardCount',
    'initialFailoverVersion',
    'failoverVersionIncrement',
    'httpAddress',
    'approximateBacklogAge',
  ],
  ...['tasksAddRate', 'tasksDispatchRate', 'ratePerSecond', 'historyLength', 'stateSizeBytes', 'versionInfo'],
]);

export class Normal {
  readonly #ids = new Map<string, string>();

  /** As text, in which the same answers are the same. */
  answer({ code, message, details, body }: Answer): Plain {
    return { code, message: this.#text(message), details: this.#value(details), body: this.#value(body) };
  }

  #text(text: string): string {
    return text.replace(UUID, (uuid) => {
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
    const entries = Object.entries(value)
      .filter(([key]) => !OWN.has(key))
      .map(([key, one]) => [key, this.#field(key, one)] as const)
      .filter(([, one]) => !isDefault(one));
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #field(key: string, value: unknown): unknown {
    if (TOKENS.has(key)) return (value as Uint8Array | string).length === 0 ? undefined : '<token>';
    if (isTime(key, value)) return isZeroTime(value) ? undefined : '<time>';
    return this.#value(value);
  }
}

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

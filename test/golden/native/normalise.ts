// Plain JSON → comparable JSON: whatever differs between two runs of the same scenario on the same server becomes a stable
// placeholder; ids keep their identity (the same run is the same `run#n`). The rules are those the recordings were made with.
import type { Plain } from './plain.ts';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g;
/** Every id and task queue a scenario makes ends with one of these. */
const NONCE = /~[0-9a-f]{8}/g;

const DROPPED = new Set([
  'eventTime',
  'taskId',
  'version',
  'stackTrace',
  'executionDuration',
  'conflictToken',
  'backlogCountHint',
  'pollerScalingDecision',
]);
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  historySizeBytes: '<size>',
  stateSizeBytes: '<size>',
  stateTransitionCount: '<count>',
  currentRetryInterval: '<interval>',
  requestId: '<requestId>',
  taskToken: '<token>',
  nextPageToken: '<token>',
  sdkName: '<sdk>',
  sdkVersion: '<sdk>',
  namespaceId: '<namespaceId>',
  parentNamespaceId: '<namespaceId>',
  parentWorkflowNamespaceId: '<namespaceId>',
  externalWorkflowNamespaceId: '<namespaceId>',
  complete_time: '<time>',
  original_schedule_time: '<time>',
};
const OWN_IDENTITIES = 'oracle-';
const SETS = new Set(['coreUsedFlags', 'langUsedFlags']);
const CLOCKED_BACKOFFS = ['firstWorkflowTaskBackoff', 'backoffStartInterval'];

export class Normaliser {
  readonly #names = new Map<string, string>();
  #uuids = 0;

  /** @param runs the recorded runs, in order: they become run#1, run#2… */
  constructor(runs: readonly { runId: string }[]) {
    for (const { runId } of runs) if (!this.#names.has(runId)) this.#names.set(runId, `run#${this.#names.size + 1}`);
  }

  value(value: Plain | undefined, key = ''): Plain {
    if (value === undefined || value === null) return null;
    const placeholder = PLACEHOLDERS[key];
    if (placeholder !== undefined) return placeholder;
    if (key === 'identity' && typeof value === 'string' && !value.startsWith(OWN_IDENTITIES)) return '<server>';
    if (typeof value === 'string') return this.#text(value);
    if (typeof value !== 'object') return value;
    if (Array.isArray(value)) {
      if (SETS.has(key)) return [...value].sort((a, b) => Number(a) - Number(b));
      return value.map((item) => this.value(item));
    }
    return this.#object(value);
  }

  #object(object: { [key: string]: Plain }): Plain {
    const sticky = object.kind === 'TASK_QUEUE_KIND_STICKY';
    const clocked =
      object.cronSchedule !== undefined || /_(WORKFLOW|CRON_SCHEDULE)$/.test(String(object.initiator ?? ''));
    const out: { [key: string]: Plain } = {};
    for (const [key, value] of Object.entries(object)) {
      if (DROPPED.has(key)) continue;
      if (sticky && key === 'name') out[key] = '<sticky>';
      else if (clocked && CLOCKED_BACKOFFS.includes(key)) out[key] = '<backoff>';
      else out[this.#text(key)] = this.value(value, key);
    }
    return out;
  }

  #text(text: string): string {
    return text
      .replace(NONCE, '')
      .replace(TIME, '<time>')
      .replace(UUID, (uuid) => {
        const known = this.#names.get(uuid);
        if (known) return known;
        this.#uuids += 1;
        const name = `uuid#${this.#uuids}`;
        this.#names.set(uuid, name);
        return name;
      });
  }
}

export interface Difference {
  path: string;
  expected: unknown;
  got: unknown;
}

/** The first place where two plain values differ. Ignored paths: `*` stands for one step, `**` for any number. */
export function firstDifference(expected: unknown, got: unknown, ignore: readonly string[]): Difference | undefined {
  const ignored = ignore.map(toPattern);
  const compare = (a: unknown, b: unknown, path: string[]): Difference | undefined => {
    const at = path.join('.');
    if (Object.is(a, b) || ignored.some((pattern) => pattern.test(at))) return undefined;
    if (!isContainer(a) || !isContainer(b) || Array.isArray(a) !== Array.isArray(b))
      return { path: at, expected: a, got: b };
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const difference = compare(a[key], b[key], [...path, key]);
      if (difference) return difference;
    }
    return undefined;
  };
  return compare(expected, got, []);
}

const isContainer = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function toPattern(path: string): RegExp {
  const steps = path.split('.').map((step) => {
    if (step === '**') return '.*';
    if (step === '*') return '[^.]*';
    return step.replace(/[\\^$+?()[\]{}|]/g, '\\$&');
  });
  return new RegExp(`^${steps.join('\\.')}$`);
}

// What a workflow publishes, read from the server: once, or as it changes. A reader's place is an event id of a run, so that after a broken
// connection it goes on where it was: nothing twice, nothing older after something newer, and always the latest at the end.

import { decode } from '../../src/wire/codec.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { decodeMessage } from '../common/codec.ts';
import type { LoadedDataConverter } from '../common/data-converter.ts';
import { fromPayloadsAtIndex } from '../common/payload-converter.ts';
import { RpcError, StatusCode } from '../connection/rpc-error.ts';
import { rethrowWorkflowError } from './errors.ts';
import { readStatePage, type StatePage, StateReader, type StateTarget } from './state-feed.ts';
import { successor } from './workflow-result.ts';

/** One value, as it became visible. */
export interface StateChange<T = unknown> {
  readonly key: string;
  readonly value: T;
  /** The place of the change: pass it as `after` to go on from here. */
  readonly runId: string;
  readonly eventId: number;
}

export interface WatchStateOptions {
  /** Only these. Default: all. */
  keys?: readonly string[] | undefined;
  /** Where an earlier watch stopped; what came until then is not told again. Default: begin with what is there. */
  after?: Pick<StateChange, 'runId' | 'eventId'> | undefined;
  /** Go on with the next run when this one continues as new, or is retried. Default: true. */
  followRuns?: boolean | undefined;
  /** Ends the watch. */
  signal?: AbortSignal | undefined;
}

export interface StateSource extends StateTarget {
  /** Default: the current run. */
  readonly runId?: string | undefined;
  readonly converter: LoadedDataConverter;
}

/** Before the server is asked again after it could not be, ms. */
const AGAIN_MS = 100;

/** All that a run publishes, by key. */
export async function readState(source: StateSource): Promise<Map<string, unknown>> {
  const values = new Map<string, unknown>();
  let { runId } = source;
  let fromEventId = 1;
  for (let more = true; more; ) {
    const page = await readStatePage(source, runId, fromEventId).catch((error) => refused(source, error));
    for (const { key, value } of await changesOf(source, page)) values.set(key, value);
    ({ runId, nextEventId: fromEventId, more } = page);
  }
  return values;
}

/** Values as they change, the present ones first; ends with the run (its chain of runs), or with the signal. */
export async function* watchState<T>(
  source: StateSource,
  options: WatchStateOptions,
): AsyncGenerator<StateChange<T>, void> {
  const { keys, after, signal } = options;
  let runId: string | undefined = after?.runId ?? source.runId;
  let fromEventId = (after?.eventId ?? 0) + 1;
  const reader = new StateReader(source);
  try {
    while (signal?.aborted !== true) {
      let page: StatePage;
      try {
        // Which run is the current one is looked up first.
        page = await (runId === undefined
          ? readStatePage(source, runId, fromEventId, signal)
          : reader.next(runId, fromEventId, signal));
      } catch (error) {
        await again(source, error, signal);
        continue;
      }
      runId = page.runId;
      for (const change of latest(await changesOf(source, page))) {
        // The caller names the types of the values.
        if (keys === undefined || keys.includes(change.key)) yield change as StateChange<T>;
      }
      fromEventId = page.nextEventId;
      if (!page.over) continue;
      const next: string | undefined = options.followRuns === false ? undefined : await runAfter(source, runId);
      if (next === undefined) return;
      runId = next;
      fromEventId = 1;
    }
  } finally {
    reader.leave();
  }
}

/** Without what the same page replaces: an event comes whole, though only one of its values may be the latest of its key. */
function latest(changes: readonly StateChange[]): readonly StateChange[] {
  if (changes.length === 1) return changes;
  return changes.filter(({ key }, i) => changes.findLastIndex((other) => other.key === key) === i);
}

/** Resolves when the server, which could not be asked, may be again, or nobody wants to know any more. @throws what it refused */
async function again(source: StateSource, error: unknown, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted === true) return;
  if (!(error instanceof RpcError) || error.code !== StatusCode.UNAVAILABLE) refused(source, error);
  await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
}

function refused({ workflowId, runId }: StateSource, error: unknown): never {
  rethrowWorkflowError(error, `Failed to read the state of workflow ${workflowId}`, { workflowId, runId });
}

/** The values in a page's markers, in their order. */
async function changesOf({ converter }: StateSource, { runId, events }: StatePage): Promise<StateChange[]> {
  const changes: StateChange[] = [];
  for (const event of events) {
    if (event.eventType !== EventType.MARKER_RECORDED) continue;
    const given = decodeMessage(converter.payloadCodecs, event.attributes.details ?? {});
    const details = given instanceof Promise ? await given : given;
    for (const [key, { payloads }] of Object.entries(details)) {
      const value: unknown =
        payloads === undefined ? undefined : fromPayloadsAtIndex(converter.payloadConverter, 0, payloads);
      changes.push({ key, value, runId, eventId: event.eventId });
    }
  }
  return changes;
}

/** The run that carries a closed one's chain on. */
async function runAfter(source: StateSource, runId: string): Promise<string | undefined> {
  const { connection, namespace, workflowId } = source;
  const request = { namespace, workflowId, runId, followRuns: false };
  const { closeEvent } = await connection
    .request('awaitWorkflowResult', request)
    .catch((error) => refused(source, error));
  // The server's own bytes: one event.
  const [event] = decode(closeEvent) as HistoryEvent[];
  return event === undefined ? undefined : successor(event);
}

// Recordings of the reference server as histories the engine can work on: what the recorder decoded is encoded again, what it made
// placeholders of gets some value.

import { readFileSync } from 'node:fs';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { historyFromJSON } from '../../common/history-json.ts';
import { isRecord } from '../../common/type-helpers.ts';

type Json = null | string | number | boolean | Json[] | { [key: string]: Json };

export interface RecordedRun {
  workflowId: string;
  runId: string;
  events: HistoryEvent[];
  /** As recorded, to compare with. */
  plain: { [key: string]: Json }[];
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const SOME_TIME = '2026-01-01T00:00:00Z';

/** Payloads over 4 KiB were recorded as a digest: their histories cannot be replayed. */
class DigestedPayload extends Error {}

function encodePayload(metadata: { [key: string]: Json }, data: Json | undefined): Json {
  const encoded = Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, base64(String(value))]));
  if (data === undefined) return { metadata: encoded };
  if (isRecord(data) && typeof data.sha256 === 'string') throw new DigestedPayload();
  const json = String(metadata.encoding).startsWith('json/');
  return { metadata: encoded, data: json ? base64(JSON.stringify(data)) : data };
}

function restore(value: Json, key = ''): Json {
  if (value === '<time>') return SOME_TIME;
  if (value === '<size>') return '0';
  if (value === '<backoff>') return '1s';
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => restore(item, key));
  if (isRecord(value.metadata) && typeof value.metadata.encoding === 'string') {
    return encodePayload(value.metadata as { [key: string]: Json }, value.data);
  }
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, restore(member, name)]));
}

/** The runs of a recording; undefined when its payloads were too large to be kept. */
export function recordedRuns(file: URL): RecordedRun[] | undefined {
  const { histories } = JSON.parse(readFileSync(file, 'utf8')) as {
    histories: { workflowId: string; runId: string; events: { [key: string]: Json }[] }[];
  };
  try {
    return histories.map(({ workflowId, runId, events }) => ({
      workflowId,
      runId,
      plain: events,
      events: historyFromJSON({
        events: events.map((event) => ({ ...(restore(event) as object), eventTime: SOME_TIME })),
      }).events,
    }));
  } catch (error) {
    if (error instanceof DigestedPayload) return undefined;
    throw error;
  }
}

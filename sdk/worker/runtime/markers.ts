// The two markers: of local activities (with their result) and of patches. Their contents are those of Temporal's SDKs, so that
// each can read the other's histories.

import type { RecordMarkerCommandAttributes } from '../../../src/wire/command.ts';
import type { Payload, Payloads } from '../../../src/wire/common.ts';
import type { MarkerRecordedEventAttributes } from '../../../src/wire/event-attributes.ts';
import type { Failure } from '../../../src/wire/failure.ts';
import { defaultPayloadConverter } from '../../common/payload-converter.ts';
import { isRecord } from '../../common/type-helpers.ts';
import { encodeUtf8 } from '../../common/utf8.ts';

export const LOCAL_ACTIVITY_MARKER = 'core_local_activity';
export const PATCH_MARKER = 'core_patch';
/** The search attribute that lists an execution's patches. */
export const PATCHES_SEARCH_ATTRIBUTE = 'TemporalChangeVersion';
/** Bytes: a longer list of patches is not indexed (the server would refuse it). */
const MAX_PATCHES_BYTES = 2048;

/** google.protobuf.Timestamp and Duration as JSON of core's marker. */
interface SecondsAndNanos {
  seconds: number;
  nanos: number;
}

const fromMs = (ms: number): SecondsAndNanos => ({
  seconds: Math.floor(ms / 1000),
  nanos: Math.round((ms % 1000) * 1e6),
});

function toMs(value: unknown): number | undefined {
  if (!isRecord(value)) return undefined;
  return Number(value.seconds ?? 0) * 1000 + Number(value.nanos ?? 0) / 1e6;
}

export interface LocalActivityMarker {
  seq: number;
  attempt: number;
  activityId: string;
  activityType: string;
  /** Epoch ms. */
  completedTime: number;
  originalScheduledTime: number;
  /** ms until the next attempt; undefined when the activity is done. */
  backoffMs: number | undefined;
  result: Payloads | undefined;
  failure: Failure | undefined;
}

const json = (value: unknown): Payloads => ({ payloads: [defaultPayloadConverter.toPayload(value)] });

function readJson(details: Payloads | undefined): Record<string, unknown> | undefined {
  const [payload] = details?.payloads ?? [];
  const value: unknown = payload === undefined ? undefined : defaultPayloadConverter.fromPayload(payload);
  return isRecord(value) ? value : undefined;
}

export function encodeLocalActivityMarker(marker: LocalActivityMarker): RecordMarkerCommandAttributes {
  const data = json({
    seq: marker.seq,
    attempt: marker.attempt,
    activity_id: marker.activityId,
    activity_type: marker.activityType,
    complete_time: fromMs(marker.completedTime),
    backoff: marker.backoffMs === undefined ? null : fromMs(marker.backoffMs),
    original_schedule_time: fromMs(marker.originalScheduledTime),
  });
  return {
    markerName: LOCAL_ACTIVITY_MARKER,
    details: marker.result === undefined ? { data } : { data, result: marker.result },
    failure: marker.failure,
  };
}

/** Undefined for a marker of another kind, or one nobody can read. */
export function decodeLocalActivityMarker(attributes: MarkerRecordedEventAttributes): LocalActivityMarker | undefined {
  if (attributes.markerName !== LOCAL_ACTIVITY_MARKER) return undefined;
  const data = readJson(attributes.details?.data);
  if (data === undefined) return undefined;
  return {
    seq: Number(data.seq),
    attempt: Number(data.attempt ?? 1),
    activityId: String(data.activity_id ?? ''),
    activityType: String(data.activity_type ?? ''),
    completedTime: toMs(data.complete_time) ?? 0,
    originalScheduledTime: toMs(data.original_schedule_time) ?? 0,
    backoffMs: toMs(data.backoff),
    result: attributes.details?.result,
    failure: attributes.failure,
  };
}

export function encodePatchMarker(id: string, deprecated: boolean): RecordMarkerCommandAttributes {
  return { markerName: PATCH_MARKER, details: { 'patch-data': json({ id, deprecated }) } };
}

/** Undefined for a marker of another kind, or one nobody can read. */
export function decodePatchMarker(
  attributes: MarkerRecordedEventAttributes | RecordMarkerCommandAttributes,
): { id: string; deprecated: boolean } | undefined {
  if (attributes.markerName !== PATCH_MARKER) return undefined;
  const data = readJson(attributes.details?.['patch-data']);
  return typeof data?.id === 'string' ? { id: data.id, deprecated: data.deprecated === true } : undefined;
}

/** The search attribute's payload; undefined when the list is too long to be indexed. */
export function encodePatches(ids: readonly string[]): Payload | undefined {
  const payload = defaultPayloadConverter.toPayload(ids);
  if ((payload.data?.length ?? 0) > MAX_PATCHES_BYTES) return undefined;
  return { ...payload, metadata: { ...payload.metadata, type: encodeUtf8('KeywordList') } };
}

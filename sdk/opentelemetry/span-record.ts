// A span as workflow code makes it: plain data, which a sink carries out of the realm.

/** The part of a span that its children name. */
export interface SpanContextRecord {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
  /** Bit 0: sampled. */
  traceFlags: number;
  traceState?: string | undefined;
}

export interface SpanRecord extends SpanContextRecord {
  name: string;
  parent: SpanContextRecord | undefined;
  /** `server`: something came in; `client`: something was asked for. */
  kind: 'server' | 'client';
  /** Workflow time, epoch ms. */
  startedAtMs: number;
  endedAtMs: number;
  attributes: Record<string, string>;
  /** Set when it ended with an error. */
  error?: { type: string; message: string; stack?: string | undefined } | undefined;
}

/** What the workflow interceptors call. */
export type OpenTelemetrySinks = { exporter: { export(span: SpanRecord): void } };

export const SAMPLED = 1;
const TRACE_PARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** @returns undefined for what is no W3C `traceparent`. */
export function parseTraceParent(text: string | undefined, traceState?: string): SpanContextRecord | undefined {
  const [, traceId = '', spanId = '', flags = ''] = TRACE_PARENT.exec(text ?? '') ?? [];
  if (/^0*$/.test(traceId) || /^0*$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), traceState };
}

export function formatTraceParent({ traceId, spanId, traceFlags }: SpanContextRecord): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

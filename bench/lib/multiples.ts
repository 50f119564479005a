// What was measured, as multiples of what this machine can do at best. Pure.

import type { Floors, Latency, Multiple } from './report.ts';

/** What one operation cannot do without, one after the other. */
export interface Path {
  readonly fsyncs: number;
  /** WebSocket messages, each one way, as small as those of the floor: what more bytes take shows in the multiple. */
  readonly frames: number;
}

/**
 * Of a workflow with `steps` activities one after the other: the client's start, for each workflow task and each activity there and back, and the
 * result's push; an fsync before each activity leaves and one before the result does.
 */
export function pathOf(steps: number): Path {
  return { fsyncs: 1 + steps, frames: 4 + 4 * steps };
}

export function multiplesOf(
  floors: Floors,
  path: Path | undefined,
  { latency, perSecond }: { readonly latency?: Latency | undefined; readonly perSecond: number },
): Multiple[] {
  if (path === undefined) return [];
  const { fsyncs, frames } = path;
  const bestMs = fsyncs * floors.fsyncP50Ms + (frames / 2) * floors.roundTripP50Ms;
  const floor = `${fsyncs} ${fsyncs === 1 ? 'fsync' : 'fsyncs'} + ${frames} loopback frames`;
  const multiples: Multiple[] = [];
  if (latency !== undefined && bestMs > 0) {
    multiples.push({ what: 'p50', floor, floorValue: bestMs, unit: 'ms', times: latency.p50Ms / bestMs });
    multiples.push({ what: 'p99', floor, floorValue: bestMs, unit: 'ms', times: latency.p99Ms / bestMs });
  }
  if (perSecond > 0 && frames > 0) {
    for (const [what, most] of [
      [`${frames} frames of an echo's throughput`, (2 * floors.echoesPerSecond) / frames],
      [`${frames} frames of MessagePack by one core`, floors.msgpackPerSecond / frames],
    ] as const) {
      multiples.push({ what: 'per second', floor: what, floorValue: most, unit: '/s', times: most / perSecond });
    }
  }
  return multiples;
}

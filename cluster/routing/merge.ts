// Pages and counts of several nodes made one. Every node orders executions alike (DESIGN §5: by values that never change, then run id), so a page
// token is a place in that order and means the same everywhere. Pure.

import type { WorkflowExecutionInfo } from '../../src/wire/execution-info.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../../src/wire/visibility.ts';

/** An execution's place in the order, as the token of a page that ends with it. */
export type PlaceOf = (info: WorkflowExecutionInfo) => Uint8Array;

interface Placed {
  info: WorkflowExecutionInfo;
  place: Uint8Array;
}

const compare = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b);

/** Whether this page came to the end of its node's executions. */
const isLast = ({ nextPageToken }: ListWorkflowExecutionsResponse): boolean =>
  nextPageToken === undefined || nextPageToken.length === 0;

/**
 * The next page of all, from the next pages of each node. A node has told everything up to its token; what others have beyond the least of these is
 * left for the page after. An execution that came twice (its shard moved between two answers) is there once.
 */
export function mergePages(
  pages: readonly ListWorkflowExecutionsResponse[],
  pageSize: number,
  placeOf: PlaceOf,
): ListWorkflowExecutionsResponse {
  let frontier: Uint8Array | undefined;
  for (const page of pages) {
    const { nextPageToken } = page;
    if (nextPageToken === undefined || isLast(page)) continue;
    if (frontier === undefined || compare(nextPageToken, frontier) < 0) frontier = nextPageToken;
  }
  const placed: Placed[] = [];
  for (const { executions } of pages) {
    for (const info of executions) {
      const place = placeOf(info);
      if (frontier === undefined || compare(place, frontier) <= 0) placed.push({ info, place });
    }
  }
  placed.sort((a, b) => compare(a.place, b.place));
  const merged = placed.filter(({ place }, i) => {
    const before = placed[i - 1];
    return before === undefined || compare(before.place, place) !== 0;
  });
  const kept = merged.slice(0, pageSize);
  const last = kept[kept.length - 1];
  const executions = kept.map(({ info }) => info);
  if (merged.length > kept.length && last !== undefined) return { executions, nextPageToken: last.place };
  return { executions, nextPageToken: frontier };
}

/** The sum, and of groups the sum of each; undefined when there are more groups than `maxGroups`. */
export function mergeCounts(
  counts: readonly CountWorkflowExecutionsResponse[],
  maxGroups: number,
): CountWorkflowExecutionsResponse | undefined {
  const count = counts.reduce((sum, { count: n }) => sum + n, 0);
  if (counts.every(({ groups }) => groups === undefined)) return { count };
  const merged = new Map<string, { groupValues: unknown[]; count: number }>();
  for (const { groups } of counts) {
    for (const group of groups ?? []) {
      const key = JSON.stringify(group.groupValues);
      const same = merged.get(key);
      if (same === undefined) merged.set(key, { ...group });
      else same.count += group.count;
    }
  }
  return merged.size > maxGroups ? undefined : { count, groups: [...merged.values()] };
}

/** The page cut to its first half, to be gone on from there. */
export function halfOf(page: ListWorkflowExecutionsResponse, placeOf: PlaceOf): ListWorkflowExecutionsResponse {
  const executions = page.executions.slice(0, Math.ceil(page.executions.length / 2));
  const last = executions[executions.length - 1];
  return last === undefined ? page : { executions, nextPageToken: placeOf(last) };
}

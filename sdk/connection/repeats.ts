// Whether a request that the server refused is sent again, and after which pause. Two refusals pass by themselves: UNAVAILABLE (a shard without a leader,
// a node that goes), which is over within a second, and RESOURCE_EXHAUSTED (too much at once), where hurry makes it worse, but for one busy workflow: its
// pauses begin twenty times longer, at a second, as those of Temporal's clients do. Whatever the pause, a crowd that was refused together comes back spread out.

import { type Status, StatusCode } from '../../src/wire/status.ts';
import { backoffMs } from './linker.ts';
import type { OpenRequest } from './request-table.ts';
import type { Scheduler } from './scheduler.ts';

const EXHAUSTED_FIRST_MS = 1_000;
const EXHAUSTED_MOST_MS = 10_000;
/** Of a request that would wait for ever; about a minute. */
const EXHAUSTED_MOST_TIMES = 10;

/** What the request itself exhausts: it is refused however often it comes. */
const FINAL_CAUSES: ReadonlySet<string> = new Set(['SORT', 'GROUPS', 'SEARCH_ATTRIBUTES', 'FLOW_CONTROL']);

/** One workflow is busy for the time of a task of it, and nothing else is. */
const BUSY_WORKFLOW = 'BUSY_WORKFLOW';
/** One workflow takes so many a second for now; after a second so many at once. */
const REQUEST_IDS = 'REQUEST_IDS';

/** Whether it is one workflow that refuses for now, and not the node. */
export const isOfOneWorkflow = (status: Status): boolean => causeOf(status) === BUSY_WORKFLOW || isPaced(status);

/** Whether the workflow takes some all the while, so that one that it took says nothing of the next. */
export const isPaced = (status: Status): boolean => causeOf(status) === REQUEST_IDS;

export const causeOf = ({ code, detail }: Status): string =>
  code === StatusCode.RESOURCE_EXHAUSTED && detail?.kind === 'ResourceExhausted' ? detail.cause : '';

/** Whether nobody knows what became of a request that was answered so. */
export const mayBeApplied = ({ code, detail }: Status): boolean =>
  code === StatusCode.UNAVAILABLE && !(detail?.kind === 'Unavailable' && detail.applied === 'no');

/**
 * ms to wait before the request is sent again; undefined: the refusal is its answer.
 *
 * @param refusals how often it was refused before
 * @param random in [0, 1): the pause is from half to one and a half of what has grown
 */
export function pauseMs(status: Status, refusals: number, random: number): number | undefined {
  if (status.code === StatusCode.UNAVAILABLE) return backoffMs(refusals, random);
  if (status.code !== StatusCode.RESOURCE_EXHAUSTED) return undefined;
  const cause = causeOf(status);
  if (FINAL_CAUSES.has(cause)) return undefined;
  if (cause === BUSY_WORKFLOW) return backoffMs(refusals, random);
  return Math.min(EXHAUSTED_MOST_MS, EXHAUSTED_FIRST_MS * 2 ** Math.min(refusals, 16)) * (0.5 + random);
}

/**
 * The same for a request that was just refused; counts the refusal. A full node is not waited for past the request's deadline: its caller hears at
 * once why. An unavailable shard is, for its leader may be there any time.
 */
export function repeatIn(request: OpenRequest, status: Status, scheduler: Scheduler): number | undefined {
  if (request.repeat === 'once' || (request.repeat === 'unapplied' && mayBeApplied(status))) return undefined;
  request.refusals += 1;
  // Signals come again together, after the pauses of their line: none has longer ones of its own.
  const isInLine = request.signalled !== undefined && isOfOneWorkflow(status);
  const pause = pauseMs(status, isInLine ? 0 : request.refusals - 1, scheduler.random());
  if (pause === undefined || status.code === StatusCode.UNAVAILABLE) return pause;
  if (request.deadline === Number.POSITIVE_INFINITY && request.refusals > EXHAUSTED_MOST_TIMES) return undefined;
  return scheduler.monotonic() + pause < request.deadline ? pause : undefined;
}

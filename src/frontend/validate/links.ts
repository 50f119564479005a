// Links that clients attach to what they ask for, by which people find the way from one to the other: refused where they lead nowhere, in the words of
// the Temporal server.

import { sizeOf } from '../../core/workflow/size.ts';
import type { Link } from '../../wire/common.ts';
import { invalid } from './check.ts';

/** Of one request. */
const MAX_LINKS = 10;
const MAX_LINK_BYTES = 4_000;

/** How many there are, how large, and that each is of one kind and says where it leads. */
export function checkLinks(links: readonly Link[] = []): void {
  if (links.length > MAX_LINKS)
    throw invalid(`cannot attach more than ${MAX_LINKS} links per request, got ${links.length}.`);
  for (const link of links) {
    const size = sizeOf(link);
    if (size > MAX_LINK_BYTES) throw invalid(`link exceeds allowed size of ${MAX_LINK_BYTES}, got ${size}.`);
    const { workflowEvent, batchJob, activity, nexusOperation } = link;
    if (workflowEvent !== undefined) {
      complete('workflow event', workflowEvent, { namespace: 'namespace', workflowId: 'workflow ID', runId: 'run ID' });
      const { eventId = 0, eventType = 0 } = workflowEvent.eventRef ?? {};
      if (eventId !== 0 && eventType === 0) {
        throw invalid('workflow event link ref cannot have an unspecified event type and a non-zero event ID.');
      }
    } else if (batchJob !== undefined) complete('batch job', batchJob, { jobId: 'job ID' });
    else if (activity !== undefined)
      complete('activity', activity, { namespace: 'namespace', activityId: 'activity ID', runId: 'run ID' });
    else if (nexusOperation !== undefined)
      complete('nexus operation', nexusOperation, {
        namespace: 'namespace',
        operationId: 'operation ID',
        runId: 'run ID',
      });
    else throw invalid('unsupported link variant.');
  }
}

function complete<T extends object>(kind: string, link: T, names: { [K in keyof T]?: string }): void {
  for (const [field, name] of Object.entries(names)) {
    if (!link[field as keyof T]) throw invalid(`${kind} link must not have an empty ${name} field.`);
  }
}

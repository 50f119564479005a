// Links as Nexus has them (a URL and a type) and as events have them: both ways for links to events of workflows, which are what the server makes and
// what the official SDKs send. Others are left out. Pure.

import type { Link } from './common.ts';
import { EventType } from './enums.ts';
import type { NexusLink } from './nexus.ts';

const WORKFLOW_EVENT = 'temporal.api.common.v1.Link.WorkflowEvent';
/** Links of one answer that are kept. */
const MAX_LINKS = 10;

/** `NEXUS_OPERATION_SCHEDULED` is `NexusOperationScheduled` in a URL. */
const camel = (name: string): string =>
  name
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('');
const NAMES = new Map<number, string>(Object.entries(EventType).map(([name, type]) => [type, camel(name)]));
const TYPES = new Map<string, EventType>(
  Object.entries(EventType).flatMap(([name, type]) => [
    [camel(name), type],
    [`EVENT_TYPE_${name}`, type],
  ]),
);

export function toNexusLink({ workflowEvent: event }: Link): NexusLink | undefined {
  if (event === undefined) return undefined;
  const { namespace = '', workflowId = '', runId = '', eventRef, requestIdRef } = event;
  const path = ['namespaces', namespace, 'workflows', workflowId, runId, 'history'].map(encodeURIComponent).join('/');
  const query = new URLSearchParams();
  if (requestIdRef !== undefined) {
    query.set('referenceType', 'RequestIdReference');
    query.set('requestID', requestIdRef.requestId ?? '');
    query.set('eventType', NAMES.get(requestIdRef.eventType ?? 0) ?? '');
  } else {
    query.set('referenceType', 'EventReference');
    query.set('eventID', String(eventRef?.eventId ?? 0));
    query.set('eventType', NAMES.get(eventRef?.eventType ?? 0) ?? '');
  }
  return { url: `temporal:///${path}?${query}`, type: WORKFLOW_EVENT };
}

/** What a handler says it is about. */
export function fromNexusLinks(links: readonly NexusLink[] | undefined): Link[] | undefined {
  const known = (links ?? []).slice(0, MAX_LINKS).flatMap((link) => fromNexusLink(link) ?? []);
  return known.length === 0 ? undefined : known;
}

function fromNexusLink({ url: text, type }: NexusLink): Link | undefined {
  if (type !== WORKFLOW_EVENT || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const [namespaces, namespace, workflows, workflowId, runId, history] = pieces(url.pathname) ?? [];
  if (url.protocol !== 'temporal:' || namespaces !== 'namespaces' || workflows !== 'workflows') return undefined;
  if (history !== 'history' || !namespace || !workflowId || !runId) return undefined;
  const { searchParams: query } = url;
  const eventType = TYPES.get(query.get('eventType') ?? '');
  const where = { namespace, workflowId, runId };
  if (query.get('referenceType') === 'RequestIdReference') {
    return { workflowEvent: { ...where, requestIdRef: { requestId: query.get('requestID') ?? '', eventType } } };
  }
  const eventId = Number(query.get('eventID') ?? 0);
  return { workflowEvent: { ...where, eventRef: { eventId: Number.isSafeInteger(eventId) ? eventId : 0, eventType } } };
}

function pieces(path: string): string[] | undefined {
  try {
    return path.replace(/^\/+/, '').split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

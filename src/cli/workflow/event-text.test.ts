// What a line of a history says beside the type of its event.

import { expect, it } from 'vitest';
import { encodePatchMarker } from '../../../sdk/worker/runtime/markers.ts';
import { EventType } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import { eventDetails, eventSummary } from './event-text.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const payload = (value: unknown, encoding = 'json/plain') => ({
  metadata: { encoding: bytes(encoding) },
  data: bytes(encoding === 'json/plain' ? JSON.stringify(value) : String(value)),
});
const event = (eventType: number, attributes: object): HistoryEvent =>
  ({ eventId: 5, eventTime: 0, eventType, attributes }) as HistoryEvent; // of the type that its number names

const { MARKER_RECORDED, UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, TIMER_STARTED, WORKFLOW_EXECUTION_SIGNALED } = EventType;

it.each<[string, HistoryEvent, string[]]>([
  [
    'how long a timer takes',
    event(TIMER_STARTED, { timerId: '1', startToFireTimeout: 259_200_000 }),
    ['timer 1', '3d'],
  ],
  [
    'which attributes are set to what',
    event(UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, {
      searchAttributes: { indexedFields: { Step: payload('charging'), Amount: payload(3) } },
    }),
    ['Step="charging"', 'Amount=3'],
  ],
  [
    'which notes, cut where they are long',
    event(EventType.WORKFLOW_PROPERTIES_MODIFIED, { upsertedMemo: { fields: { note: payload('x'.repeat(100)) } } }),
    [`note="${'x'.repeat(58)}…`],
  ],
  ['which patch', event(MARKER_RECORDED, encodePatchMarker('wait-longer', false)), ['core_patch', 'wait-longer']],
  [
    'which state is published',
    event(MARKER_RECORDED, { markerName: 'tenuto_state', details: { step: { payloads: [payload('packed')] } } }),
    ['tenuto_state', 'step="packed"'],
  ],
  [
    'which update was accepted',
    event(EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED, {
      acceptedRequest: { meta: { updateId: 'u-1' }, input: { name: 'addItem' } },
    }),
    ['addItem', 'u-1'],
  ],
  [
    'what came of an update',
    event(EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED, {
      meta: { updateId: 'u-1' },
      acceptedEventId: 4,
      outcome: { failure: { message: 'no', cause: { message: 'sold out' } } },
    }),
    ['u-1', 'no', 'sold out'],
  ],
  [
    'which operation of which service',
    event(EventType.NEXUS_OPERATION_SCHEDULED, { endpoint: 'e', service: 's', operation: 'o' }),
    ['e', 's', 'o'],
  ],
])('says %s', (_, of, words) => {
  expect(eventSummary(of)).toEqual(words);
});

it('shows payloads as what they are, wherever they nest', () => {
  const input = { payloads: [payload({ id: 1 }), payload('hello', 'binary/encrypted'), payload('', 'binary/null')] };
  const header = { fields: { trace: payload('t') } };
  expect(eventDetails(event(WORKFLOW_EXECUTION_SIGNALED, { signalName: 's', input, header }))).toEqual({
    signalName: 's',
    input: [{ id: 1 }, { encoding: 'binary/encrypted', data: 'aGVsbG8=' }, null],
    header: { fields: { trace: 't' } },
  });
});

it('shows what is no JSON, though it is said to be, as it is', () => {
  const broken = { metadata: { encoding: bytes('json/plain') }, data: bytes('{') };
  const { input } = eventDetails(
    event(WORKFLOW_EXECUTION_SIGNALED, { signalName: 's', input: { payloads: [broken] } }),
  ) as {
    input: unknown;
  };
  expect(input).toEqual([{ encoding: 'json/plain', data: 'ew==' }]);
});

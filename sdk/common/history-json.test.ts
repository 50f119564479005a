// The exchange format, checked against the API's own descriptors: the schema lists every field that needs it, the enums have the API's
// numbers and names, and protobufjs reads what is written.

import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import * as wireEnums from '../../src/wire/enums.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { historyFromJSON, historyToJSON } from './history-json.ts';
import { HISTORY_SCHEMA } from './history-schema.ts';
import { encodeUtf8 } from './utf8.ts';

interface ProtoField {
  name: string;
  type: string;
  map: boolean;
  repeated: boolean;
  resolvedType: ProtoType | null;
  resolve(): void;
}
interface ProtoType {
  name: string;
  fullName: string;
  parent: ProtoType | null;
  fieldsArray: ProtoField[];
  /** Enums only. */
  values?: Record<string, number>;
}

const root = createRequire(import.meta.url)('@temporalio/proto/protos/root.js') as {
  lookupType(name: string): ProtoType;
};
const historyEvent = root.lookupType('temporal.api.history.v1.HistoryEvent');

/** `Link.WorkflowEvent` for a nested message. */
function shortName(type: ProtoType): string {
  const parts: string[] = [];
  for (let t: ProtoType | null = type; t !== null && /^[A-Z]/.test(t.name); t = t.parent) parts.unshift(t.name);
  return parts.join('.');
}

/** All messages reachable from a history event, and the enums they use. */
function reachable(): { messages: Map<string, Map<string, string>>; enums: Map<string, Record<string, number>> } {
  const messages = new Map<string, Map<string, string>>();
  const enums = new Map<string, Record<string, number>>();
  const visit = (type: ProtoType): void => {
    const fields = new Map<string, string>();
    if (messages.has(shortName(type))) return;
    messages.set(shortName(type), fields);
    for (const field of type.fieldsArray) {
      field.resolve();
      const prefix = field.map ? '%' : field.repeated ? '*' : '';
      const resolved = field.resolvedType;
      if (resolved === null) {
        if (field.type === 'bytes') fields.set(field.name, `${prefix}bytes`);
        else if (field.type.endsWith('64')) fields.set(field.name, `${prefix}int64`);
      } else if (resolved.fullName === '.google.protobuf.Duration') fields.set(field.name, `${prefix}duration`);
      else if (resolved.fullName === '.google.protobuf.Timestamp') fields.set(field.name, `${prefix}time`);
      else if (resolved.values !== undefined) {
        enums.set(resolved.name, resolved.values);
        fields.set(field.name, `${prefix}#${resolved.name}`);
      } else if (resolved.fullName !== '.google.protobuf.Empty') {
        fields.set(field.name, prefix + shortName(resolved));
        visit(resolved);
      }
    }
  };
  visit(historyEvent);
  // Messages that hold nothing but text and small numbers need no entry, nor do the fields that hold them.
  for (let changed = true; changed; ) {
    changed = false;
    for (const [name, fields] of messages) {
      for (const [field, code] of fields) {
        if (/^[*%]?[A-Z]/.test(code) && !messages.has(code.replace(/^[*%]/, ''))) fields.delete(field);
      }
      if (fields.size === 0) {
        messages.delete(name);
        changed = true;
      }
    }
  }
  return { messages, enums };
}

describe('the schema', () => {
  const { messages, enums } = reachable();

  it('lists exactly what the descriptors say', () => {
    const event = messages.get('HistoryEvent') ?? new Map();
    // The attributes are found by the event's type; the others mean something only to the server that wrote them.
    for (const name of [...event.keys()]) if (/EventAttributes$|^(version|taskId)$/.test(name)) event.delete(name);
    const expected = Object.fromEntries([...messages].map(([name, fields]) => [name, Object.fromEntries(fields)]));
    const actual = Object.fromEntries(
      Object.entries(HISTORY_SCHEMA).map(([name, spec]) => [
        name,
        Object.fromEntries(spec.split(' ').map((field) => field.split('='))),
      ]),
    );
    expect(actual).toEqual(expected);
  });

  it.each([...enums])('%s has the names and numbers of the API', (name, values) => {
    const ours: Record<string, number> = Reflect.get(wireEnums, name);
    const prefix = `${name.replace(/(?<!^)([A-Z])/g, '_$1').toUpperCase()}_`;
    expect(Object.fromEntries(Object.entries(ours).map(([key, number]) => [prefix + key, number]))).toEqual({
      ...values,
    });
  });

  it('every event type has its attributes under the name of the API', () => {
    const fields = new Set(historyEvent.fieldsArray.map((field) => field.name));
    for (const eventType of Object.values(EventType)) {
      if (eventType === EventType.UNSPECIFIED) continue;
      const event = { eventId: 1, eventTime: 0, eventType, attributes: {} } as unknown as HistoryEvent;
      const keys = Object.keys(historyToJSON([event]).events[0] ?? {});
      expect(fields).toContain(keys.find((key) => key.endsWith('Attributes')));
    }
  });
});

const payload = { metadata: { encoding: encodeUtf8('json/plain') }, data: encodeUtf8('"x"') };
const events: HistoryEvent[] = [
  {
    eventId: 1,
    eventTime: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    eventType: EventType.WORKFLOW_EXECUTION_STARTED,
    attributes: {
      workflowType: { name: 'order' },
      taskQueue: { name: 'q', kind: 1 },
      input: { payloads: [payload] },
      workflowRunTimeout: 10_000,
      workflowTaskTimeout: 500,
      firstWorkflowTaskBackoff: 0,
      // A user's key may be named like a field.
      memo: { fields: { eventId: payload, data: payload } },
      retryPolicy: { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 100_000 },
      attempt: 1,
      continuedFailure: { message: 'm', cause: { timeoutFailureInfo: { timeoutType: 4 } } },
    },
    userMetadata: { summary: payload },
  },
  {
    eventId: 2,
    eventTime: Date.UTC(2026, 0, 2),
    eventType: EventType.WORKFLOW_TASK_TIMED_OUT,
    attributes: { scheduledEventId: 5, startedEventId: 0, timeoutType: 2 },
  },
  {
    eventId: 3,
    eventTime: -1,
    eventType: EventType.MARKER_RECORDED,
    attributes: {
      markerName: 'LocalActivity',
      details: { data: { payloads: [payload] }, result: { payloads: [] } },
      workflowTaskCompletedEventId: 4,
    },
  },
  {
    eventId: 4,
    eventTime: 0.5,
    eventType: EventType.NEXUS_OPERATION_SCHEDULED,
    attributes: { nexusHeader: { eventId: '7' }, workflowTaskCompletedEventId: 4, scheduleToCloseTimeout: 1_500.25 },
  },
];

describe('a history', () => {
  it('is written as Temporal writes it', () => {
    expect(historyToJSON({ events }).events).toEqual([
      {
        eventId: '1',
        eventTime: '2026-01-02T03:04:05.678Z',
        eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED',
        userMetadata: { summary: { metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'Ingi' } },
        workflowExecutionStartedEventAttributes: {
          workflowType: { name: 'order' },
          taskQueue: { name: 'q', kind: 'TASK_QUEUE_KIND_NORMAL' },
          input: { payloads: [{ metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'Ingi' }] },
          workflowRunTimeout: '10s',
          workflowTaskTimeout: '0.500s',
          firstWorkflowTaskBackoff: '0s',
          memo: {
            fields: {
              eventId: { metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'Ingi' },
              data: { metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'Ingi' },
            },
          },
          retryPolicy: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '100s' },
          attempt: 1,
          continuedFailure: {
            message: 'm',
            cause: { timeoutFailureInfo: { timeoutType: 'TIMEOUT_TYPE_HEARTBEAT' } },
          },
        },
      },
      {
        eventId: '2',
        eventTime: '2026-01-02T00:00:00Z',
        eventType: 'EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT',
        workflowTaskTimedOutEventAttributes: {
          scheduledEventId: '5',
          startedEventId: '0',
          timeoutType: 'TIMEOUT_TYPE_SCHEDULE_TO_START',
        },
      },
      {
        eventId: '3',
        eventTime: '1969-12-31T23:59:59.999Z',
        eventType: 'EVENT_TYPE_MARKER_RECORDED',
        markerRecordedEventAttributes: {
          markerName: 'LocalActivity',
          details: {
            data: { payloads: [{ metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'Ingi' }] },
            result: { payloads: [] },
          },
          workflowTaskCompletedEventId: '4',
        },
      },
      {
        eventId: '4',
        eventTime: '1970-01-01T00:00:00.000500Z',
        eventType: 'EVENT_TYPE_NEXUS_OPERATION_SCHEDULED',
        nexusOperationScheduledEventAttributes: {
          nexusHeader: { eventId: '7' },
          workflowTaskCompletedEventId: '4',
          scheduleToCloseTimeout: '1.500250s',
        },
      },
    ]);
  });

  it('reads back as it was, from the object and from its text', () => {
    expect(historyFromJSON(historyToJSON({ events }))).toEqual({ events });
    expect(historyFromJSON(JSON.stringify(historyToJSON(events)))).toEqual({ events });
  });

  it('from another tool may leave out zeros and have older names, offsets and nanoseconds', () => {
    const { events: read } = historyFromJSON({
      events: [
        {
          eventId: '2',
          eventTime: '2026-01-02T01:00:00.123456789+01:00',
          eventType: 'WorkflowTaskTimedOut',
          version: '12',
          taskId: '1048',
          workflowTaskTimedOutEventAttributes: { scheduledEventId: 5, timeoutType: 'ScheduleToStart' },
        },
      ],
    });
    expect(read).toEqual([
      {
        eventId: 2,
        eventTime: expect.closeTo(Date.UTC(2026, 0, 2) + 123.456789, 3),
        eventType: EventType.WORKFLOW_TASK_TIMED_OUT,
        attributes: { scheduledEventId: 5, startedEventId: 0, timeoutType: 2 },
      },
    ]);
  });

  it.each([
    ['{', 'not JSON'],
    [{}, 'a list of events'],
    [{ events: [7] }, 'Event 1 of the history is not an object'],
    [{ events: [{ eventId: '1', eventTime: 'x', eventType: 1 }] }, 'Event 1 of the history cannot be read'],
    [
      { events: [{ eventId: '1', eventTime: '1970-01-01T00:00:00Z', eventType: 'toString' }] },
      "Unknown EventType 'toString'",
    ],
    [
      {
        events: [
          {
            eventId: '1',
            eventTime: '1970-01-01T00:00:00Z',
            eventType: 17,
            timerStartedEventAttributes: { startToFireTimeout: '5 s' },
          },
        ],
      },
      'Not a duration: "5 s"',
    ],
  ])('%j is refused with where and why', (history, message) => {
    expect(() => historyFromJSON(history)).toThrow(message);
  });
});

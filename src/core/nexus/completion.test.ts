import { describe, expect, it } from 'vitest';
import { apiRoot } from '../../frontend/grpc/proto/descriptors.ts';
import { EventType } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import { completionOf, completionRequest } from './completion.ts';

const encoder = new TextEncoder();
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function told(event: Pick<HistoryEvent, 'eventType' | 'attributes'>) {
  const whole = { eventId: 7, eventTime: 2_000, ...event } as HistoryEvent;
  const completion = completionOf(whole);
  if (completion === undefined) throw new Error('the event closes no run');
  return completionRequest(
    { namespace: 'default', workflowId: 'order/1', runId: 'r', startTime: 1_000, event: whole },
    completion,
  );
}

const completed = (metadata: Record<string, Uint8Array>, data: Uint8Array) =>
  told({
    eventType: EventType.WORKFLOW_EXECUTION_COMPLETED,
    attributes: { result: { payloads: [{ metadata, data }] }, workflowTaskCompletedEventId: 4 },
  });

describe('a completion', () => {
  it('has the result as its body, and says when and where it came from', () => {
    const { headers, body } = completed({ encoding: encoder.encode('json/plain') }, encoder.encode('"done"'));
    expect(text(body)).toBe('"done"');
    expect(headers).toEqual({
      'content-type': 'application/json',
      'nexus-operation-state': 'succeeded',
      'nexus-operation-token': 'eyJ0IjoxLCJucyI6ImRlZmF1bHQiLCJ3aWQiOiJvcmRlci8xIn0',
      'nexus-operation-start-time': '1970-01-01T00:00:01.000Z',
      'nexus-operation-close-time': '1970-01-01T00:00:02.000Z',
      'nexus-link':
        '<temporal:///namespaces/default/workflows/order%2F1/r/history?referenceType=EventReference&eventID=7>; type="temporal.api.common.v1.Link.WorkflowEvent"',
    });
  });

  it('carries a result of any encoding as the payload it is', () => {
    const metadata = { encoding: encoder.encode('binary/encrypted'), key: encoder.encode('k1') };
    const { headers, body } = completed(metadata, new Uint8Array(300).fill(7));
    expect(headers['content-type']).toBe('application/x-temporal-payload');
    const payload = apiRoot().lookupType('temporal.api.common.v1.Payload');
    const read = payload.toObject(payload.decode(body));
    expect(text(read.metadata.encoding)).toBe('binary/encrypted');
    expect(text(read.metadata.key)).toBe('k1');
    expect(new Uint8Array(read.data)).toEqual(new Uint8Array(300).fill(7));
  });

  it('tells a failure as Nexus has it', () => {
    const { headers, body } = told({
      eventType: EventType.WORKFLOW_EXECUTION_FAILED,
      attributes: {
        failure: { message: 'no', applicationFailureInfo: { type: 'Boom', nextRetryDelay: 1_500 } },
        retryState: 1,
        workflowTaskCompletedEventId: 4,
      },
    });
    expect(headers['nexus-operation-state']).toBe('failed');
    expect(JSON.parse(text(body))).toEqual({
      message: 'no',
      metadata: { type: 'temporal.api.failure.v1.Failure' },
      details: { applicationFailureInfo: { type: 'Boom', nextRetryDelay: '1.5s' } },
    });
  });

  it.each([
    [EventType.WORKFLOW_EXECUTION_CANCELED, 'canceled'],
    [EventType.WORKFLOW_EXECUTION_TERMINATED, 'failed'],
    [EventType.WORKFLOW_EXECUTION_TIMED_OUT, 'failed'],
  ])('says how event %i ended it: %s', (eventType, state) => {
    expect(told({ eventType, attributes: {} } as never).headers['nexus-operation-state']).toBe(state);
  });

  it('is none of an event that closes no run', () => {
    expect(
      completionOf({ eventId: 1, eventTime: 0, eventType: EventType.TIMER_FIRED, attributes: {} } as never),
    ).toBeUndefined();
  });
});

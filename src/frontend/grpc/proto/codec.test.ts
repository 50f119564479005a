// The codecs against protobufjs' own: whatever message of the API is made at random, both read the same from each other's bytes.

import fc from 'fast-check';
import type { Type } from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { CommandType, EventType } from '../../../wire/enums.ts';
import { anyOf, codecNamed, codecOf, type Message } from './codec.ts';
import { apiService, enumType, findMessageType, isMessage, messageType } from './descriptors.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { numbers, randomMessage } from './random-message.test-support.ts';
import { Malformed } from './reader.ts';
import { durationMs } from './shapes.ts';

/** What protobufjs reads. */
const plain = (type: Type, bytes: Uint8Array): unknown =>
  type.toObject(type.decode(bytes), { longs: Number, enums: Number, bytes: String });

function agrees(type: Type, seed: number): void {
  const given = type.encode(type.fromObject(randomMessage(type, numbers(seed), 4))).finish();
  const codec = codecOf(type);
  const ours = encodeMessage(codec, decodeMessage(codec, given));
  expect(withoutZeroes(plain(type, ours))).toEqual(withoutZeroes(plain(type, given)));
}

/** Absent and zero are the same. A body has no type at random: what it has with one is below. */
function withoutZeroes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutZeroes);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key, one]) => one !== 0 && one !== '' && one !== false && key !== 'body');
  return Object.fromEntries(kept.map(([key, one]) => [key, withoutZeroes(one)]));
}

const SERVICES = ['temporal.api.workflowservice.v1.WorkflowService', 'temporal.api.operatorservice.v1.OperatorService'];

describe('every request and response of both services', () => {
  const types = SERVICES.flatMap((name) =>
    apiService(name).methodsArray.flatMap(({ requestType, responseType }) => [requestType, responseType]),
  );
  it.each([...new Set(types)])('%s', (name) => {
    const type = SERVICES.map((service) =>
      findMessageType(`${service.slice(0, service.lastIndexOf('.'))}.${name}`),
    ).find((found) => found !== undefined);
    if (type === undefined) throw new Error(`${name} is not found`);
    for (let seed = 1; seed <= 3; seed += 1) agrees(type, seed);
  });
});

const HISTORY_EVENT = 'temporal.api.history.v1.HistoryEvent';
const camel = (name: string): string =>
  name.toLowerCase().replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** `known` by name; for each the field that holds its attributes. */
function attributed(message: string, suffix: string, known: Readonly<Record<string, number>>) {
  const type = messageType(message);
  return Object.entries(known)
    .filter(([, number_]) => number_ !== 0)
    .map(([name, number_]) => ({ name, number_, field: type.fields[`${camel(name)}${suffix}`] }));
}

describe('every history event has its attributes in one property, both ways', () => {
  it.each(attributed(HISTORY_EVENT, 'EventAttributes', EventType))('$name', ({ number_, field }) => {
    const type = messageType(HISTORY_EVENT);
    const attributesType = field?.resolve().resolvedType;
    if (field === undefined || attributesType === undefined || !isMessage(attributesType)) {
      throw new Error('the API has no attributes for it');
    }
    for (let seed = 1; seed <= 5; seed += 1) {
      const attributes = randomMessage(attributesType, numbers(seed), 4);
      const event = { eventId: 7, eventTime: { seconds: 5, nanos: 1_000_000 }, eventType: number_ };
      const given = type.encode(type.fromObject({ ...event, [field.name]: attributes })).finish();
      const decoded = decodeMessage(codecOf(type), given);
      expect(decoded).toMatchObject({ eventId: 7, eventTime: 5_001, eventType: number_, attributes: {} });
      const again = encodeMessage(codecOf(type), decoded);
      expect(withoutZeroes(plain(type, again))).toEqual(withoutZeroes(plain(type, given)));
    }
  });
});

describe('every command has its attributes in one property', () => {
  it.each(attributed('temporal.api.command.v1.Command', 'CommandAttributes', CommandType))(
    '$name',
    ({ number_, field }) => {
      if (field === undefined) throw new Error('the API has no attributes for it');
      const codec = codecNamed('temporal.api.command.v1.Command');
      const command = { commandType: number_, attributes: {} };
      expect(decodeMessage(codec, encodeMessage(codec, command))).toEqual(command);
    },
  );
});

it('an update has its body with a type of its own', () => {
  const codec = codecNamed('temporal.api.protocol.v1.Message');
  const body = { type: 'temporal.api.update.v1.Request', value: { meta: { updateId: 'u' }, input: { name: 'add' } } };
  const message = { id: 'u/request', protocolInstanceId: 'u', eventId: 4, body };
  const bytes = encodeMessage(codec, message);
  expect(decodeMessage(codec, bytes)).toEqual(message);
  const theirs = messageType('temporal.api.protocol.v1.Message');
  expect(plain(theirs, bytes)).toMatchObject({
    body: { type_url: 'type.googleapis.com/temporal.api.update.v1.Request' },
  });
});

it('a body nobody knows has nothing in it', () => {
  const codec = codecNamed('temporal.api.protocol.v1.Message');
  const any = anyOf('temporal.api.common.v1.Payload', { data: Buffer.from('x') });
  const theirs = messageType('temporal.api.protocol.v1.Message');
  const bytes = theirs.encode(
    theirs.fromObject({
      id: 'm',
      body: { type_url: 'type.googleapis.com/no.such.Thing', value: (any as { value: Uint8Array }).value },
    }),
  );
  expect(decodeMessage(codec, bytes.finish())).toEqual({ id: 'm', body: { type: 'no.such.Thing', value: {} } });
});

describe('durations', () => {
  it.each([
    [0, 0, 0],
    [1, 500_000_000, 1_500],
    [0, 1, 1],
    [0, 1_400_000, 1],
    [-1, -500_000_000, -1_500],
    [0, -1, -1],
  ])('of %i s and %i ns are %i ms: less than one is one', (seconds, nanos, ms) => {
    expect(durationMs(seconds, nanos)).toBe(ms);
  });

  it.each([
    [5, -1],
    [-5, 1],
  ])('of %i s and %i ns are none', (seconds, nanos) => {
    expect(() => durationMs(seconds, nanos)).toThrow('duration has seconds and nanos with different signs');
  });

  it('come back as they were', () => {
    const codec = codecNamed('temporal.api.common.v1.RetryPolicy');
    for (const initialInterval of [1, 999, 1_000, 86_400_000 * 365, -1_500]) {
      expect(decodeMessage(codec, encodeMessage(codec, { initialInterval }))).toEqual({ initialInterval });
    }
  });

  it('past what a number can say are the largest', () => {
    const codec = codecNamed('temporal.api.common.v1.RetryPolicy');
    const theirs = messageType('temporal.api.common.v1.RetryPolicy');
    const bytes = theirs.encode(theirs.fromObject({ initialInterval: { seconds: 2 ** 60, nanos: 0 } })).finish();
    expect(decodeMessage(codec, bytes)).toEqual({ initialInterval: Number.MAX_SAFE_INTEGER });
  });
});

describe('bytes from strangers', () => {
  const codec = codecNamed('temporal.api.workflowservice.v1.StartWorkflowExecutionRequest');

  it('are a message, or refused as malformed, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeMessage(codec, bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Malformed);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('are refused where they are cut off', () => {
    const type = messageType('temporal.api.workflowservice.v1.StartWorkflowExecutionRequest');
    const whole = type.encode(type.fromObject(randomMessage(type, numbers(3), 3))).finish();
    for (let length = 0; length < whole.length; length += 1) {
      try {
        decodeMessage(codec, whole.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(Malformed);
      }
    }
  });

  it('do not go deeper than a hundred failures', () => {
    const failure = codecNamed('temporal.api.failure.v1.Failure');
    let chain: Message = { message: 'root' };
    for (let i = 0; i < 200; i += 1) chain = { message: 'm', cause: chain };
    expect(() => decodeMessage(failure, encodeMessage(failure, chain))).toThrow(Malformed);
  });

  it('may name a map entry like a property every object has', () => {
    const header = codecNamed('temporal.api.common.v1.Header');
    const fields = JSON.parse('{"__proto__": {}, "constructor": {}}') as object;
    const decoded = decodeMessage(header, encodeMessage(header, { fields })).fields as object;
    expect(Object.keys(decoded).sort()).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
  });

  it('with invalid UTF-8 are refused', () => {
    expect(() => decodeMessage(codec, Buffer.from([0x0a, 2, 0xc3, 0x28]))).toThrow('invalid UTF-8');
  });
});

it('finds the enums of the API', () => {
  expect(enumType('temporal.api.enums.v1.EventType').values.EVENT_TYPE_TIMER_FIRED).toBe(EventType.TIMER_FIRED);
});

describe('how many values a message has', () => {
  const codec = codecNamed('temporal.api.common.v1.Payloads');
  const empty = (count: number): Buffer => Buffer.from('0a00'.repeat(count), 'hex');
  const valuesOf = (name: string, bytes: Uint8Array): number => {
    let values = 0;
    decodeMessage(codecNamed(name), bytes, (told) => {
      values = told;
    });
    return values;
  };

  it('is told: messages, entries, and items of lists', () => {
    expect(valuesOf('temporal.api.common.v1.Payloads', empty(1_000))).toBe(1_001);
    const fields = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, {}]));
    const memo = encodeMessage(codecNamed('temporal.api.common.v1.Memo'), { fields });
    expect(valuesOf('temporal.api.common.v1.Memo', memo)).toBe(101);
    const flags = encodeMessage(codecNamed('temporal.api.sdk.v1.WorkflowTaskCompletedMetadata'), {
      langUsedFlags: [1, 2, 3],
    });
    expect(valuesOf('temporal.api.sdk.v1.WorkflowTaskCompletedMetadata', flags)).toBe(4);
  });

  it('has a bound: two bytes are a message', () => {
    expect(() => decodeMessage(codec, empty(500_001))).toThrow(Malformed);
    const type = 'temporal.api.protocol.v1.Message';
    const value = encodeMessage(codecNamed('temporal.api.update.v1.Outcome'), {
      success: { payloads: Array.from({ length: 400_000 }, () => ({})) },
    });
    const message = messageType(type)
      .encode({ body: { type_url: 'x/temporal.api.update.v1.Outcome', value } })
      .finish();
    expect(valuesOf(type, message)).toBeGreaterThan(400_000);
  });
});

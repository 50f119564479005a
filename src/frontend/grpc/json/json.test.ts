// JSON as protojson has it: read and written by the descriptors, whatever message; payloads in short; paths by the annotations.

import { describe, expect, it } from 'vitest';
import { services } from '../methods/index.ts';
import { apiService, findMessageType, messageType, type Type } from '../proto/descriptors.ts';
import { numbers, randomMessage } from '../proto/random-message.test-support.ts';
import { jsonOf } from './read.ts';
import { Routes } from './routes.ts';
import { BadJson, durationOf, durationText, timestampOf, timestampText } from './well-known.ts';
import { bytesOf } from './write.ts';

const COMMON = 'temporal.api.common.v1.';
const START = messageType('temporal.api.workflowservice.v1.StartWorkflowExecutionRequest');

const encode = (type: Type, value: object): Uint8Array => type.encode(type.fromObject(value)).finish();
const payload = (data: string, encoding = 'json/plain', more = {}) => ({
  metadata: { encoding: Buffer.from(encoding), ...more },
  data: Buffer.from(data),
});

describe('every request and response', () => {
  const types = [...services.keys()].flatMap((service) => {
    const folder = service.slice(0, service.lastIndexOf('.'));
    return apiService(service).methodsArray.flatMap(({ requestType, responseType }) =>
      [requestType, responseType].map((name) => `${folder}.${name}`),
    );
  });

  it.each([...new Set(types)])('%s is the same after JSON as before', (name) => {
    const type = findMessageType(name);
    if (type === undefined) throw new Error(`${name} is not found`);
    for (let seed = 1; seed <= 2; seed += 1) {
      const bytes = encode(type, randomMessage(type, numbers(seed), 3));
      for (const isShort of [true, false]) {
        const text = JSON.stringify(jsonOf(type, bytes, isShort));
        const again = bytesOf(type, JSON.parse(text));
        expect(jsonOf(type, again, false)).toEqual(jsonOf(type, bytes, false));
      }
    }
  });
});

describe('times and durations', () => {
  it.each([
    [{ seconds: 0, nanos: 0 }, '1970-01-01T00:00:00Z'],
    [{ seconds: 1_700_000_000, nanos: 120_000_000 }, '2023-11-14T22:13:20.120Z'],
    [{ seconds: 1_700_000_000, nanos: 1_000 }, '2023-11-14T22:13:20.000001Z'],
    [{ seconds: -62_135_596_800, nanos: 0 }, '0001-01-01T00:00:00Z'],
  ])('%o is %s', (instant, text) => {
    expect(timestampText(instant)).toBe(text);
    expect(timestampOf(text)).toEqual(instant);
  });

  it('may have a zone', () => {
    expect(timestampOf('2023-11-14T23:13:20+01:00')).toEqual({ seconds: 1_700_000_000, nanos: 0 });
  });

  it.each([
    [{ seconds: 0, nanos: 0 }, '0s'],
    [{ seconds: 3, nanos: 500_000_000 }, '3.500s'],
    [{ seconds: -1, nanos: -5 }, '-1.000000005s'],
  ])('%o is %s', (instant, text) => {
    expect(durationText(instant)).toBe(text);
    expect(durationOf(text)).toEqual(instant);
  });

  it.each(['', '5', '1h', '1.5', 's'])('%j is no duration', (text) => {
    expect(() => durationOf(text)).toThrow(BadJson);
  });
});

describe('payloads in short', () => {
  const payloads = (...list: object[]) =>
    jsonOf(messageType(`${COMMON}Payloads`), encode(messageType(`${COMMON}Payloads`), { payloads: list }), true);

  it('are the values they hold', () => {
    expect(
      payloads(payload('1'), payload('{"a":[true]}'), { metadata: { encoding: Buffer.from('binary/null') } }),
    ).toEqual([1, { a: [true] }, null]);
  });

  it('name the message of JSON that is one', () => {
    const proto = payload('{"x":1}', 'json/protobuf', { messageType: Buffer.from('acme.Order') });
    expect(payloads(proto)).toEqual([{ x: 1, _protoMessageType: 'acme.Order' }]);
  });

  it.each([
    ['bytes', payload('\u0000', 'binary/plain')],
    ['more metadata than its encoding', payload('"k"', 'json/plain', { type: Buffer.from('Keyword') })],
    ['what says that it is JSON and is none', payload('{')],
  ])('are written out, all of them, where one is %s', (_, one) => {
    expect(payloads(payload('1'), one)).toMatchObject({ payloads: [{ data: 'MQ==' }, {}] });
  });

  it('can be told from values that look like payloads', () => {
    const written = jsonOf(
      START,
      bytesOf(START, { input: [{ metadata: { a: 'b' }, data: 'x', other: 1 }, 'text'] }),
      true,
    );
    expect(written).toEqual({ input: [{ metadata: { a: 'b' }, data: 'x', other: 1 }, 'text'] });
  });
});

describe('what is wrong with a request', () => {
  it.each([
    [{ workflow: 1 }, 'unknown field "workflow"'],
    [{ workflowType: 'T' }, 'field workflowType is no object: "T"'],
    [{ workflowType: { name: 1 } }, 'invalid value for field workflowType.name: 1 is no text'],
    [{ workflowRunTimeout: '5' }, 'invalid google.protobuf.Duration value "5": expected one like "1.5s"'],
    [{ workflowIdReusePolicy: 'SOMETIMES' }, 'invalid value for enum field workflowIdReusePolicy: "SOMETIMES"'],
    [{ requestEagerExecution: 1 }, 'invalid value for bool field requestEagerExecution: 1'],
    [{ retryPolicy: { maximumAttempts: 1.5 } }, 'invalid value for int32 field retryPolicy.maximumAttempts: 1.5'],
    [[], 'the request is no object: []'],
  ])('is said of %j', (json, message) => {
    expect(() => bytesOf(START, json)).toThrow(message);
  });

  it('names may be those of the files', () => {
    expect(jsonOf(START, bytesOf(START, { workflow_id: 'w' }), true)).toEqual({ workflowId: 'w' });
  });

  it('objects may not lie too deep in one another', () => {
    let failure: object = { message: 'last' };
    for (let i = 0; i < 200; i += 1) failure = { cause: failure };
    expect(() => bytesOf(START, { continuedFailure: failure })).toThrow('deep');
  });
});

describe('paths', () => {
  const routes = new Routes(services);

  it.each([
    ['GET', '/api/v1/system-info', 'GetSystemInfo', {}],
    ['GET', '/system-info', 'GetSystemInfo', {}],
    ['GET', '/api/v1/namespaces/n/workflows', 'ListWorkflowExecutions', { namespace: 'n' }],
    ['GET', '/api/v1/namespaces/n/workflow-count', 'CountWorkflowExecutions', { namespace: 'n' }],
    [
      'POST',
      '/api/v1/namespaces/n/workflows/a%2Fb%20c',
      'StartWorkflowExecution',
      { namespace: 'n', workflow_id: 'a/b c' },
    ],
    [
      'GET',
      '/namespaces/n/workflows/w/history',
      'GetWorkflowExecutionHistory',
      { namespace: 'n', 'execution.workflow_id': 'w' },
    ],
    ['GET', '/api/v1/nexus/endpoints/e', 'GetNexusEndpoint', { id: 'e' }],
  ])('%s %s is %s', (verb, path, name, params) => {
    expect(routes.find(verb, path)).toMatchObject({ route: { name }, params });
  });

  it('of another verb, and none', () => {
    expect(routes.find('PATCH', '/api/v1/system-info')).toBe('wrongVerb');
    expect(routes.find('GET', '/api/v1/nothing')).toBeUndefined();
    expect(routes.find('GET', '/api/v1/namespaces/%E0%A4%A/workflows')).toBeUndefined();
  });

  it('are there for every method that the annotations have one for', () => {
    const named = new Set(routes.all.map(({ name }) => name));
    const annotated = [...services.keys()].flatMap((service) =>
      apiService(service).methodsArray.filter(({ options }) =>
        JSON.stringify(options ?? {}).includes('google.api.http'),
      ),
    );
    expect(annotated.filter(({ name }) => !named.has(name)).map(({ name }) => name)).toEqual([]);
    expect(named.size).toBeGreaterThan(100);
  });
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeToken, encodeToken, type TaskToken } from './token.ts';

const token: TaskToken = {
  kind: 'activity',
  namespace: 'default',
  workflowId: 'größe/工作-1',
  runId: '0b3c2f9e-0000-4000-8000-000000000001',
  scheduledEventId: 2 ** 40 + 5,
  attempt: 3,
  startId: { term: 2 ** 41, seq: 7 },
  queryId: undefined,
};

it('a token says what went into it', () => {
  expect(decodeToken(encodeToken(token))).toEqual(token);
  expect(decodeToken(encodeToken({ ...token, kind: 'query', queryId: 'q1' }))).toMatchObject({
    kind: 'query',
    queryId: 'q1',
  });
});

it('bytes that are no token are refused, never thrown over', () => {
  const bytes = encodeToken(token);
  expect(decodeToken(new Uint8Array())).toBeUndefined();
  expect(decodeToken(bytes.subarray(0, bytes.length - 1))).toBeUndefined();
  expect(decodeToken(new Uint8Array([...bytes, 0]))).toBeUndefined();
  expect(decodeToken(new Uint8Array([9, ...bytes.subarray(1)]))).toBeUndefined();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => void decodeToken(garbage)));
});

it('a token is read from a view into a bigger buffer', () => {
  const bytes = encodeToken(token);
  const frame = new Uint8Array(bytes.length + 10);
  frame.set(bytes, 7);
  expect(decodeToken(frame.subarray(7, 7 + bytes.length))).toEqual(token);
});

it('names a workflow by whatever id a client gave it', () => {
  const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('\ufefforder', 'a\ufeff', '\0', 'é\0'));
  fc.assert(
    fc.property(text, text, (namespace, workflowId) => {
      expect(decodeToken(encodeToken({ ...token, namespace, workflowId }))).toEqual({
        ...token,
        namespace,
        workflowId,
      });
    }),
  );
});

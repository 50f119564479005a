import { describe, expect, it } from 'vitest';
import { RawValue } from '../../sdk/common/index.ts';
import { headersOf } from './headers.ts';
import { type InputFlags, inputs } from './input.ts';
import { priorityOf } from './priority.ts';
import { startOptions } from './workflow/options.ts';

const payloads = (flags: InputFlags) =>
  inputs(flags).map((value) => {
    expect(value).toBeInstanceOf(RawValue);
    const { metadata = {}, data } = (value as RawValue).payload;
    const texts = Object.entries(metadata ?? {}).map(([key, bytes]) => [key, Buffer.from(bytes).toString()]);
    return { ...Object.fromEntries(texts), data: Buffer.from(data ?? []).toString() };
  });

describe('arguments of a command line', () => {
  it('are JSON values', () => {
    expect(inputs({ input: ['1', '"two"'] })).toEqual([1, 'two']);
  });

  it('are payloads where metadata is given, each with its own, or with that given once', () => {
    const input = ['one', 'two'];
    expect(payloads({ input, inputMeta: ['encoding=binary/plain', 'lang=en', 'lang=de'] })).toEqual([
      { encoding: 'binary/plain', lang: 'en', data: 'one' },
      { encoding: 'binary/plain', lang: 'de', data: 'two' },
    ]);
  });

  it('are read from base64', () => {
    expect(payloads({ input: ['ImhpIg=='], inputBase64: true })).toEqual([{ encoding: 'json/plain', data: '"hi"' }]);
  });

  it.each<[string, InputFlags, RegExp]>([
    ['text that is no JSON', { input: ['hello'] }, /--signal-input is not JSON/],
    ['bytes that are said to be JSON', { input: ['aGk='], inputBase64: true }, /--signal-input is not JSON/],
    ['what is no base64', { input: ['?'], inputBase64: true }, /not base64, as --signal-input-base64 says/],
    ['metadata without a key', { input: ['1'], inputMeta: ['plain'] }, /--signal-input-meta plain: expected key=value/],
    ['a file there is not', { inputFile: ['/no'] }, /cannot read --signal-input-file \/no/],
  ])('refuse %s, naming the flag', (_what, flags, why) => {
    expect(() => inputs(flags, 'signal-')).toThrow(why);
  });
});

describe('other flags of a start', () => {
  const flags = { type: 't', taskQueue: 'q' };

  it('say its priority', () => {
    expect(priorityOf({})).toBeUndefined();
    const said = { priorityKey: '2', fairnessKey: 'acme', fairnessWeight: '2.5' };
    expect(startOptions({ ...flags, ...said }).priority).toEqual({
      ...{ priorityKey: 2, fairnessKey: 'acme', fairnessWeight: 2.5 },
    });
    expect(() => priorityOf({ priorityKey: 'high' })).toThrow(/--priority-key takes/);
    expect(() => priorityOf({ fairnessWeight: '0' })).toThrow(/--fairness-weight takes/);
  });

  it.each([
    [{ idReusePolicy: 'TerminateIfRunning' }, 'ALLOW_DUPLICATE', 'TERMINATE_EXISTING'],
    [{ failExisting: true as const }, undefined, 'FAIL'],
    [{ failExisting: true as const, idConflictPolicy: 'UseExisting' }, undefined, 'USE_EXISTING'],
  ])('%j', (given, reuse, conflict) => {
    const { workflowIdReusePolicy, workflowIdConflictPolicy } = startOptions({ ...flags, ...given });
    expect([workflowIdReusePolicy, workflowIdConflictPolicy]).toEqual([reuse, conflict]);
  });

  it('refuse two policies of one conflict', () => {
    const both = { idReusePolicy: 'TerminateIfRunning', idConflictPolicy: 'Fail' };
    expect(() => startOptions({ ...flags, ...both })).toThrow(/give one of them/);
  });

  it('carry headers', () => {
    expect(Object.keys(headersOf({ headers: ['trace="1"', 'user=7'] }))).toEqual(['trace', 'user']);
    expect(() => headersOf({ headers: ['trace'] })).toThrow(/--headers trace: expected key=JSON/);
  });
});

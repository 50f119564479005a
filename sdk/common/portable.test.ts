// The common layer runs where there is nothing but the language: in the deterministic realm, and in browsers.

import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

async function bundle(entry: string, format: 'iife' | 'esm', platform: 'neutral' | 'browser'): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    write: false,
    format,
    platform,
    mainFields: ['module', 'main'],
    globalName: 'common',
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

describe('the common layer', () => {
  it('converts values and failures in a realm without TextEncoder, Buffer or process', async () => {
    const code = await bundle('./index.ts', 'iife', 'neutral');
    const result = runInNewContext(`${code}
      const { defaultPayloadConverter: converter, DefaultFailureConverter, ApplicationFailure, historyToJSON, msToNumber } = common;
      const payload = converter.toPayload({ text: 'é😀' });
      const failure = new DefaultFailureConverter().errorToFailure(ApplicationFailure.nonRetryable('no', 'No', 7), converter);
      JSON.stringify([
        typeof TextEncoder,
        converter.fromPayload(payload),
        new DefaultFailureConverter().failureToError(failure, converter).details,
        historyToJSON([{ eventId: 1, eventTime: 0, eventType: 17, attributes: { timerId: 't', startToFireTimeout: 1 } }]).events[0].eventType,
        msToNumber('2s'),
      ])`);
    expect(JSON.parse(result)).toEqual(['undefined', { text: 'é😀' }, [7], 'EVENT_TYPE_TIMER_STARTED', 2_000]);
  });
});

describe('the client', () => {
  it('bundles for browsers', async () => {
    const code = await bundle('../client/index.ts', 'esm', 'browser');
    expect(code).not.toMatch(/from ?["']node:|require\(["']node:/);
  });
});

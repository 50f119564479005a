// What storage drivers are told: whose payloads they keep, and that their work is in vain. A driver written for Temporal's interface is one of ours.

import type * as theirs from '@temporalio/common';
import { expect, it } from 'vitest';
import type { Payload } from '../../src/wire/common.ts';
import { decodeMessage, encodeMessage } from './codec.ts';
import {
  ExternalStorage,
  type StorageDriver,
  StorageDriverClaim,
  type StorageDriverTargetInfo,
} from './external-storage.ts';
import { codecsOf, loadDataConverter } from './load-data-converter.ts';
import { defaultPayloadConverter } from './payload-converter.ts';

class TheirDriver implements theirs.StorageDriver {
  readonly type = 'test';
  readonly name: string;
  readonly contexts: theirs.StorageDriverStoreContext[] = [];
  readonly #kept: theirs.Payload[] = [];

  constructor(name: string) {
    this.name = name;
  }

  async store(context: theirs.StorageDriverStoreContext, payloads: theirs.Payload[]) {
    this.contexts.push(context);
    return payloads.map((payload) => new StorageDriverClaim({ at: String(this.#kept.push(payload) - 1) }));
  }

  async retrieve(context: theirs.StorageDriverRetrieveContext, claims: theirs.StorageDriverClaim[]) {
    expect(context.abortSignal?.aborted).toBe(false);
    return claims.map(({ claimData }) => this.#kept[Number(claimData.at)] ?? {});
  }
}

const payload = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const input = { payloads: [payload('large')] };

it.each<[string, object, StorageDriverTargetInfo]>([
  [
    'a start',
    { namespace: 'n', workflowId: 'w', workflowType: 't', runId: '', input },
    { kind: 'workflow', namespace: 'n', id: 'w', runId: undefined, type: 't' },
  ],
  [
    'a signal',
    { namespace: 'n', target: { workflowId: 'w', runId: 'r' }, input },
    { kind: 'workflow', namespace: 'n', id: 'w', runId: 'r', type: undefined },
  ],
  [
    'an activity without a workflow',
    { namespace: 'n', activityId: 'a', activityType: 't', input },
    { kind: 'activity', namespace: 'n', id: 'a', runId: undefined, type: 't' },
  ],
])('a driver of Temporal’s keeps the payloads of %s, and knows whose they are', async (_, message, target) => {
  // Payloads of protobufjs may have nulls and Longs in their types, which a driver only passes on.
  const driver = new TheirDriver('d');
  const dataConverter = {
    externalStorage: new ExternalStorage({ drivers: [driver as unknown as StorageDriver], payloadSizeThreshold: 0 }),
  };
  const codecs = codecsOf(dataConverter);
  const encoded = await encodeMessage(codecs, message);
  expect(driver.contexts).toEqual([{ abortSignal: expect.any(AbortSignal), target }]);
  expect(encoded).not.toEqual(message);
  expect(await decodeMessage(codecs, encoded)).toEqual(message);
  expect(loadDataConverter(dataConverter).externalStorage).toBe(dataConverter.externalStorage);
});

it('what one driver fails at, the others are told to leave', async () => {
  let aborted: unknown;
  const slow: StorageDriver = {
    ...{ name: 'slow', type: 'test', retrieve: async () => [] },
    store: ({ abortSignal }) =>
      new Promise((_resolve, reject) => {
        abortSignal?.addEventListener('abort', () => {
          aborted = abortSignal.reason;
          reject(new Error('given up'));
        });
      }),
  };
  const full: StorageDriver = {
    ...{ name: 'full', type: 'test', retrieve: async () => [] },
    store: () => Promise.reject(new Error('the disk is full')),
  };
  const externalStorage = new ExternalStorage({
    drivers: [slow, full],
    payloadSizeThreshold: 0,
    driverSelector: ({ abortSignal }, { data }) => {
      expect(abortSignal?.aborted).toBe(false);
      return String(data) === String(payload('slow').data) ? slow : full;
    },
  });
  const message = { workflowId: 'w', input: { payloads: [payload('slow'), payload('full')] } };
  await expect(encodeMessage(codecsOf({ externalStorage }), message)).rejects.toThrow('the disk is full');
  expect(aborted).toMatchObject({ message: 'the disk is full' });
});

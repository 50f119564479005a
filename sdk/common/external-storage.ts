// Payload offload: what is larger than a threshold is kept by a storage driver, and the server gets a reference to it. Names and the form
// of a reference are those of Temporal's SDK. Works as the last codec: what is stored went through the others, encryption included.

import type { Payload } from '../../src/wire/common.ts';
import type { PayloadCodec, PayloadOwner } from './data-converter.ts';
import { ExternalStorageNotConfiguredError, ValueError } from './errors.ts';
import { METADATA_ENCODING_KEY } from './payload-converter.ts';
import {
  isReference,
  MESSAGE_TYPE_KEY,
  REFERENCE_ENCODING,
  REFERENCE_TYPE,
  readReference,
} from './storage-reference.ts';
import { encodeUtf8 } from './utf8.ts';

/** What a driver needs to find a payload again: texts by name, part of the history. */
export class StorageDriverClaim {
  readonly claimData: Record<string, string>;

  constructor(claimData: Record<string, string>) {
    this.claimData = claimData;
  }
}

/** The workflow whose history holds the reference. */
export interface StorageDriverWorkflowInfo {
  readonly kind: 'workflow';
  readonly namespace: string;
  /** For a workflow's own commands and its result that of the root of its tree; see docs/guides/payload-offload.md. */
  readonly id?: string | undefined;
  /** Of `id`, where it is known: of a root it is not. */
  readonly runId?: string | undefined;
  /** Of `id`, where it is known. */
  readonly type?: string | undefined;
}

/** The activity without a workflow whose history holds the reference. */
export interface StorageDriverActivityInfo {
  readonly kind: 'activity';
  readonly namespace: string;
  readonly id?: string | undefined;
  readonly runId?: string | undefined;
  readonly type?: string | undefined;
}

export type StorageDriverTargetInfo = StorageDriverWorkflowInfo | StorageDriverActivityInfo;

export interface StorageDriverStoreContext {
  /** Aborted when another driver's call for the same message has failed: nothing comes of this one. */
  readonly abortSignal?: AbortSignal | undefined;
  /** Absent when the caller does not know it, e.g. when it completes an activity by token. */
  readonly target?: StorageDriverTargetInfo | undefined;
}

/** What a selector is told: the same. */
export type StorageDriverSelectContext = StorageDriverStoreContext;

export interface StorageDriverRetrieveContext {
  /** Aborted when another driver's call for the same message has failed: nothing comes of this one. */
  readonly abortSignal?: AbortSignal | undefined;
}

/** Keeps payloads. Calls may come several at a time; both answer in the order of what they were given. */
export interface StorageDriver {
  /** Names the driver in references: keep it for as long as any are about. */
  readonly name: string;
  readonly type: string;
  /** Resolves once the payloads are as durable as they need be: the references are written after it. */
  store(context: StorageDriverStoreContext, payloads: Payload[]): Promise<StorageDriverClaim[]>;
  /** @throws when a payload is not there, or is not what was stored: claims come from histories, so nothing about them is to be trusted. */
  retrieve(context: StorageDriverRetrieveContext, claims: StorageDriverClaim[]): Promise<Payload[]>;
}

/** Chooses where a payload over the threshold goes; null: it stays where it is. */
export type StorageDriverSelector = (context: StorageDriverSelectContext, payload: Payload) => StorageDriver | null;

/** Bytes. */
const DEFAULT_PAYLOAD_SIZE_THRESHOLD = 256 * 1024;

/** `new Client({ dataConverter: { externalStorage } })`, and the same for workers. */
export class ExternalStorage {
  readonly drivers: readonly StorageDriver[];
  readonly driverSelector: StorageDriverSelector;
  /** Bytes: smaller payloads stay where they are. */
  readonly payloadSizeThreshold: number;

  /**
   * @param options.driverSelector Needed with several drivers. Default: the only one.
   * @param options.payloadSizeThreshold Bytes. Default: 256 KiB; 0: everything goes out.
   * @throws ValueError for no driver, two of one name, several without a selector, or a threshold that is no size.
   */
  constructor(options: {
    drivers: readonly StorageDriver[];
    driverSelector?: StorageDriverSelector | undefined;
    payloadSizeThreshold?: number | undefined;
  }) {
    const { drivers, driverSelector, payloadSizeThreshold = DEFAULT_PAYLOAD_SIZE_THRESHOLD } = options;
    const [only, second] = drivers;
    if (only === undefined) throw new ValueError('ExternalStorage needs a driver');
    if (second !== undefined && driverSelector === undefined) {
      throw new ValueError('ExternalStorage with several drivers needs a driverSelector');
    }
    if (drivers.some(({ name }) => typeof name !== 'string' || name === '')) {
      throw new ValueError("A storage driver's name must be a non-empty string");
    }
    if (new Set(drivers.map(({ name }) => name)).size < drivers.length) {
      throw new ValueError('Drivers of an ExternalStorage must differ in their names: references name them');
    }
    if (!Number.isFinite(payloadSizeThreshold) || payloadSizeThreshold < 0) {
      throw new ValueError(`payloadSizeThreshold must be a number of bytes, got ${payloadSizeThreshold}`);
    }
    this.drivers = [...drivers];
    this.driverSelector = driverSelector ?? (() => only);
    this.payloadSizeThreshold = payloadSizeThreshold;
  }

  /** Null when there is none of that name. */
  getDriver(name: string): StorageDriver | null {
    return this.drivers.find((driver) => driver.name === name) ?? null;
  }
}

function referenceTo(driverName: string, { claimData }: StorageDriverClaim): Payload {
  return {
    metadata: {
      [METADATA_ENCODING_KEY]: encodeUtf8(REFERENCE_ENCODING),
      [MESSAGE_TYPE_KEY]: encodeUtf8(REFERENCE_TYPE),
    },
    data: encodeUtf8(JSON.stringify({ driverName, claimData })),
  };
}

function sizeOf({ metadata = {}, data }: Payload): number {
  let size = data?.length ?? 0;
  for (const [name, value] of Object.entries(metadata)) size += name.length + value.length;
  return size;
}

/** The codec that stores and fetches. */
export class ExternalStorageCodec implements PayloadCodec {
  readonly #storage: ExternalStorage;

  constructor(storage: ExternalStorage) {
    this.#storage = storage;
  }

  async encode(payloads: Payload[], owner?: PayloadOwner): Promise<Payload[]> {
    const { driverSelector, payloadSizeThreshold } = this.#storage;
    const aborted = new AbortController();
    const context: StorageDriverStoreContext = { abortSignal: aborted.signal, target: owner && targetOf(owner) };
    const results = [...payloads];
    const chosen = new Map<StorageDriver, number[]>();
    payloads.forEach((payload, i) => {
      const driver = sizeOf(payload) < payloadSizeThreshold ? null : driverSelector(context, payload);
      if (driver === null) return;
      if (this.#storage.getDriver(driver.name) !== driver) {
        throw new ValueError(
          `The driverSelector chose driver '${driver.name}', which the ExternalStorage does not have`,
        );
      }
      chosen.set(driver, [...(chosen.get(driver) ?? []), i]);
    });
    await allOrNone(
      aborted,
      Array.from(chosen, async ([driver, places]) => {
        const given = places.map((i) => payloads[i] ?? {});
        const claims = await driver.store(context, given);
        same(driver, claims, given);
        places.forEach((place, i) => {
          const claim = claims[i];
          if (claim !== undefined) results[place] = referenceTo(driver.name, claim);
        });
      }),
    );
    return results;
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    const results = [...payloads];
    const wanted = new Map<StorageDriver, { place: number; claim: StorageDriverClaim }[]>();
    payloads.forEach((payload, place) => {
      if (!isReference(payload)) return;
      const { driverName, claimData } = readReference(payload);
      const claim = new StorageDriverClaim(claimData);
      const driver = this.#storage.getDriver(driverName);
      if (driver === null) throw new ExternalStorageNotConfiguredError(driverName);
      wanted.set(driver, [...(wanted.get(driver) ?? []), { place, claim }]);
    });
    const aborted = new AbortController();
    await allOrNone(
      aborted,
      Array.from(wanted, async ([driver, claims]) => {
        const found = await driver.retrieve(
          { abortSignal: aborted.signal },
          claims.map(({ claim }) => claim),
        );
        same(driver, found, claims);
        claims.forEach(({ place }, i) => {
          const payload = found[i];
          if (payload !== undefined) results[place] = payload;
        });
      }),
    );
    return results;
  }
}

function targetOf({ namespace = '', ...owner }: PayloadOwner): StorageDriverTargetInfo {
  if (owner.activityId !== undefined) {
    return { kind: 'activity', namespace, id: owner.activityId, runId: owner.runId, type: owner.activityType };
  }
  return { kind: 'workflow', namespace, id: owner.workflowId, runId: owner.runId, type: owner.workflowType };
}

/** Waits for all; the first failure tells the others to stop. */
async function allOrNone(others: AbortController, calls: readonly Promise<void>[]): Promise<void> {
  try {
    await Promise.all(calls);
  } catch (error) {
    others.abort(error);
    throw error;
  }
}

function same(driver: StorageDriver, got: readonly unknown[], given: readonly unknown[]): void {
  if (got.length === given.length) return;
  throw new Error(`Storage driver '${driver.name}' answered ${given.length} payloads with ${got.length}`);
}

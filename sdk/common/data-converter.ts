// What turns users' data into what the server stores, and back: a payload converter, a failure converter, and codecs in between
// them and the wire.

import type { Payload } from '../../src/wire/common.ts';
import type { ExternalStorage } from './external-storage.ts';
import { defaultFailureConverter, type FailureConverter } from './failure-converter.ts';
import { defaultPayloadConverter, type PayloadConverter } from './payload-converter.ts';

/** The workflow, or activity without one, whose history payloads become part of, as far as it is known. */
export interface PayloadOwner {
  readonly namespace?: string | undefined;
  readonly workflowId?: string | undefined;
  readonly workflowType?: string | undefined;
  /** Only of an activity without a workflow. */
  readonly activityId?: string | undefined;
  readonly activityType?: string | undefined;
  readonly runId?: string | undefined;
}

/** A step between converter and wire, e.g. compression or encryption. Runs outside the workflow's realm: may be asynchronous. */
export interface PayloadCodec {
  /** @param payloads May be empty. */
  encode(payloads: Payload[], owner?: PayloadOwner): Promise<Payload[]>;
  /** @param payloads May be empty. */
  decode(payloads: Payload[]): Promise<Payload[]>;
}

/**
 * Configuration of data conversion. Give the same to clients and workers.
 *
 * A converter may be given as an object or as the path of a module that exports it; workers need the path, because converters run
 * inside the workflow's bundle.
 */
export interface DataConverter {
  /** Path of a module with a named export `payloadConverter`. Default: {@link defaultPayloadConverter}. */
  payloadConverterPath?: string | undefined;
  /** Path of a module with a named export `failureConverter`. Default: {@link defaultFailureConverter}. */
  failureConverterPath?: string | undefined;
  /** The converter itself, for clients and browsers. */
  payloadConverter?: PayloadConverter | undefined;
  /** The converter itself, for clients and browsers. */
  failureConverter?: FailureConverter | undefined;
  /** Applied in order when encoding, in reverse order when decoding. */
  payloadCodecs?: PayloadCodec[] | undefined;
  /** Keeps what is large outside the server; works after the codecs. */
  externalStorage?: ExternalStorage | undefined;
}

/** A {@link DataConverter} whose modules were loaded. */
export interface LoadedDataConverter {
  payloadConverter: PayloadConverter;
  failureConverter: FailureConverter;
  /** With `externalStorage` as the last of them. */
  payloadCodecs: PayloadCodec[];
  externalStorage?: ExternalStorage | undefined;
}

/** Default converters, no codec, no external storage. */
export const defaultDataConverter: LoadedDataConverter = {
  payloadConverter: defaultPayloadConverter,
  failureConverter: defaultFailureConverter,
  payloadCodecs: [],
};

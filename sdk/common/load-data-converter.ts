// Turns a DataConverter configuration into converters. Modules named by path are loaded with Node's `require`; browsers and ESM-only
// modules give the converter objects themselves. For clients and workers: workflow code has its converters bundled.

import {
  type DataConverter,
  defaultDataConverter,
  type LoadedDataConverter,
  type PayloadCodec,
} from './data-converter.ts';
import { IllegalStateError, ValueError } from './errors.ts';
import { ExternalStorageCodec } from './external-storage.ts';
import { errorMessage, isRecord } from './type-helpers.ts';

interface ModuleLoader {
  createRequire(filename: string): (path: string) => unknown;
}

function requireModule(path: string): unknown {
  // Absent in browsers, where only converter objects can be given.
  const host = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  const loader = host.process?.getBuiltinModule?.('node:module') as ModuleLoader | undefined;
  if (loader === undefined) {
    throw new IllegalStateError(`Cannot load '${path}' on this host; give the converter itself instead of its path`);
  }
  try {
    return loader.createRequire(import.meta.url)(path);
  } catch (err) {
    throw new ValueError(`Could not load '${path}': ${errorMessage(err) ?? String(err)}`, err);
  }
}

function loadExport<T>(path: string, name: string, methods: readonly string[]): T {
  const loaded = requireModule(path);
  const value = isRecord(loaded) ? loaded[name] : undefined;
  if (!isRecord(value)) throw new ValueError(`Module ${path} does not have a \`${name}\` named export`);
  for (const method of methods) {
    if (typeof value[method] !== 'function') {
      throw new ValueError(`${name} export at ${path} must be an object with functions ${methods.join(' and ')}`);
    }
  }
  // Its methods were just checked.
  return value as T;
}

/** All codecs of a configuration, external storage last. */
export function codecsOf(dataConverter: DataConverter | undefined): PayloadCodec[] {
  const { payloadCodecs = [], externalStorage } = dataConverter ?? {};
  return externalStorage === undefined ? payloadCodecs : [...payloadCodecs, new ExternalStorageCodec(externalStorage)];
}

/**
 * The converters and codecs of a configuration; the defaults for what it leaves out.
 *
 * @throws ValueError when a module cannot be loaded or lacks its export, IllegalStateError where there is no module loader.
 */
export function loadDataConverter(dataConverter: DataConverter | undefined): LoadedDataConverter {
  const { payloadConverterPath, failureConverterPath } = dataConverter ?? {};
  return {
    payloadConverter:
      dataConverter?.payloadConverter ??
      (payloadConverterPath === undefined
        ? defaultDataConverter.payloadConverter
        : loadExport(payloadConverterPath, 'payloadConverter', ['toPayload', 'fromPayload'])),
    failureConverter:
      dataConverter?.failureConverter ??
      (failureConverterPath === undefined
        ? defaultDataConverter.failureConverter
        : loadExport(failureConverterPath, 'failureConverter', ['errorToFailure', 'failureToError'])),
    payloadCodecs: codecsOf(dataConverter),
    externalStorage: dataConverter?.externalStorage,
  };
}

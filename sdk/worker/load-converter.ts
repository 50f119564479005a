// The worker's data converter on the main thread: the modules named by path, or the objects given, plus the codecs.

import { pathToFileURL } from 'node:url';
import { type DataConverter, defaultDataConverter, type LoadedDataConverter } from '../common/data-converter.ts';
import { ValueError } from '../common/errors.ts';
import type { FailureConverter } from '../common/failure-converter.ts';
import type { PayloadConverter } from '../common/payload-converter.ts';
import { isRecord } from '../common/type-helpers.ts';

async function namedExport(path: string, name: string, methods: readonly string[]): Promise<unknown> {
  const module: unknown = await import(pathToFileURL(path).href);
  const exported = isRecord(module) ? (module[name] ?? Reflect.get(Object(module.default), name)) : undefined;
  if (!isRecord(exported) || !methods.every((method) => typeof exported[method] === 'function')) {
    throw new ValueError(`${path} must export ${name} with the methods ${methods.join(' and ')}`);
  }
  return exported;
}

/** @throws ValueError when a module does not export what it should. */
export async function loadDataConverter(options: DataConverter = {}): Promise<LoadedDataConverter> {
  const { payloadConverterPath, failureConverterPath, payloadCodecs = [] } = options;
  return {
    payloadConverter:
      payloadConverterPath === undefined
        ? (options.payloadConverter ?? defaultDataConverter.payloadConverter)
        : // Checked to have the interface's methods.
          ((await namedExport(payloadConverterPath, 'payloadConverter', [
            'toPayload',
            'fromPayload',
          ])) as PayloadConverter),
    failureConverter:
      failureConverterPath === undefined
        ? (options.failureConverter ?? defaultDataConverter.failureConverter)
        : ((await namedExport(failureConverterPath, 'failureConverter', [
            'errorToFailure',
            'failureToError',
          ])) as FailureConverter),
    payloadCodecs,
  };
}

// Server reflection, v1 and v1alpha: what grpcurl and other tools ask before they can speak. It tells of the API, which is public, and of nothing else, so
// it asks for no token, like the health service.

import { StatusCode } from '../../../wire/status.ts';
import { Malformed } from '../proto/reader.ts';
import { rpcError } from '../status.ts';
import { framed } from '../transport/frames.ts';
import type { OpenCall, Transport } from '../transport/transport.ts';
import { type DescriptorFile, descriptorFiles } from './files.ts';
import { type Answer, type Ask, readAsk, writeAnswer } from './messages.ts';

const SERVICES = ['grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'];
const HEALTH = 'grpc.health.v1.Health';
/** Of one stream (I9): a tool asks for a few dozen. */
const MAX_ASKS = 10_000;

/** `services`: full names of those that are served. Reflection itself is not listed: who lists it has found it, and some tools then describe all they see. */
export function registerReflection(transport: Transport, services: readonly string[]): void {
  const reflection = new Reflection([...services, HEALTH]);
  const method: OpenCall = (call) => {
    let asks = 0;
    return {
      message(request) {
        asks += 1;
        if (asks > MAX_ASKS) {
          const message = `One stream answers ${MAX_ASKS} requests: open another.`;
          throw rpcError({ code: StatusCode.RESOURCE_EXHAUSTED, message });
        }
        call.send(answerTo(reflection, request));
      },
      ended: () => call.end(),
    };
  };
  for (const service of SERVICES) transport.register(`/${service}/ServerReflectionInfo`, method);
}

/** Throws RpcError. */
function answerTo(reflection: Reflection, request: Buffer): Buffer {
  try {
    return framed(writeAnswer(request, reflection.answer(readAsk(request))));
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw rpcError({ code: StatusCode.INTERNAL, message: `The request is malformed: ${error.message}.` });
  }
}

export class Reflection {
  readonly #services: readonly string[];
  #byName: ReadonlyMap<string, DescriptorFile> | undefined;
  #bySymbol: ReadonlyMap<string, DescriptorFile> | undefined;

  constructor(services: readonly string[]) {
    this.#services = services;
  }

  answer(ask: Ask): Answer {
    switch (ask.kind) {
      case 'listServices':
        return { kind: 'services', names: this.#services };
      case 'fileByFilename':
        return this.#withNeeded(this.#files().byName.get(ask.name), ask.name);
      case 'fileContainingSymbol':
        return this.#withNeeded(this.#files().bySymbol.get(ask.name), ask.name);
      case 'allExtensionNumbersOfType':
        return { kind: 'extensions', type: ask.name };
      case 'fileContainingExtension':
        return notFound(`an extension of ${ask.name}`);
      case 'nothing':
        return { kind: 'error', code: StatusCode.INVALID_ARGUMENT, message: 'Nothing is asked for.' };
    }
  }

  /** The file, and those it needs after it: one answer instead of one for each. */
  #withNeeded(file: DescriptorFile | undefined, name: string): Answer {
    if (file === undefined) return notFound(name);
    const all = new Set([file]);
    for (const one of all) {
      for (const needed of one.dependencies) {
        const found = this.#files().byName.get(needed);
        if (found !== undefined) all.add(found);
      }
    }
    return { kind: 'files', files: [...all].map(({ bytes }) => bytes) };
  }

  #files(): { byName: ReadonlyMap<string, DescriptorFile>; bySymbol: ReadonlyMap<string, DescriptorFile> } {
    if (this.#byName === undefined || this.#bySymbol === undefined) {
      const files = descriptorFiles();
      this.#byName = new Map(files.map((file) => [file.name, file]));
      this.#bySymbol = new Map(files.flatMap((file) => file.symbols.map((symbol) => [symbol, file] as const)));
    }
    return { byName: this.#byName, bySymbol: this.#bySymbol };
  }
}

const notFound = (name: string): Answer => ({
  kind: 'error',
  code: StatusCode.NOT_FOUND,
  message: `${name.slice(0, 200)} is not known here.`,
});

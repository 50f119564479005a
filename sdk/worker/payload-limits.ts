// Warnings of payloads that are large for a history: what a worker is about to send is looked at once it went through the codecs, so what external
// storage took counts as its reference.

import type { Payload } from '../../src/wire/common.ts';
import type { Logger, LogMetadata } from '../common/logger.ts';
import { isRecord, isUint8Array } from '../common/type-helpers.ts';
import type { PayloadLimits } from '../connection/options.ts';

/** The text is that of Temporal's SDKs, so that what watches for it finds it. */
const TOO_LARGE = '[TMPRL1103] Attempted to upload payloads with size that exceeded the warning limit.';

function sizeOf({ metadata = {}, data }: Payload): number {
  let size = data?.length ?? 0;
  for (const name in metadata) size += name.length + (metadata[name]?.length ?? 0);
  return size;
}

const isPayload = ({ data, metadata }: Record<string, unknown>): boolean => isUint8Array(data) || isRecord(metadata);

/** All that is in a field, however it nests. */
function sizeWithin(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, element) => sum + sizeWithin(element), 0);
  if (!isRecord(value) || isUint8Array(value)) return 0;
  // By its shape.
  if (isPayload(value)) return sizeOf(value as Payload);
  let size = 0;
  for (const name in value) size += sizeWithin(value[name]);
  return size;
}

export class PayloadWatch {
  readonly #limits: PayloadLimits;
  readonly #logger: Logger;

  constructor(limits: PayloadLimits, logger: Logger) {
    this.#limits = limits;
    this.#logger = logger;
  }

  /** Logs each field of `message` that is over its limit. @param about What the message is about. */
  look(message: unknown, about: LogMetadata): void {
    if (this.#limits.payloadsWarnSize > 0 || this.#limits.memoWarnSize > 0) this.#visit(message, '', about);
  }

  #visit(value: unknown, field: string, about: LogMetadata): void {
    if (Array.isArray(value)) {
      for (const element of value) this.#visit(element, field, about);
      return;
    }
    if (!isRecord(value) || isUint8Array(value)) return;
    const isMemo = field === 'memo' || field === 'upsertedMemo';
    if (isMemo || Array.isArray(value.payloads) || isPayload(value)) {
      const limit = isMemo ? this.#limits.memoWarnSize : this.#limits.payloadsWarnSize;
      const size = sizeWithin(value);
      if (limit > 0 && size > limit) this.#logger.warn(TOO_LARGE, { ...about, field, size, limit });
      return;
    }
    for (const name in value) this.#visit(value[name], name, about);
  }
}

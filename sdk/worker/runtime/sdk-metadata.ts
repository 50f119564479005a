// What a completed workflow task says about the SDK that completed it: sent once per history, and again only for what is new.

import type { WorkflowTaskCompletedMetadata } from '../../../src/wire/common.ts';

export const SDK_NAME = 'tenuto-typescript';

/**
 * Behaviours of Temporal's core that this engine shares: ids and types are compared on replay (1), patches are listed in a search
 * attribute (2), a closing command goes last (3).
 */
const CORE_FLAGS = [1, 2, 3];

export class SdkMetadataLog {
  readonly #version: string;
  readonly #coreFlags = new Set<number>();
  readonly #langFlags = new Set<number>();
  #name: string | undefined;
  #knownVersion: string | undefined;

  constructor(version: string) {
    this.#version = version;
  }

  /** A completed task of the history said so. */
  seen(metadata: WorkflowTaskCompletedMetadata | undefined): void {
    if (metadata === undefined) return;
    for (const flag of metadata.coreUsedFlags ?? []) this.#coreFlags.add(flag);
    for (const flag of metadata.langUsedFlags ?? []) this.#langFlags.add(flag);
    if (metadata.sdkName) this.#name = metadata.sdkName;
    if (metadata.sdkVersion) this.#knownVersion = metadata.sdkVersion;
  }

  /** What the task that is completed now has to say; undefined when it is all known. */
  take(langFlags: readonly number[]): WorkflowTaskCompletedMetadata | undefined {
    const coreUsedFlags = CORE_FLAGS.filter((flag) => !this.#coreFlags.has(flag));
    const langUsedFlags = langFlags.filter((flag) => !this.#langFlags.has(flag));
    const metadata: WorkflowTaskCompletedMetadata = {};
    if (coreUsedFlags.length > 0) metadata.coreUsedFlags = coreUsedFlags;
    if (langUsedFlags.length > 0) metadata.langUsedFlags = langUsedFlags;
    if (this.#name !== SDK_NAME) metadata.sdkName = SDK_NAME;
    if (this.#knownVersion !== this.#version) metadata.sdkVersion = this.#version;
    return Object.keys(metadata).length === 0 ? undefined : metadata;
  }
}

// Who deletes stored payloads: the server keeps references only, and knows no storage. A sweep asks it which workflows still exist.
//
// Safe because keys are never used twice, the list of executions is strongly consistent, and what is young is left alone: a payload is
// stored before the request that will make its workflow exist. Payloads of a tree of workflows belong to its root or to the workflow they
// were made for; both questions are one filter.

import type { Client } from '../client/client.ts';
import { ValueError } from '../common/errors.ts';
import { type Duration, msToNumber } from '../common/time.ts';
import type { BlobStorageDriver } from './blob-driver.ts';
import { type Owner, ownerOfKey } from './keys.ts';

export interface SweepOptions {
  /** Payloads younger than this are left alone; at least a minute. Default: 1 day. */
  minAge?: Duration | undefined;
}

export interface SweepResult {
  /** Payloads deleted, and looked at and left. Those of other namespaces, and those without a known workflow, are left. */
  deleted: number;
  kept: number;
}

const DEFAULT_MIN_AGE_MS = 24 * 3_600_000;
const LEAST_MIN_AGE_MS = 60_000;

/**
 * Deletes the payloads of workflows that the server has removed, retention being over. Run it now and then, with a client of each namespace;
 * several at once do no harm.
 *
 * @throws ValueError for a `minAge` of less than a minute; what the server or the storage throw: what was deleted until then is deleted.
 */
export async function sweepExternalStorage(
  client: Pick<Client, 'workflow' | 'options'>,
  driver: BlobStorageDriver,
  options: SweepOptions = {},
): Promise<SweepResult> {
  const minAgeMs = options.minAge === undefined ? DEFAULT_MIN_AGE_MS : msToNumber(options.minAge);
  if (!(minAgeMs >= LEAST_MIN_AGE_MS)) throw new ValueError(`minAge must be at least a minute, got ${minAgeMs} ms`);
  return await sweep(client, driver, Date.now() - minAgeMs);
}

/** @internal @param before Epoch ms: what was written later is left alone. */
export async function sweep(
  { workflow, options: { namespace } }: Pick<Client, 'workflow' | 'options'>,
  driver: BlobStorageDriver,
  before: number,
): Promise<SweepResult> {
  const result: SweepResult = { deleted: 0, kept: 0 };
  let owner: Owner | undefined;
  let old: string[] = [];
  const finish = async (): Promise<void> => {
    if (owner === undefined || old.length === 0) return;
    const id = quoted(owner.workflowId);
    const { count } = await workflow.count(`WorkflowId = ${id} OR RootWorkflowId = ${id}`);
    if (count > 0) {
      result.kept += old.length;
    } else {
      await driver.delete(old);
      result.deleted += old.length;
    }
    old = [];
  };
  for await (const { key, writtenAtMs } of driver.list()) {
    const next = ownerOfKey(key);
    if (next?.workflowId !== owner?.workflowId || next?.namespace !== owner?.namespace) {
      await finish();
      owner = next;
    }
    if (next?.namespace === namespace && writtenAtMs < before) old.push(key);
    else result.kept++;
  }
  await finish();
  return result;
}

/** A text of the list filter. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

// The worker deployments of a node or cluster as rows, one each and a count of changes, beside the namespaces: replicated, backed up and resharded as
// everything else is. What changes one is a turn of that actor, one after the other, so a conflict token is exact. Used through Settings.

import { type ChangeContext, changed } from '../../core/deployment/record.ts';
import { DeploymentRefusal, MAX_DEPLOYMENTS } from '../../core/deployment/versions.ts';
import { MAX_NAMESPACES, REGISTRY } from '../../core/namespace/record.ts';
import type { DeploymentAnswer, DeploymentAsk } from '../../ports/deployments.ts';
import type { Done } from '../../ports/engine.ts';
import { key } from '../../ports/ids.ts';
import { decode, encode } from '../../wire/codec.ts';
import type { DeploymentRecord } from '../../wire/deployment.ts';
import type { Status } from '../../wire/status.ts';
import type { Actor } from '../actor.ts';
import { after, deploymentKey, deploymentRevisionKey, deploymentsPrefix } from '../keys.ts';
import type { Reader } from '../reader.ts';
import {
  answered,
  type RowWrites,
  SettingRefusal,
  SettingsTurns,
  type SettingsTurnsOptions,
} from '../settings-turns.ts';

/** Of all namespaces together. */
const MAX_RECORDS = MAX_NAMESPACES * MAX_DEPLOYMENTS;

export interface DeploymentsOptions extends SettingsTurnsOptions {
  reader: Reader;
  /** Why nothing is served, or undefined. */
  refusal(): Status | undefined;
  onFault(error: unknown): void;
}

export class Deployments {
  readonly #options: DeploymentsOptions;
  readonly #turns: SettingsTurns;

  constructor(options: DeploymentsOptions) {
    this.#options = options;
    this.#turns = new SettingsTurns(options);
  }

  ask(asked: DeploymentAsk, done: Done<DeploymentAnswer>): void {
    answered(this.#options, done, () => this.#answer(asked));
  }

  /** The namespace is gone: another of its name is not to have its versions. Rejects with SettingRefusal. */
  forget(namespace: string): Promise<void> {
    return this.#turns.inTurn(REGISTRY, async (actor) => {
      const prefix = deploymentsPrefix(actor.base, namespace);
      const rows = await this.#options.reader.range(key(prefix), after(prefix), MAX_DEPLOYMENTS);
      if (rows.length === 0) return;
      const gone: RowWrites = rows.map(([row]) => [row, undefined]);
      gone.push([deploymentRevisionKey(actor.base), encode((await this.#revision(actor)) + 1)]);
      await this.#turns.write(actor, gone);
    });
  }

  #answer(asked: DeploymentAsk): Promise<DeploymentAnswer> {
    return this.#turns.inTurn(REGISTRY, (actor) =>
      asked.type === 'list' ? this.#list(actor, asked.since) : this.#change(actor, asked),
    );
  }

  async #list(actor: Actor, since: number | undefined): Promise<DeploymentAnswer> {
    const revision = await this.#revision(actor);
    if (revision === since) return { revision };
    return { revision, records: await this.#all(deploymentsPrefix(actor.base)) };
  }

  async #change(
    actor: Actor,
    { namespace, name, change }: Extract<DeploymentAsk, { type: 'change' }>,
  ): Promise<DeploymentAnswer> {
    const { reader } = this.#options;
    const row = deploymentKey(actor.base, namespace, name);
    const bytes = await reader.get(row);
    // Written below and checksummed by the store.
    const before = bytes === undefined ? undefined : (decode(bytes) as DeploymentRecord);
    const count = before === undefined ? (await this.#all(deploymentsPrefix(actor.base, namespace))).length : 0;
    const context: ChangeContext = { namespace, name, now: this.#turns.now(actor), count };
    const record = refusing(() => changed(before, change, context));
    const revision = await this.#revision(actor);
    const records = record === undefined ? [] : [record];
    if (record === before) return { revision, records, before };
    await this.#turns.write(actor, [
      [row, record && encode(record)],
      [deploymentRevisionKey(actor.base), encode(revision + 1)],
    ]);
    return { revision: revision + 1, records, before };
  }

  async #all(prefix: string): Promise<DeploymentRecord[]> {
    const rows = await this.#options.reader.range(key(prefix), after(prefix), MAX_RECORDS);
    return rows.map(([, bytes]) => decode(bytes) as DeploymentRecord);
  }

  async #revision(actor: Actor): Promise<number> {
    const bytes = await this.#options.reader.get(deploymentRevisionKey(actor.base));
    return bytes === undefined ? 0 : (decode(bytes) as number);
  }
}

function refusing<T>(decide: () => T): T {
  try {
    return decide();
  } catch (error) {
    throw error instanceof DeploymentRefusal ? new SettingRefusal(error.status) : error;
  }
}

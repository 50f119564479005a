// The namespaces of a node or cluster as rows, one each and a count of changes, where a namespace without a name would have its settings: replicated,
// backed up and resharded as everything else is. A namespace that was deleted keeps its row, and its name, until its executions are gone: a timer
// row drives that (deletion.ts). Used by namespaces.ts.

import { changed, deleted, deprecated, isGone, MAX_NAMESPACES, REGISTRY } from '../../core/namespace/record.ts';
import { type Key, key } from '../../ports/ids.ts';
import type { NamespaceAnswer } from '../../ports/namespaces.ts';
import { decode, encode } from '../../wire/codec.ts';
import type { NamespaceChange, NamespaceRecord } from '../../wire/namespace.ts';
import { type Status, StatusCode } from '../../wire/status.ts';
import type { UpdateTaskQueueConfigRequest } from '../../wire/task-queue.ts';
import type { Actor } from '../actor.ts';
import { after, namespaceKey, namespacesPrefix, namespaceTimerKey, revisionKey } from '../keys.ts';
import type { Reader } from '../reader.ts';
import { type RowWrites, SettingRefusal, SettingsTurns, type SettingsTurnsOptions } from '../settings-turns.ts';
import { exhausted } from '../status.ts';
import { NOTHING } from '../turn.ts';
import { allConfigs, configure, forgotten } from './queue-configs.ts';

export interface NamespaceRegistryOptions extends SettingsTurnsOptions {
  reader: Reader;
}

export class NamespaceRegistry {
  readonly #reader: Reader;
  readonly #turns: SettingsTurns;

  constructor(options: NamespaceRegistryOptions) {
    this.#reader = options.reader;
    this.#turns = new SettingsTurns(options);
  }

  list(since: number | undefined): Promise<NamespaceAnswer> {
    return this.#turns.inTurn(REGISTRY, async (actor) => {
      const revision = await this.#revision(actor);
      if (revision === since) return { revision };
      return { revision, records: await this.#all(actor), queues: await allConfigs(this.#reader, actor) };
    });
  }

  /** The same id again is the same request. */
  register(record: NamespaceRecord): Promise<NamespaceAnswer> {
    return this.#turns.inTurn(REGISTRY, async (actor) => {
      const known = await this.#read(actor, record.name);
      if (known?.id === record.id) return { revision: await this.#revision(actor), records: [known] };
      if (known !== undefined) throw new SettingRefusal(isGone(known) ? beingDeleted(known.name) : exists(known.name));
      if ((await this.#all(actor)).length >= MAX_NAMESPACES) throw new SettingRefusal(tooMany());
      return this.#put(actor, { ...record, registeredTime: this.#turns.now(actor) });
    });
  }

  update(name: string, change: NamespaceChange, base: NamespaceRecord | undefined): Promise<NamespaceAnswer> {
    return this.#turns.inTurn(REGISTRY, async (actor) =>
      this.#put(actor, changed(await this.#known(actor, name, base), change)),
    );
  }

  deprecate(name: string, base: NamespaceRecord | undefined): Promise<NamespaceAnswer> {
    return this.#turns.inTurn(REGISTRY, async (actor) =>
      this.#put(actor, deprecated(await this.#known(actor, name, base))),
    );
  }

  /** From now on nobody finds it; its executions go in time. */
  delete(name: string): Promise<NamespaceAnswer> {
    return this.#turns.inTurn(REGISTRY, async (actor) => {
      const record = deleted(await this.#known(actor, name, undefined));
      return this.#put(actor, record, [[namespaceTimerKey(this.#turns.now(actor), actor.base, name), NOTHING]]);
    });
  }

  configureQueue(change: UpdateTaskQueueConfigRequest): Promise<NamespaceAnswer> {
    return this.#turns.inTurn(REGISTRY, async (actor) => {
      const { rows, queue } = await configure(this.#reader, actor, change, this.#turns.now(actor));
      const revision = (await this.#revision(actor)) + 1;
      await this.#turns.write(actor, [...rows, [revisionKey(actor.base), encode(revision)]]);
      return { revision, queues: [queue] };
    });
  }

  /** For who drives a deletion. */
  get(name: string): Promise<NamespaceRecord | undefined> {
    return this.#turns.inTurn(REGISTRY, (actor) => this.#read(actor, name));
  }

  /** Its executions are gone, or there is nothing to do: the timer row goes, and what was deleted with it. */
  forget(name: string, timer: Key): Promise<void> {
    return this.#turns.inTurn(REGISTRY, async (actor) => {
      const record = await this.#read(actor, name);
      const rows: RowWrites = [[timer, undefined]];
      if (record !== undefined && isGone(record)) {
        const next = encode((await this.#revision(actor)) + 1);
        rows.push([namespaceKey(actor.base, name), undefined], [revisionKey(actor.base), next]);
        rows.push(...(await forgotten(this.#reader, actor, name)));
      }
      await this.#turns.write(actor, rows);
    });
  }

  /** There is more to do, at this time. */
  rearm(name: string, timer: Key, atMs: number): Promise<void> {
    return this.#turns.inTurn(REGISTRY, (actor) =>
      this.#turns.write(actor, [
        [timer, undefined],
        [namespaceTimerKey(atMs, actor.base, name), NOTHING],
      ]),
    );
  }

  // ---------------------------------------------------------------- rows

  async #known(actor: Actor, name: string, base: NamespaceRecord | undefined): Promise<NamespaceRecord> {
    const record = (await this.#read(actor, name)) ?? base;
    if (record === undefined || isGone(record)) throw new SettingRefusal(namespaceNotFound(name));
    return record;
  }

  async #put(actor: Actor, record: NamespaceRecord, more: RowWrites = []): Promise<NamespaceAnswer> {
    const revision = (await this.#revision(actor)) + 1;
    await this.#turns.write(actor, [
      [namespaceKey(actor.base, record.name), encode(record)],
      [revisionKey(actor.base), encode(revision)],
      ...more,
    ]);
    return { revision, records: [record] };
  }

  async #all(actor: Actor): Promise<NamespaceRecord[]> {
    const prefix = namespacesPrefix(actor.base);
    const rows = await this.#reader.range(key(prefix), after(prefix), MAX_NAMESPACES);
    return rows.map(([, bytes]) => decode(bytes) as NamespaceRecord);
  }

  // Both written above and checksummed by the store.
  async #read(actor: Actor, name: string): Promise<NamespaceRecord | undefined> {
    const bytes = await this.#reader.get(namespaceKey(actor.base, name));
    return bytes === undefined ? undefined : (decode(bytes) as NamespaceRecord);
  }

  async #revision(actor: Actor): Promise<number> {
    const bytes = await this.#reader.get(revisionKey(actor.base));
    return bytes === undefined ? 0 : (decode(bytes) as number);
  }
}

const namespaceNotFound = (namespace: string): Status => ({
  code: StatusCode.NOT_FOUND,
  message: `Namespace ${namespace} is not found.`,
  detail: { kind: 'NamespaceNotFound', namespace },
});

const exists = (name: string): Status => ({
  code: StatusCode.ALREADY_EXISTS,
  message: `Namespace ${name} already exists.`,
  detail: { kind: 'NamespaceAlreadyExists' },
});

const beingDeleted = (name: string): Status => ({
  code: StatusCode.ALREADY_EXISTS,
  message: `Namespace ${name} was deleted, and its executions are not all gone yet: try again later, or choose another name.`,
  detail: { kind: 'NamespaceAlreadyExists' },
});

const tooMany = (): Status =>
  exhausted('NAMESPACES', `There are ${MAX_NAMESPACES} namespaces, as many as may be: delete some first.`);

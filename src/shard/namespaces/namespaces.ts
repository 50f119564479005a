// The namespaces of a node or cluster, where this node leads them: asked about by doors, deletions driven by timer rows. Put together for the engine.

import type { Done } from '../../ports/engine.ts';
import type { NamespaceAnswer, NamespaceAsk } from '../../ports/namespaces.ts';
import type { Status } from '../../wire/status.ts';
import { answered, SettingRefusal } from '../settings-turns.ts';
import type { DueTimer } from '../timers.ts';
import { Deletion, type DeletionOptions } from './deletion.ts';
import { NamespaceRegistry, type NamespaceRegistryOptions } from './registry.ts';

export interface NamespacesOptions
  extends NamespaceRegistryOptions,
    Pick<DeletionOptions, 'everywhere' | 'deployments'> {
  /** Why nothing is served, or undefined. */
  refusal(): Status | undefined;
  onFault(error: unknown): void;
}

export class RegisteredNamespaces {
  readonly #options: NamespacesOptions;
  readonly #registry: NamespaceRegistry;
  readonly #deletion: Deletion;

  constructor(options: NamespacesOptions) {
    this.#options = options;
    this.#registry = new NamespaceRegistry(options);
    this.#deletion = new Deletion({ ...options, registry: this.#registry });
  }

  ask(asked: NamespaceAsk, done: Done<NamespaceAnswer>): void {
    answered(this.#options, done, () => this.#answer(asked));
  }

  /** `again`: try later. Otherwise the timer row's deletion has been decided. */
  fire(name: string, timer: DueTimer, again: () => void): void {
    this.#deletion.step(name, timer).catch((error: unknown) => {
      // Refusals pass: another node leads, or a shard has no leader for a while.
      if (!(error instanceof SettingRefusal)) this.#options.onFault(error);
      again();
    });
  }

  #answer(asked: NamespaceAsk): Promise<NamespaceAnswer> {
    switch (asked.type) {
      case 'list':
        return this.#registry.list(asked.since);
      case 'register':
        return this.#registry.register(asked.record);
      case 'update':
        return this.#registry.update(asked.name, asked.change, asked.base);
      case 'deprecate':
        return this.#registry.deprecate(asked.name, asked.base);
      case 'delete':
        return this.#registry.delete(asked.name);
      case 'configureQueue':
        return this.#registry.configureQueue(asked.change);
      default:
        return asked satisfies never;
    }
  }
}

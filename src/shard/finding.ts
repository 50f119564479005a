// Everything about finding executions, put together for the engine: lists and counts, and the search attributes a namespace has registered.

import type { Clock } from '../ports/clock.ts';
import type { AttributesChange, CountRequest, Done, ListRequest, RegisteredAttributes } from '../ports/engine.ts';
import type { Status } from '../wire/status.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../wire/visibility.ts';
import type { Actors } from './actors.ts';
import { Census } from './census.ts';
import type { Executor } from './executor.ts';
import { Gaps } from './gaps.ts';
import { GroupCounts } from './group-counts.ts';
import { shardOf } from './keys.ts';
import type { ShardLimits } from './limits.ts';
import type { Reader } from './reader.ts';
import { Search } from './search.ts';
import { SearchAttributeRegistry } from './search-attributes.ts';
import type { Shards } from './shards.ts';
import { Sources } from './sources.ts';

export interface FindingOptions {
  reader: Reader;
  actors: Actors;
  shards: Shards;
  shardCount: number;
  bounds: Pick<ShardLimits, 'scannedPerPage' | 'sortedPerPage'>;
  clock: Clock;
  executor(): Executor;
  /** Why nothing is served, or undefined. */
  refusal(): Status | undefined;
  onReadFailed(error: unknown): void;
  onFault(error: unknown): void;
}

export class Finding {
  readonly #search: Search;
  readonly #attributes: SearchAttributeRegistry;

  constructor(options: FindingOptions) {
    const { reader, shards, shardCount, bounds } = options;
    const { isLed } = shards;
    const addressed = (namespace: string, workflowId: string): number => shardOf(namespace, workflowId, shardCount);
    const census = new Census({ reader, shards: () => shards.values(), isLed });
    this.#search = new Search({
      ...options,
      isLed,
      sources: new Sources({ reader, shardOf: addressed, gaps: new Gaps(() => shards.values()) }),
      census,
      groups: new GroupCounts({ reader, census }),
      scannedPerPage: bounds.scannedPerPage,
      sortedPerPage: bounds.sortedPerPage,
    });
    this.#attributes = new SearchAttributeRegistry(options);
  }

  list(request: ListRequest, done: Done<ListWorkflowExecutionsResponse>): void {
    this.#search.list(request, done);
  }

  count(request: CountRequest, done: Done<CountWorkflowExecutionsResponse>): void {
    this.#search.count(request, done);
  }

  searchAttributes(namespace: string, done: Done<RegisteredAttributes>): void {
    this.#attributes.get(namespace, done);
  }

  changeSearchAttributes(namespace: string, change: AttributesChange, done: Done<RegisteredAttributes>): void {
    this.#attributes.change(namespace, change, done);
  }
}

// What the shard engine is given, and what it says of itself.

import type { Routes } from '../core/deployment/routes.ts';
import type { Limits } from '../core/workflow/limits.ts';
import type { Clock, Random, Scheduler } from '../ports/clock.ts';
import type { CommitLog } from '../ports/commit-log.ts';
import type { Engine } from '../ports/engine.ts';
import type { ShardMessage, ShardMessageOutcome } from '../ports/led-shards.ts';
import type { Matching } from '../ports/matching.ts';
import type { Store } from '../ports/store.ts';
import type { ActorCore } from './core.ts';
import type { ShardLimits } from './limits.ts';

export interface EngineOptions {
  store: Store;
  /**
   * Where entries become durable. Default: the store itself, whose shards this node then leads alone (R = 1). With another, who leads is told by
   * `lead` and `unlead`, and what others commit by `apply`.
   */
  commitLog?: CommitLog;
  clock: Clock;
  scheduler: Scheduler;
  random: Random;
  matching: Matching;
  /** By name. Looked at for every message: may be changed in place. */
  namespaces: ReadonlyMap<string, ServedNamespace>;
  /** By which tasks of runs that are not pinned are offered; see `reroute`. */
  routes?: Routes;
  /** Whether they are all there are: at the beginning some may not have been heard of. Default: they are. */
  namespacesKnown?(): boolean;
  limits?: Partial<Limits>;
  bounds?: Partial<ShardLimits>;
  log?: EngineLog;
  /** With `commitLog`: takes an outbox message to whoever leads its target's shard, this node or another (`receive` there), in order per target. */
  relay?(item: ShardMessage, done: (outcome: ShardMessageOutcome) => void): void;
  /** With `commitLog`: the engine as doors see it, which reaches the shards of all nodes: batch jobs operate through it. */
  everywhere?(): Engine;
  /** The engine has stopped serving for good: a write error, or a broken invariant. */
  onFatal?(error: unknown): void;
  /** Tests of the shards drive a small fake. */
  core?: ActorCore;
}

export interface ServedNamespace {
  /** What events name it with. */
  readonly id: string;
  /** How long closed executions are kept, ms. */
  readonly retention: number;
}

export interface EngineLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export type EngineHealth =
  | { state: 'starting' | 'serving' | 'draining' | 'closed' }
  | { state: 'failed'; error: string };

// Types of an activity client that knows the activities it starts: ActivityClient.typed.

import type { ActivityHandle } from './activity-handle.ts';
import type { ActivityOptions } from './activity-types.ts';

// biome-ignore lint/suspicious/noExplicitAny: any function at all.
type AnyActivity = (...args: any[]) => Promise<any>;

/** Names of those in T that are functions. */
export type ActivityName<T> = { [N in keyof T & string]: T[N] extends AnyActivity ? N : never }[keyof T & string];
export type ActivityArgs<T, N extends ActivityName<T>> = T[N] extends (...args: infer P) => unknown ? P : never;
export type ActivityResult<T, N extends ActivityName<T>> = T[N] extends (...args: never[]) => Promise<infer R>
  ? R
  : never;

/** `args` are needed exactly when the activity takes some. */
export type ActivityOptionsWithArgs<Args extends readonly unknown[]> = Omit<ActivityOptions, 'args'> &
  (Args extends [unknown, ...unknown[]] ? { args: Readonly<Args> } : { args?: Readonly<Args> | undefined });

export type ActivityOptionsFor<T, N extends ActivityName<T>> = ActivityOptionsWithArgs<ActivityArgs<T, N>>;

export interface TypedActivityClient<T> {
  start<N extends ActivityName<T>>(
    activity: N,
    options: ActivityOptionsFor<T, N>,
  ): Promise<ActivityHandle<ActivityResult<T, N>>>;
  execute<N extends ActivityName<T>>(activity: N, options: ActivityOptionsFor<T, N>): Promise<ActivityResult<T, N>>;
}

// Hooks around an activity client's calls (`client.activity`), with `@temporalio/client`'s names: inputs, and what an interceptor implements.

import type { Headers, Next } from '../common/interceptors.ts';
import type { ActivityHandle } from './activity-handle.ts';
import type {
  ActivityDescribeOptions,
  ActivityExecutionDescription,
  ActivityExecutionInfo,
  ActivityOptions,
  ActivityOptionsUpdate,
  ActivityOptionsUpdateResult,
  ActivityPauseOptions,
  ActivityUnpauseOptions,
  CountActivityExecutions,
} from './activity-types.ts';

export interface ActivityStartInput {
  readonly activityType: string;
  readonly options: ActivityOptions;
  readonly headers: Headers;
}

/** Which activity a call is about. */
interface OfActivity {
  readonly activityId: string;
  /** Empty: the latest of its id. */
  readonly activityRunId: string;
  /** Of no use to a server: only a start carries headers. */
  readonly headers: Headers;
}

export interface ActivityGetResultInput extends OfActivity {}

export interface ActivityDescribeInput extends OfActivity {
  readonly options: Required<{ [K in keyof ActivityDescribeOptions]: boolean }>;
}

export interface ActivityCancelInput extends OfActivity {
  readonly reason?: string | undefined;
}

export interface ActivityTerminateInput extends OfActivity {
  readonly reason?: string | undefined;
}

export interface ActivityListInput {
  /** A list filter; empty: all. */
  readonly query: string;
  readonly headers: Headers;
}

export interface ActivityCountInput {
  /** A list filter; empty: all. */
  readonly query: string;
  readonly headers: Headers;
}

export interface ActivityPauseInput extends OfActivity {
  readonly options: ActivityPauseOptions;
}

export interface ActivityUnpauseInput extends OfActivity {
  readonly options: ActivityUnpauseOptions;
}

export interface ActivityUpdateOptionsInput extends OfActivity {
  readonly options: ActivityOptionsUpdate;
}

export interface ActivityRestoreOriginalOptionsInput extends OfActivity {}

/** Implement any of these. `execute` is a `start` and a `getResult`. */
export interface ActivityClientInterceptor {
  start?(input: ActivityStartInput, next: Next<ActivityClientInterceptor, 'start'>): Promise<ActivityHandle>;
  getResult?(input: ActivityGetResultInput, next: Next<ActivityClientInterceptor, 'getResult'>): Promise<unknown>;
  describe?(
    input: ActivityDescribeInput,
    next: Next<ActivityClientInterceptor, 'describe'>,
  ): Promise<ActivityExecutionDescription>;
  cancel?(input: ActivityCancelInput, next: Next<ActivityClientInterceptor, 'cancel'>): Promise<void>;
  terminate?(input: ActivityTerminateInput, next: Next<ActivityClientInterceptor, 'terminate'>): Promise<void>;
  /** Around a whole list, not around each of its pages. */
  list?(input: ActivityListInput, next: Next<ActivityClientInterceptor, 'list'>): AsyncIterable<ActivityExecutionInfo>;
  count?(input: ActivityCountInput, next: Next<ActivityClientInterceptor, 'count'>): Promise<CountActivityExecutions>;
  pause?(input: ActivityPauseInput, next: Next<ActivityClientInterceptor, 'pause'>): Promise<void>;
  unpause?(input: ActivityUnpauseInput, next: Next<ActivityClientInterceptor, 'unpause'>): Promise<void>;
  updateOptions?(
    input: ActivityUpdateOptionsInput,
    next: Next<ActivityClientInterceptor, 'updateOptions'>,
  ): Promise<ActivityOptionsUpdateResult>;
  restoreOriginalOptions?(
    input: ActivityRestoreOriginalOptionsInput,
    next: Next<ActivityClientInterceptor, 'restoreOriginalOptions'>,
  ): Promise<ActivityOptionsUpdateResult>;
}

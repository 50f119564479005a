// What the start of an activity without a workflow says besides: a part of message.ts.

import type { FlowControl } from '../../wire/flow-control.ts';

/** What an activity without a workflow has besides what any start says. ms; absent or 0: none. */
export interface StandaloneActivity {
  activityId: string;
  scheduleToCloseTimeout?: number | undefined;
  scheduleToStartTimeout?: number | undefined;
  startToCloseTimeout?: number | undefined;
  heartbeatTimeout?: number | undefined;
  /** Of its attempts, as of any activity's: the run that it lives in has no key. */
  flowControl?: FlowControl | undefined;
}

// Options of activities as workflow code gives them: those common to all SDK parts, and the event groups only a workflow can make.

import type {
  ActivityOptions as CommonActivityOptions,
  LocalActivityOptions as CommonLocalActivityOptions,
} from '../common/activity-options.ts';
import type { EventGroupMarker } from './event-groups.ts';

export interface Grouped {
  /**
   * Groups that the events of this belong to, beside those of the scopes around it.
   *
   * @experimental As with Temporal.
   */
  eventGroups?: EventGroupMarker[] | undefined;
}

export interface ActivityOptions extends CommonActivityOptions, Grouped {}
export interface LocalActivityOptions extends CommonLocalActivityOptions, Grouped {}

// Where an activity without a workflow lives: an actor like those of workflow ids, under an id that no workflow may have; and the space of the
// indexes that holds such activities, so that lists and counts of workflows never see them. Used by core, shard and the doors.

const ADDRESS_PREFIX = 'temporal-sys-activity:';
/** No namespace may be named so (src/frontend/methods/namespaces.ts). */
const SPACE_PREFIX = '\u0001activities:';

export const activityAddress = (activityId: string): string => ADDRESS_PREFIX + activityId;

export const isActivityAddress = (workflowId: string): boolean => workflowId.startsWith(ADDRESS_PREFIX);

/** The id of the activity that lives there. */
export const activityIdOf = (address: string): string => address.slice(ADDRESS_PREFIX.length);

/** The name under which the visibility rows of a namespace's activities are. */
export const activitySpace = (namespace: string): string => SPACE_PREFIX + namespace;

/** The namespace whose rows are under this name. */
export const namespaceOfSpace = (space: string): string =>
  space.startsWith(SPACE_PREFIX) ? space.slice(SPACE_PREFIX.length) : space;

/** Under which name the visibility rows of an actor are. */
export const visibleSpace = (namespace: string, workflowId: string): string =>
  isActivityAddress(workflowId) ? activitySpace(namespace) : namespace;

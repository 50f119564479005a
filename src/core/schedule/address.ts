// Where a schedule lives: an actor like those of workflow ids, under an id that no workflow may have.

/** As on the reference server, whose error messages name it. */
export const SCHEDULE_ADDRESS_PREFIX = 'temporal-sys-scheduler:';

export const scheduleAddress = (scheduleId: string): string => SCHEDULE_ADDRESS_PREFIX + scheduleId;

export const isScheduleAddress = (workflowId: string): boolean => workflowId.startsWith(SCHEDULE_ADDRESS_PREFIX);

export const scheduleIdOf = (address: string): string => address.slice(SCHEDULE_ADDRESS_PREFIX.length);

// Names that everything in the simulation goes by.

export const NAMESPACE = 'sim';
export const TASK_QUEUE = 'work';

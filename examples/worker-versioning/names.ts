// What the worker and the program that deploys it agree on.

export const DEPLOYMENT = 'shop';
export const TASK_QUEUE = 'shop';

// Names that workflows and those who ask things of them share. No dependency: workflow code imports it.

/** What is in the histories of these workflows, operations put there. */
export const NOBODYS_QUEUE = 'operations-that-nobody-works-on';
/** A task whose worker was killed is given to another one after so long, ms: sooner than Temporal's 10 s. */
export const TASK_TIMEOUT_MS = 4_000;
/** Search attributes, as they are registered. */
export const STAGE_ATTRIBUTE = 'OperatedStage';

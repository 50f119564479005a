// A paused workflow: nothing of it begins, neither a workflow task nor an attempt of an activity, until it is unpaused. What happens meanwhile is
// recorded. Whatever offers, withdraws or starts a task asks here (one that closes in a pause has nothing on offer either); messages/pause-workflow.ts and unpause-workflow.ts take tasks back and offer them again.

import type { RunRow } from './rows.ts';

export const isPaused = ({ row }: { row: RunRow }): boolean => row.facts.pause !== undefined;

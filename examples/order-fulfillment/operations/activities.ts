// The activities of the operations: they do nothing, and say that they did.

import { ApplicationFailure, activityInfo } from 'tenuto/activity';

export type OperationActivities = typeof operationActivities;

export const operationActivities = {
  async work(text: string): Promise<string> {
    return text;
  },

  /** For activities without a workflow. */
  async job(text: string): Promise<string> {
    if (text.startsWith('bad')) throw ApplicationFailure.nonRetryable(`${text} is refused`, 'Bad');
    return `${text} is done`;
  },

  /** Which attempt it was. */
  async third(): Promise<number> {
    const { attempt } = activityInfo();
    if (attempt < 3) throw ApplicationFailure.retryable(`attempt ${attempt} of 3`);
    return attempt;
  },
};

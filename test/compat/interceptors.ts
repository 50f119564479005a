// What a user's interceptor module of workflows does: here it adds to the argument of every activity.

import type { WorkflowInterceptors } from '@temporalio/workflow';

export const interceptors = (): WorkflowInterceptors => ({
  outbound: [
    {
      async scheduleActivity(input, next) {
        return await next({
          ...input,
          args: input.args.map((arg) => (typeof arg === 'string' ? `${arg}, intercepted` : arg)),
        });
      },
    },
  ],
});

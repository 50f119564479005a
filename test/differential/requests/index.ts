// For each method a request that is right, with what has to be there for it. Mutations are made of these.

import { ACTIVITIES_REQUESTS } from './activities.ts';
import { DEPLOYMENTS_REQUESTS } from './deployments.ts';
import { LISTS_REQUESTS } from './lists.ts';
import { NAMESPACES_REQUESTS } from './namespaces.ts';
import { SCHEDULES_REQUESTS } from './schedules.ts';
import { TASKS_REQUESTS } from './tasks.ts';
import type { Templates } from './template.ts';
import { WORKERS_REQUESTS } from './workers.ts';
import { WORKFLOWS_REQUESTS } from './workflows.ts';

export const TEMPLATES: Templates = {
  ...ACTIVITIES_REQUESTS,
  ...DEPLOYMENTS_REQUESTS,
  ...LISTS_REQUESTS,
  ...NAMESPACES_REQUESTS,
  ...SCHEDULES_REQUESTS,
  ...TASKS_REQUESTS,
  ...WORKERS_REQUESTS,
  ...WORKFLOWS_REQUESTS,
};

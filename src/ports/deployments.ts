// What doors ask about the worker deployments of a node or cluster. They are kept in one place; every node routes by what it last heard of them.

import type { DeploymentChange } from '../core/deployment/change.ts';
import type { DeploymentRecord } from '../wire/deployment.ts';

export type DeploymentAsk =
  /** All there are, unless nothing has changed since this revision. */
  | { type: 'list'; since?: number | undefined }
  | { type: 'change'; namespace: string; name: string; change: DeploymentChange };

export interface DeploymentAnswer {
  /** Grows with every change. */
  revision: number;
  /** All, or the one that was changed (none when it was deleted); absent: nothing has changed. */
  records?: DeploymentRecord[] | undefined;
  /** Of a change: the deployment before it. */
  before?: DeploymentRecord | undefined;
}

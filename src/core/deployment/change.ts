// What can be done to a worker deployment, as doors ask for it and record.ts does it.

import type { Payload } from '../../wire/common.ts';
import type { VersionQueue } from '../../wire/deployment.ts';

/** What can be done to a deployment, one thing at a time. `token`: only if nothing has changed since. */
export type DeploymentChange =
  | { type: 'create'; identity: string; requestId: string }
  | { type: 'createVersion'; buildId: string; identity: string; requestId: string }
  /** Workers of a version poll this queue: the deployment and the version come to be by it. */
  | { type: 'poll'; buildId: string; queue: VersionQueue; identity: string }
  | {
      type: 'setCurrent';
      buildId: string;
      identity: string;
      token?: number | undefined;
      missingQueues: 'refuse' | 'ignore';
      unknownVersion: 'refuse' | 'create';
    }
  | {
      type: 'setRamping';
      /** Undefined: nothing ramps any more. */
      buildId: string | undefined;
      percentage: number;
      identity: string;
      token?: number | undefined;
      missingQueues: 'refuse' | 'ignore';
      unknownVersion: 'refuse' | 'create';
    }
  | { type: 'setManager'; manager: string; identity: string; token?: number | undefined }
  | {
      type: 'metadata';
      buildId: string;
      identity: string;
      upsert: Record<string, Payload>;
      remove: readonly string[];
    }
  /** How many executions are pinned to a version that is draining was just counted. */
  | { type: 'drainage'; buildId: string; pinned: number }
  | { type: 'deleteVersion'; buildId: string; identity: string; drainage: 'respect' | 'skip' }
  | { type: 'delete'; identity: string };

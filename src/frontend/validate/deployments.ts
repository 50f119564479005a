// Shapes of what is asked about worker deployments, as other nodes send it.

import type { DeploymentChange } from '../../core/deployment/change.ts';
import type { DeploymentAnswer, DeploymentAsk } from '../../ports/deployments.ts';
import type {
  DeploymentRecord,
  DeploymentRouting,
  VersionDrainageInfo,
  VersionQueue,
  VersionRecord,
} from '../../wire/deployment.ts';
import { type Check, enumeration, finite, integer, list, object, optional, record, string } from './check.ts';
import * as common from './common.ts';

/** One of two words. */
const either =
  <A extends string, B extends string>(a: A, b: B): Check<A | B> =>
  (value) => {
    const text = string(value);
    if (text === a) return a;
    if (text === b) return b;
    throw new Error(`${text.slice(0, 64)} is neither ${a} nor ${b}`);
  };

const queue = object<VersionQueue>({ name: string, type: enumeration() });
const drainage = object<VersionDrainageInfo>({
  status: enumeration(),
  lastChangedTime: finite,
  lastCheckedTime: finite,
});
const version = object<VersionRecord>({
  buildId: string,
  createTime: finite,
  requestId: string,
  lastModifierIdentity: string,
  queues: list(queue),
  metadata: optional(record(common.payload)),
  routingChangedTime: optional(finite),
  currentSinceTime: optional(finite),
  rampingSinceTime: optional(finite),
  firstActivationTime: optional(finite),
  lastCurrentTime: optional(finite),
  lastDeactivationTime: optional(finite),
  drainage: optional(drainage),
});
const routing = object<DeploymentRouting>({
  revision: integer,
  currentBuildId: string,
  currentChangedTime: optional(finite),
  ramping: optional(
    object<NonNullable<DeploymentRouting['ramping']>>({
      buildId: string,
      percentage: finite,
      changedTime: finite,
      percentageChangedTime: finite,
    }),
  ),
  rampEndedTime: optional(finite),
});
const deployment = object<DeploymentRecord>({
  namespace: string,
  name: string,
  createTime: finite,
  requestId: string,
  token: integer,
  lastModifierIdentity: string,
  managerIdentity: string,
  routing,
  versions: list(version),
});

type Of<T extends DeploymentChange['type']> = Omit<Extract<DeploymentChange, { type: T }>, 'type'>;

const routed = {
  identity: string,
  token: optional(integer),
  missingQueues: either('refuse', 'ignore'),
  unknownVersion: either('refuse', 'create'),
};
const created = object<Of<'create'>>({ identity: string, requestId: string });
const createdVersion = object<Of<'createVersion'>>({ buildId: string, identity: string, requestId: string });
const polled = object<Of<'poll'>>({ buildId: string, queue, identity: string });
const setCurrent = object<Of<'setCurrent'>>({ buildId: string, ...routed });
const setRamping = object<Of<'setRamping'>>({ buildId: optional(string), percentage: finite, ...routed });
const setManager = object<Of<'setManager'>>({ manager: string, identity: string, token: optional(integer) });
const metadata = object<Of<'metadata'>>({
  buildId: string,
  identity: string,
  upsert: record(common.payload),
  remove: list(string),
});
const counted = object<Of<'drainage'>>({ buildId: string, pinned: integer });
const deletedVersion = object<Of<'deleteVersion'>>({
  buildId: string,
  identity: string,
  drainage: either('respect', 'skip'),
});
const deleted = object<Of<'delete'>>({ identity: string });

const kind = object<{ type: string }>({ type: string });

const change: Check<DeploymentChange> = (value) => {
  const { type } = kind(value);
  switch (type) {
    case 'create':
      return { type, ...created(value) };
    case 'createVersion':
      return { type, ...createdVersion(value) };
    case 'poll':
      return { type, ...polled(value) };
    case 'setCurrent':
      return { type, ...setCurrent(value) };
    case 'setRamping':
      return { type, ...setRamping(value) };
    case 'setManager':
      return { type, ...setManager(value) };
    case 'metadata':
      return { type, ...metadata(value) };
    case 'drainage':
      return { type, ...counted(value) };
    case 'deleteVersion':
      return { type, ...deletedVersion(value) };
    case 'delete':
      return { type, ...deleted(value) };
    default:
      throw new Error(`the change of a deployment ${type.slice(0, 64)} is none of this version`);
  }
};

const listed = object<{ since?: number | undefined }>({ since: optional(integer) });
const changing = object<{ namespace: string; name: string; change: DeploymentChange }>({
  namespace: string,
  name: string,
  change,
});

export const deploymentAsk: Check<DeploymentAsk> = (value) => {
  const { type } = kind(value);
  if (type === 'list') return { type, ...listed(value) };
  if (type === 'change') return { type, ...changing(value) };
  throw new Error(`the question about deployments ${type.slice(0, 64)} is none of this version`);
};

export const deploymentAnswer = object<DeploymentAnswer>({
  revision: integer,
  records: optional(list(deployment)),
  before: optional(deployment),
});

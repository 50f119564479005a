// Worker deployments: created, described, listed, routed and deleted, with the errors of the Temporal server. What is kept and what may be done to it
// is in src/core/deployment; here requests are checked, and older forms (a version as one text) understood.

import type { DeploymentChange } from '../../core/deployment/change.ts';
import { checkDeletable } from '../../core/deployment/record.ts';
import { versionedQueue, versionKey } from '../../core/deployment/versioned-queue.ts';
import { noDeployment, noVersion, precondition, versionOf } from '../../core/deployment/versions.ts';
import { utf8Length } from '../../core/workflow/size.ts';
import type { DeploymentAnswer } from '../../ports/deployments.ts';
import {
  type CreateWorkerDeploymentRequest,
  type CreateWorkerDeploymentVersionRequest,
  type DeleteVersionRequest,
  type DeploymentRecord,
  type DeploymentRequest,
  type DeploymentVersionRequest,
  type DescribeWorkerDeploymentVersionRequest,
  type ListWorkerDeploymentsRequest,
  type ListWorkerDeploymentsResponse,
  type SetCurrentVersionRequest,
  type SetManagerRequest,
  type SetRampingVersionRequest,
  UNVERSIONED,
  type UpdateVersionMetadataRequest,
  versionText,
} from '../../wire/deployment.ts';
import * as view from '../deployment-view.ts';
import { type Call, method, type Services } from '../door.ts';
import { statsOfQueues, unreadable } from '../queue-family.ts';
import {
  boolean,
  bytes,
  defaulted,
  finite,
  integer,
  invalid,
  list,
  object,
  optional,
  type Refused,
  record,
  string,
} from '../validate/check.ts';
import * as common from '../validate/common.ts';
import * as rules from '../validate/rules.ts';

const EMPTY = Object.freeze({});
const DEFAULT_PAGE = 100;
const MAX_PAGE = 1_000;
/** Not in names: they stand between a deployment's name and a build id where both are one text. */
const DELIMITERS = /[.:\0]/;
/** `drainage` is looked at again when the last count is older, ms: whoever asks wants to know how it is now. */
const DRAINAGE_STALE_MS = 1_000;

const target = { namespace: defaulted(string, ''), identity: optional(string) };
const named = { ...target, deploymentName: defaulted(string, '') };
const versioned = {
  ...target,
  deploymentVersion: optional(common.deploymentVersion),
  version: optional(string),
};

function checkName({ limits }: Services, name: string): void {
  if (name === '') throw invalid('DeploymentName cannot be empty.');
  if (DELIMITERS.test(name))
    throw invalid(`DeploymentName ${JSON.stringify(name.slice(0, 100))} cannot contain '.' or ':'.`);
  if (utf8Length(name) > limits.idBytes) throw invalid('DeploymentName length exceeds limit.');
}

function checkBuildId({ limits }: Services, buildId: string): void {
  if (buildId === '') throw invalid('BuildId cannot be empty.');
  if (buildId.includes('\0')) throw invalid('BuildId cannot contain a zero byte.');
  if (utf8Length(buildId) > limits.idBytes) throw invalid('BuildId length exceeds limit.');
}

/** `name.buildId`: a build id may have dots, a name has none. With `:` it is how search attributes name a version, and no version here. */
function parsed(text: string): { deploymentName: string; buildId: string } {
  const at = text.indexOf('.');
  if (at <= 0 || at === text.length - 1) {
    const shown = JSON.stringify(text.slice(0, 200));
    throw invalid(`invalid version string ${shown}, expected format is "<deployment_name>.<build_id>".`);
  }
  return { deploymentName: text.slice(0, at), buildId: text.slice(at + 1) };
}

function versionIn(services: Services, request: DeploymentVersionRequest): { name: string; buildId: string } {
  const { deploymentVersion, version = '' } = request;
  if (deploymentVersion === undefined && version === '') throw invalid('deployment version cannot be empty.');
  // Also where the other field says it: a text that is none is a mistake.
  const named = version === '' ? undefined : parsed(version);
  const { deploymentName: name = '', buildId = '' } = deploymentVersion ?? named ?? {};
  checkName(services, name);
  checkBuildId(services, buildId);
  return { name, buildId };
}

/** What to make current or to ramp: '' for unversioned. */
function buildIdIn({ deploymentName, buildId = '', version = '' }: SetCurrentVersionRequest): string {
  if (version === '' || version === UNVERSIONED) return buildId;
  const of = parsed(version);
  if (buildId !== '') return buildId;
  if (of.deploymentName !== deploymentName) {
    throw invalid(
      `invalid version string '${version.slice(0, 200)}' does not match deployment name '${deploymentName}'.`,
    );
  }
  return of.buildId;
}

/** A token that none of ours was made from matches nothing. */
const tokenIn = (token: Uint8Array | undefined): number | undefined =>
  token === undefined || token.length === 0
    ? undefined
    : Number(/^\d{1,15}$/.exec(Buffer.from(token).toString())?.[0] ?? -1);

interface Changing {
  services: Services;
  call: Call;
  namespace: string;
  name: string;
}

function change(
  { services, call, namespace, name }: Changing,
  what: DeploymentChange,
  reply: (answer: DeploymentAnswer) => object,
): void {
  services.deployments.change({ type: 'change', namespace, name, change: what }, (error, answer) => {
    if (answer !== undefined) call.reply(reply(answer));
    else if (error !== undefined) call.refuse(error);
  });
}

/** Of a change that leaves one. */
function tokenOf({ records = [] }: DeploymentAnswer): Uint8Array {
  const [left] = records;
  return left === undefined ? new Uint8Array(0) : view.conflictToken(left);
}

/** With what every other node has told until now. */
function look(services: Services, call: Call, answer: () => void): void {
  services.deployments.lookAgain(() => {
    try {
      answer();
    } catch (error) {
      if (!(error instanceof Error) || !('status' in error)) throw error;
      // A refusal of this module, or of the core's: both carry one.
      call.refuse((error as Refused).status);
    }
  });
}

function found(services: Services, namespace: string, name: string): DeploymentRecord {
  const known = services.deployments.get(namespace, name);
  if (known === undefined) throw noDeployment(name);
  return known;
}

export const createWorkerDeployment = method(
  object<CreateWorkerDeploymentRequest>({ ...named, requestId: optional(string) }),
  (services, caller, { namespace, deploymentName: name, identity = '', requestId = '' }, call) => {
    rules.namespace(services, caller, namespace);
    checkName(services, name);
    change({ services, call, namespace, name }, { type: 'create', identity, requestId }, (answer) => ({
      conflictToken: tokenOf(answer),
    }));
  },
);

export const createWorkerDeploymentVersion = method(
  object<CreateWorkerDeploymentVersionRequest>({ ...versioned, requestId: optional(string) }),
  (services, caller, request, call) => {
    const { namespace, identity = '', requestId = '' } = request;
    rules.namespace(services, caller, namespace);
    const { name, buildId } = versionIn(services, request);
    change({ services, call, namespace, name }, { type: 'createVersion', buildId, identity, requestId }, () => EMPTY);
  },
);

export const describeWorkerDeployment = method(
  object<DeploymentRequest>(named),
  (services, caller, { namespace, deploymentName: name }, call) => {
    rules.namespace(services, caller, namespace);
    checkName(services, name);
    look(services, call, () => {
      const record = found(services, namespace, name);
      call.reply({ conflictToken: view.conflictToken(record), workerDeploymentInfo: view.deploymentInfo(record) });
    });
  },
);

export const describeWorkerDeploymentVersion = method(
  object<DescribeWorkerDeploymentVersionRequest>({ ...versioned, reportTaskQueueStats: optional(boolean) }),
  (services, caller, request, call) => {
    const { namespace, reportTaskQueueStats } = request;
    rules.namespace(services, caller, namespace);
    const { name, buildId } = versionIn(services, request);
    const answer = (): void => {
      const deployment = found(services, namespace, name);
      const version = versionOf(deployment, buildId);
      if (version === undefined) throw noVersion(name, buildId);
      const workerDeploymentVersionInfo = view.versionInfo(deployment, version);
      if (reportTaskQueueStats !== true) {
        call.reply({ workerDeploymentVersionInfo, versionTaskQueues: version.queues });
        return;
      }
      const key = versionKey({ deploymentName: name, buildId });
      statsOfQueues(services, namespace, version.queues, key).then(
        (versionTaskQueues) => call.reply({ workerDeploymentVersionInfo, versionTaskQueues }),
        (error: unknown) => call.refuse(unreadable(`version ${buildId}`, error)),
      );
    };
    look(services, call, () => {
      const drainage = versionOf(found(services, namespace, name), buildId)?.drainage;
      // Drained ones too: a workflow may be pinned to it by its start, or by the answer to a task that was under way. Clocks step back.
      const isStale =
        drainage !== undefined && Math.abs(services.clock.now() - drainage.lastCheckedTime) > DRAINAGE_STALE_MS;
      if (!isStale) answer();
      else services.deployments.checkDrainage(namespace, name, buildId, () => look(services, call, answer));
    });
  },
);

export const listWorkerDeployments = method(
  object<ListWorkerDeploymentsRequest>({
    namespace: defaulted(string, ''),
    pageSize: optional(integer),
    nextPageToken: optional(bytes),
  }),
  (services, caller, { namespace, pageSize = 0, nextPageToken }, call) => {
    rules.namespace(services, caller, namespace);
    if (pageSize < 0) throw invalid('PageSize cannot be negative.');
    const after = nextPageToken === undefined ? '' : Buffer.from(nextPageToken).toString('utf8');
    look(services, call, () => {
      const all = services.deployments.all(namespace).filter(({ name }) => name > after);
      const page = all.slice(0, Math.min(pageSize || DEFAULT_PAGE, MAX_PAGE));
      const last = page.at(-1);
      call.reply({
        workerDeployments: page.map(view.deploymentSummary),
        nextPageToken: last !== undefined && page.length < all.length ? Buffer.from(last.name) : undefined,
      } satisfies ListWorkerDeploymentsResponse);
    });
  },
);

const routed = {
  ...named,
  buildId: optional(string),
  version: optional(string),
  conflictToken: optional(bytes),
  ignoreMissingTaskQueues: optional(boolean),
  allowNoPollers: optional(boolean),
};

function routing(services: Services, request: SetCurrentVersionRequest) {
  const { identity = '', conflictToken, ignoreMissingTaskQueues, allowNoPollers } = request;
  checkName(services, request.deploymentName);
  const buildId = buildIdIn(request);
  if (buildId !== '') checkBuildId(services, buildId);
  return {
    ...{ buildId, identity, token: tokenIn(conflictToken) },
    missingQueues: ignoreMissingTaskQueues === true ? ('ignore' as const) : ('refuse' as const),
    unknownVersion: allowNoPollers === true ? ('create' as const) : ('refuse' as const),
  };
}

export const setWorkerDeploymentCurrentVersion = method(
  object<SetCurrentVersionRequest>(routed),
  (services, caller, request, call) => {
    const { namespace, deploymentName: name } = request;
    rules.namespace(services, caller, namespace);
    change({ services, call, namespace, name }, { type: 'setCurrent', ...routing(services, request) }, (answer) => {
      const before = answer.before?.routing.currentBuildId ?? '';
      return {
        conflictToken: tokenOf(answer),
        previousVersion: versionText(name, before),
        previousDeploymentVersion: view.versionPart(name, before),
      };
    });
  },
);

export const setWorkerDeploymentRampingVersion = method(
  object<SetRampingVersionRequest>({ ...routed, percentage: optional(finite) }),
  (services, caller, request, call) => {
    const { namespace, deploymentName: name, percentage = 0 } = request;
    rules.namespace(services, caller, namespace);
    if (percentage < 0 || percentage > 100) throw invalid(`Percentage must be between 0 and 100, not ${percentage}.`);
    const { buildId, ...how } = routing(services, request);
    // Nothing named, and no share for it: the ramp ends.
    const isOver = buildId === '' && percentage === 0;
    const what = { type: 'setRamping', buildId: isOver ? undefined : buildId, percentage, ...how } as const;
    change({ services, call, namespace, name }, what, (answer) => {
      const before = answer.before?.routing.ramping;
      return {
        conflictToken: tokenOf(answer),
        previousVersion: before && versionText(name, before.buildId),
        previousDeploymentVersion: before && view.versionPart(name, before.buildId),
        previousPercentage: before?.percentage ?? 0,
      };
    });
  },
);

export const setWorkerDeploymentManager = method(
  object<SetManagerRequest>({
    ...named,
    managerIdentity: optional(string),
    self: optional(boolean),
    conflictToken: optional(bytes),
  }),
  (services, caller, request, call) => {
    const { namespace, deploymentName: name, identity = '', managerIdentity = '', self, conflictToken } = request;
    rules.namespace(services, caller, namespace);
    checkName(services, name);
    rules.within(services.limits, 'ManagerIdentity', managerIdentity);
    if (self === true && managerIdentity !== '') throw invalid('ManagerIdentity and Self cannot be set together.');
    const manager = self === true ? identity : managerIdentity;
    const what = { type: 'setManager', manager, identity, token: tokenIn(conflictToken) } as const;
    change({ services, call, namespace, name }, what, (answer) => ({
      conflictToken: tokenOf(answer),
      previousManagerIdentity: answer.before?.managerIdentity ?? '',
    }));
  },
);

export const updateWorkerDeploymentVersionMetadata = method(
  object<UpdateVersionMetadataRequest>({
    ...versioned,
    upsertEntries: optional(record(common.payload)),
    removeEntries: optional(list(string)),
  }),
  (services, caller, request, call) => {
    const { namespace, identity = '', upsertEntries: upsert = {}, removeEntries: remove = [] } = request;
    rules.namespace(services, caller, namespace);
    const { name, buildId } = versionIn(services, request);
    const what = { type: 'metadata', buildId, identity, upsert, remove } as const;
    change({ services, call, namespace, name }, what, ({ records = [] }) => {
      const [left] = records;
      return { metadata: { entries: (left && versionOf(left, buildId)?.metadata) ?? {} } };
    });
  },
);

export const deleteWorkerDeploymentVersion = method(
  object<DeleteVersionRequest>({ ...versioned, skipDrainage: optional(boolean) }),
  (services, caller, request, call) => {
    const { namespace, identity = '', skipDrainage } = request;
    rules.namespace(services, caller, namespace);
    const { name, buildId } = versionIn(services, request);
    look(services, call, () => {
      const drainage = skipDrainage === true ? 'skip' : 'respect';
      const deployment = found(services, namespace, name);
      const version = versionOf(deployment, buildId);
      if (version !== undefined) checkDeletable(deployment, version, drainage);
      const key = versionKey({ deploymentName: name, buildId });
      const polled = version?.queues.find(
        (queue) => services.workers.pollers(namespace, versionedQueue(queue.name, key)).length > 0,
      );
      if (polled !== undefined) {
        throw precondition(
          `version '${name}:${buildId}' cannot be deleted since it has active pollers, on task queue ${polled.name}; stop them first`,
        );
      }
      change({ services, call, namespace, name }, { type: 'deleteVersion', buildId, identity, drainage }, () => EMPTY);
    });
  },
);

export const deleteWorkerDeployment = method(
  object<DeploymentRequest>(named),
  (services, caller, { namespace, deploymentName: name, identity = '' }, call) => {
    rules.namespace(services, caller, namespace);
    checkName(services, name);
    change({ services, call, namespace, name }, { type: 'delete', identity }, () => EMPTY);
  },
);

// Namespaces as their clients know them: registered, described, listed, updated, deprecated and deleted.

import type { Limits } from '../../../core/workflow/limits.ts';
import type { Method, Methods } from '../../../wire/api.ts';
import { NamespaceState } from '../../../wire/enums.ts';
import type { NamespaceDescription } from '../../../wire/namespace.ts';
import { StatusCode } from '../../../wire/status.ts';
import { invalid } from '../../validate/check.ts';
import { answering } from '../altered-call.ts';
import { isNamed, type Message, native, nothing, number, part, type Rpc, rpc, runNative, text } from '../rpc.ts';

const ARCHIVAL_DISABLED = 1;
const REPLICATION_NORMAL = 1;
const REPLICATION_HANDOVER = 2;
/** Its one cluster, as far as clients are told. */
export const CLUSTER_NAME = 'tenuto';

/** What the reference server has, too. */
const CAPABILITIES = {
  eagerWorkflowStart: true,
  syncUpdate: true,
  asyncUpdate: true,
  workerHeartbeats: true,
  reportedProblemsSearchAttribute: true,
  workflowPause: true,
  standaloneActivities: true,
  pollerAutoscaling: true,
};
/** What newer servers have: said to clients that say who they are, as all do that look for it. */
const NEWER_CAPABILITIES = {
  standaloneActivityStartDelay: true,
  standaloneActivityOperatorCommands: true,
};

/** Whom it is described to, and by whom. */
interface Describing {
  readonly limits: Limits;
  readonly isNamedClient: boolean;
}

function describe(namespace: NamespaceDescription, { limits, isNamedClient }: Describing): Message {
  const { name, id, state, description, ownerEmail, data, workflowExecutionRetentionTtl } = namespace;
  return {
    namespaceInfo: {
      ...{ name, id, state, description, ownerEmail, data },
      capabilities: isNamedClient ? { ...CAPABILITIES, ...NEWER_CAPABILITIES } : CAPABILITIES,
      limits: { blobSizeLimitError: limits.blobBytes, memoSizeLimitError: limits.blobBytes },
      supportsSchedules: true,
    },
    config: {
      workflowExecutionRetentionTtl,
      badBinaries: {},
      historyArchivalState: ARCHIVAL_DISABLED,
      visibilityArchivalState: ARCHIVAL_DISABLED,
      customSearchAttributeAliases: namespace.customSearchAttributeAliases,
    },
    replicationConfig: {
      activeClusterName: CLUSTER_NAME,
      clusters: [{ clusterName: CLUSTER_NAME }],
      state: REPLICATION_NORMAL,
    },
  };
}

/** A method of the native door whose answer describes namespaces. */
function describing<M extends Method>(
  name: M,
  body: (request: Message) => object,
  answer: (reply: Methods[M]['response'], to: Describing) => object,
): Rpc {
  return rpc((services, caller, request, call) => {
    const to = { limits: services.limits, isNamedClient: isNamed(call) };
    const answered = answering(call, (reply: Methods[M]['response']) => answer(reply, to));
    runNative(name, services, caller, body(request), answered);
  });
}

const asGiven = (request: Message): object => request;

const STATES: ReadonlySet<number> = new Set(Object.values(NamespaceState));

/** What other servers can do with a namespace, and this one has no use for. */
export function checkUpdate(request: Message): void {
  if (request.promoteNamespace === true) throw invalid('Namespaces of this server are not global.');
  if (text(request, 'deleteBadBinary') !== '') throw invalid('Bad binary checksum is not found.');
  if (!STATES.has(number(part(request, 'updateInfo'), 'state'))) throw invalid('Invalid namespace state update.');
  const { activeClusterName, clusters, state } = part(request, 'replicationConfig');
  if (state === REPLICATION_HANDOVER) throw invalid('Handover can only be set for global namespace');
  // Not set is another thing than none at all.
  const { workflowExecutionRetentionTtl: retention } = part(request, 'config');
  if (retention === 0) throw invalid('A valid retention period is not set on request.');
  const named = Array.isArray(clusters) ? (clusters as Message[]).map((one) => one.clusterName) : [];
  const unknown = [activeClusterName || CLUSTER_NAME, ...named].find((name) => name !== CLUSTER_NAME);
  if (unknown !== undefined) throw invalid(`Invalid cluster name: ${String(unknown).slice(0, 100)}.`);
}

export function checkRegistration(request: Message): Message {
  if (request.isGlobalNamespace === true) throw invalid('Cannot register global namespace when not enabled');
  return request;
}

/** A name or an id: of two that name different ones neither would be right. */
export function checkDescribed(request: Message): Message {
  if (text(request, 'namespace') !== '' && text(request, 'id') !== '') {
    throw invalid('GetNamespace operation failed.  Both ID and Name specified in request.');
  }
  return request;
}

export const RegisterNamespace = native('registerNamespace', checkRegistration, nothing);
const describeAny = describing('describeNamespace', checkDescribed, describe);
/** Its clients look here whether they speak to a server at all; nothing runs in it. */
const SYSTEM = {
  namespaceInfo: { name: 'temporal-system', id: '32049b68-7872-4094-8e63-d0dd59896a83', state: 1 },
  config: { workflowExecutionRetentionTtl: 7 * 86_400_000 },
  replicationConfig: { activeClusterName: CLUSTER_NAME, clusters: [{ clusterName: CLUSTER_NAME }] },
};
const isSystem = (request: Message): boolean => text(request, 'namespace') === SYSTEM.namespaceInfo.name;
export const DescribeNamespace: Rpc = {
  ...describeAny,
  run(services, caller, request, call) {
    if (isSystem(request)) call.reply(SYSTEM);
    else describeAny.run(services, caller, request, call);
  },
};
export const UpdateNamespace = describing(
  'updateNamespace',
  (request) => {
    checkUpdate(request);
    const { description, ownerEmail, data } = part(request, 'updateInfo');
    const config = part(request, 'config');
    const retention = number(config, 'workflowExecutionRetentionTtl') || undefined;
    return {
      namespace: text(request, 'namespace'),
      // An empty text is one that was not given.
      updateInfo: { description: description || undefined, ownerEmail: ownerEmail || undefined, data },
      config: {
        workflowExecutionRetentionTtl: retention,
        customSearchAttributeAliases: part(config, 'customSearchAttributeAliases'),
      },
    };
  },
  describe,
);
export const DeprecateNamespace = native('deprecateNamespace', undefined, nothing);
const deleteAny = native('deleteNamespace');
export const DeleteNamespace: Rpc = {
  ...deleteAny,
  run(services, caller, request, call) {
    if (isSystem(request)) {
      call.refuse({ code: StatusCode.FAILED_PRECONDITION, message: 'unable to delete system namespace' });
    } else deleteAny.run(services, caller, request, call);
  },
};
export const ListNamespaces = describing('listNamespaces', asGiven, ({ namespaces, nextPageToken }, to) => ({
  namespaces: namespaces.map((namespace) => describe(namespace, to)),
  nextPageToken,
}));

// Who a node says it is on a link, what two nodes must agree on, and why one refuses the other. Messages are for the log of whoever runs the
// cluster: they name both sides and what to do.

import { newestCommon, rangeText, type VersionRange } from '../../src/wire/versions.ts';

export interface NodeIdentity {
  clusterId: string;
  nodeName: string;
  /** The voter's identity: made when its data directory was created. */
  directoryId: string;
  /** A fresh UUID of each start of the process. */
  bootId: string;
  /** Of the product, for people. */
  version: string;
  /** Versions of the link's frames it speaks: the newest and the one before, so that a cluster is upgraded node by node. */
  protocol: VersionRange;
  /** How old its directory was when this process began (node/directory-ages.ts); undefined: it has none, or says nothing of it. From 0 to 2^53 - 1. */
  readonly age?: number | undefined;
}

/** A peer whose handshake succeeded. */
export interface RemoteNode extends NodeIdentity {
  /** The version both speak. */
  agreedProtocol: number;
  /** `host:port` as the socket knows it. */
  address: string;
}

export const REFUSALS = [
  'protocol',
  'version',
  'cluster',
  'security',
  'authentication',
  'certificate',
  'clock',
  'self',
  'unexpectedName',
  'duplicateName',
  'directoryInUse',
  'duplicateProcess',
  'duplicateLink',
  'unwanted',
  'busy',
  'timeout',
] as const;
/**
 * `duplicateLink` is the normal end of one of two connections that met; all others need somebody's attention.
 * Never reorder: the position is what crosses the wire.
 */
export type RefusalKind = (typeof REFUSALS)[number];

export interface Refusal {
  kind: RefusalKind;
  message: string;
}

const MAX_NAME = 200;

/** What is wrong with this node's own identity, or undefined. */
export function identityProblem(identity: NodeIdentity): string | undefined {
  for (const field of ['clusterId', 'nodeName', 'directoryId', 'bootId', 'version'] as const) {
    const value = identity[field];
    if (value === '') return `${field} must not be empty`;
    if (Buffer.byteLength(value) > MAX_NAME) return `${field} is longer than ${MAX_NAME} bytes`;
    if (/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(value)) return `${field} must be printable`;
  }
  const { min, max } = identity.protocol;
  if (!(Number.isInteger(min) && Number.isInteger(max) && min >= 1 && min <= max && max <= 0xffff)) {
    return `the protocol range ${min} to ${max} is none`;
  }
  return undefined;
}

/** The newest protocol both speak, or why there is none. */
export function agreeOnProtocol(local: NodeIdentity, remote: NodeIdentity): number | Refusal {
  const agreed = newestCommon(local.protocol, remote.protocol);
  if (agreed !== undefined) return agreed;
  const newer = remote.protocol.max < local.protocol.min ? local : remote;
  const older = newer === local ? remote : local;
  return {
    kind: 'version',
    message:
      `node ${older.nodeName} (version ${older.version}) speaks link protocol ${rangeText(older.protocol)}, node ${newer.nodeName} ` +
      `(version ${newer.version}) ${rangeText(newer.protocol)}: versions of a cluster may differ by one. Upgrade ${older.nodeName} first.`,
  };
}

export const wrongCluster = (local: NodeIdentity, remote: NodeIdentity): Refusal => ({
  kind: 'cluster',
  message:
    `node ${remote.nodeName} belongs to cluster ${remote.clusterId}, node ${local.nodeName} to ${local.clusterId}: ` +
    `check the cluster id of both, and the addresses they were given.`,
});

/** Of two nodes that know each other's name and directory already. `known` is a peer whose link lives. */
export function conflict(known: NodeIdentity, claimed: NodeIdentity): Refusal | undefined {
  const sameName = known.nodeName === claimed.nodeName;
  const sameDirectory = known.directoryId === claimed.directoryId;
  if (sameName && sameDirectory) {
    if (known.bootId === claimed.bootId) return undefined;
    return {
      kind: 'duplicateProcess',
      message:
        `node ${claimed.nodeName} (data directory ${claimed.directoryId}) is connected from another process: either its earlier ` +
        `process has not ended yet, or its data directory was copied and started twice. Stop one of them.`,
    };
  }
  if (sameName) {
    return {
      kind: 'duplicateName',
      message:
        `two nodes call themselves ${claimed.nodeName}: one has data directory ${known.directoryId}, the other ` +
        `${claimed.directoryId}. Give one of them another name.`,
    };
  }
  if (sameDirectory) {
    return {
      kind: 'directoryInUse',
      message:
        `node ${claimed.nodeName} came with data directory ${claimed.directoryId}, which node ${known.nodeName} is using: ` +
        `a directory was moved or copied to another node. Stop one of them; a copy must be emptied, so that it joins anew.`,
    };
  }
  return undefined;
}

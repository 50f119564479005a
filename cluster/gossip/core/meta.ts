// What a node says of itself. Small and bounded in bytes, since every change travels to every member several times; texts are single words
// of printable ASCII, so that they can stand in a log line, a metric label or a table as they are.

import type { Draining } from '../../../src/ports/cluster.ts';
import type { VersionRange } from '../../../src/wire/versions.ts';
import { isIpLiteral, parseAddress } from './address.ts';

export interface NodeMeta {
  /** Unique in the cluster, chosen by people. At most 64 characters. */
  readonly name: string;
  /** Names the data directory for ever: the voter (DESIGN §1). At most 64 characters. */
  readonly directoryId: string;
  /** One life of one process, drawn at its start: tells a restart from an echo, and a twin from oneself. 32 bits. */
  readonly instance: number;
  readonly addresses: NodeAddresses;
  /** At most 8, of at most 32 characters. */
  readonly roles: readonly string[];
  /** Failure domain; empty: none. At most 64 characters. */
  readonly zone: string;
  /** Of the software. At most 32 characters. */
  readonly version: string;
  /** Versions of the cluster's protocols it can speak. */
  readonly protocol: VersionRange;
  /** Its wall clock at its start, epoch ms: for people, nothing is decided by it. */
  readonly startedAtMs: number;
  /** What it hands over and takes no more of. */
  readonly draining: Draining;
  /** Share of the load in proportion to others: 0.01 to 100, in hundredths. */
  readonly weight: number;
}

export const DRAININGS: readonly Draining[] = ['no', 'leadership', 'everything'];
const MIN_WEIGHT = 0.01;
const MAX_WEIGHT = 100;

export interface NodeAddresses {
  /** `ip:port` that gossip goes to: a literal, resolved by the node itself. */
  readonly gossip: string;
  /** `host:port` of the door for clients and workers, `host:port/cores/n` of one core of several behind it; empty: none. */
  readonly client: string;
  /** `host:port` of the node-to-node link; empty: none. */
  readonly link: string;
}

export const MAX_NAME_LENGTH = 64;
export const MAX_ROLES = 8;
/** Of all texts together, so that a record fits a packet beside a ping. */
export const MAX_META_CHARACTERS = 512;

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const WORD = /^[!-~]*$/;
/** Which core behind the address, at its end. */
const CORE = /\/cores\/[1-9]\d{0,3}$/;

export const isNodeName = (text: string): boolean => NAME.test(text);

/** What is wrong with it, for a person; undefined when it is sound. */
export function metaProblem(meta: NodeMeta): string | undefined {
  const { name, directoryId, addresses, roles, zone, version, protocol } = meta;
  if (!isNodeName(name)) {
    return `name ${JSON.stringify(name)} must be up to ${MAX_NAME_LENGTH} letters, digits, '_', '.' and '-', beginning with a letter or digit`;
  }
  const gossip = parseAddress(addresses.gossip);
  if (gossip === undefined || !isIpLiteral(gossip.host)) {
    return `addresses.gossip ${JSON.stringify(addresses.gossip)} must be an IP address and port, like 10.0.0.7:7946`;
  }
  for (const door of ['client', 'link'] as const) {
    const address = door === 'client' ? addresses.client.replace(CORE, '') : addresses.link;
    if (address !== '' && parseAddress(address) === undefined) {
      return `addresses.${door} ${JSON.stringify(addresses[door])} must be host:port, or empty`;
    }
  }
  const words: readonly [string, string, number][] = [
    ['directoryId', directoryId, 64],
    ['zone', zone, 64],
    ['version', version, 32],
    ...roles.map((role): [string, string, number] => ['roles', role, 32]),
  ];
  for (const [field, text, max] of words) {
    if (text.length > max || !WORD.test(text)) {
      return `${field} ${JSON.stringify(text)} must be one word of at most ${max} printable ASCII characters`;
    }
  }
  if (directoryId === '') return 'directoryId must not be empty';
  if (roles.length > MAX_ROLES) return `roles: at most ${MAX_ROLES} are possible, not ${roles.length}`;
  if (!(protocol.min >= 1 && protocol.max >= protocol.min)) {
    return `protocol ${protocol.min}..${protocol.max} is no range`;
  }
  if (!(meta.weight >= MIN_WEIGHT && meta.weight <= MAX_WEIGHT)) {
    return `weight ${meta.weight} must be from ${MIN_WEIGHT} to ${MAX_WEIGHT}`;
  }
  const characters = [name, directoryId, addresses.gossip, addresses.client, addresses.link, zone, version, ...roles];
  const sum = characters.reduce((total, text) => total + text.length, 0);
  if (sum > MAX_META_CHARACTERS) {
    return `its texts have ${sum} characters together, more than ${MAX_META_CHARACTERS}: shorten addresses or roles`;
  }
  return undefined;
}

/** Whether anything differs that the node itself chose. */
export function sameMeta(a: NodeMeta, b: NodeMeta): boolean {
  return (
    a.name === b.name &&
    a.directoryId === b.directoryId &&
    a.instance === b.instance &&
    a.addresses.gossip === b.addresses.gossip &&
    a.addresses.client === b.addresses.client &&
    a.addresses.link === b.addresses.link &&
    a.roles.length === b.roles.length &&
    a.roles.every((role, index) => role === b.roles[index]) &&
    a.zone === b.zone &&
    a.version === b.version &&
    a.protocol.min === b.protocol.min &&
    a.protocol.max === b.protocol.max &&
    a.startedAtMs === b.startedAtMs &&
    a.draining === b.draining &&
    a.weight === b.weight
  );
}

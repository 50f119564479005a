// Who the other nodes are and how to reach them: from gossip, and from the links' handshakes. Keeps a link to every node that gossip knows,
// and finds the node that has a data directory. Called by cluster-node.ts.

import type { Log } from '../../src/ports/log.ts';
import { formatAddress, parseAddress } from '../gossip/core/address.ts';
import type { MemberSnapshot } from '../gossip/index.ts';
import type { Links } from '../link/links.ts';
import type { Address } from '../link/transport.ts';
import type { RingMember } from '../ring/member.ts';
import type { Seen } from '../ring/presence.ts';

export interface RosterOptions {
  self: string;
  links: Links;
  log: Log;
  members(): readonly MemberSnapshot[];
}

export interface ReachableNode {
  readonly node: string;
  readonly address: Address;
}

/** A member with this role may hold shards; one that names no role has all. */
const HOLDS_SHARDS = 'shards';

const linkOf = (member: MemberSnapshot): Address | undefined => parseAddress(member.addresses.link);

export class Roster {
  readonly #options: RosterOptions;
  /** By data directory: the member that said last that it has it. */
  #byDirectory = new Map<string, MemberSnapshot>();

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  /** Members of gossip have changed: links follow. */
  refresh(): void {
    const { self, links, members } = this.#options;
    this.#byDirectory = new Map();
    for (const member of members()) {
      const known = this.#byDirectory.get(member.directoryId);
      // A name that moved to another directory leaves a dead record behind.
      if (known === undefined || member.state === 'alive') this.#byDirectory.set(member.directoryId, member);
      if (member.name === self) continue;
      if (member.state === 'left') {
        links.forget(member.name);
        continue;
      }
      const address = linkOf(member);
      if (address !== undefined) this.connect(member.name, address);
    }
  }

  /** Keeps a link to this node; the log says why there can be none. */
  connect(node: string, address: Address): void {
    const { links, log } = this.#options;
    try {
      links.connect(node, address);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log.warn({ node, address: formatAddress(address.host, address.port) }, `no link to a node: ${why}`);
    }
  }

  locate(directoryId: string): ReachableNode | undefined {
    const member = this.#byDirectory.get(directoryId);
    const address = member === undefined ? undefined : linkOf(member);
    return member === undefined || address === undefined ? undefined : { node: member.name, address };
  }

  nameOf(directoryId: string): string | undefined {
    return this.#byDirectory.get(directoryId)?.name;
  }

  /** Gossip sees it. */
  isUp(directoryId: string): boolean {
    const state = this.#byDirectory.get(directoryId)?.state;
    return state !== undefined && isUp(state);
  }

  /** Its node says that it drains, or leaves. */
  drains(directoryId: string): boolean {
    return (this.#byDirectory.get(directoryId)?.draining ?? 'no') !== 'no';
  }

  /** Of a node that is connected. */
  directoryOf(node: string): string | undefined {
    return this.#options.links.peer(node)?.remote?.directoryId;
  }

  /** There is a link to the node that has this directory. */
  isLinked(directoryId: string): boolean {
    return this.#options.links
      .peers()
      .some(({ state, remote }) => state === 'connected' && remote?.directoryId === directoryId);
  }

  /** How long nothing has come from the node that has this directory, ms; undefined: it is not connected. */
  quietMs(directoryId: string): number | undefined {
    const name = this.nameOf(directoryId);
    const peer = name === undefined ? undefined : this.#options.links.peer(name);
    return peer?.remote?.directoryId === directoryId ? peer.quietMs : undefined;
  }

  /** Names of nodes that are connected. */
  connected(): string[] {
    return this.#options.links
      .peers()
      .filter(({ state }) => state === 'connected')
      .map(({ name }) => name);
  }

  /** Other nodes that gossip sees. */
  othersUp(): number {
    const { members, self } = this.#options;
    return members().filter(({ name, state }) => name !== self && isUp(state)).length;
  }

  /** For placement: see `#placeable`, and of those that are gone who said last that they give up everything. */
  seen(planned: ReadonlySet<string>): Seen {
    const left = new Set<string>();
    // A directory may have had another name meanwhile.
    const stays = new Set<string>();
    for (const { directoryId, state, draining } of this.#options.members())
      (isUp(state) || draining !== 'everything' ? stays : left).add(directoryId);
    for (const directoryId of stays) left.delete(directoryId);
    return { present: this.#placeable(planned), left };
  }

  /**
   * Those that placement may count on now, this node included. A newcomer counts once there is a link to it: one that nobody can hand anything
   * (its clock is wrong, its port is closed) would be waited for by every shard it should hold.
   *
   * @param planned directories of the plan, which count while gossip sees them
   */
  #placeable(planned: ReadonlySet<string>): RingMember[] {
    const { members, self } = this.#options;
    return members()
      .filter(({ state, roles }) => isUp(state) && mayHold(roles))
      .filter(({ name, directoryId }) => name === self || planned.has(directoryId) || this.isLinked(directoryId))
      .map(({ name, directoryId, zone, weight, draining }) => ({
        name,
        directoryId,
        zone,
        weight,
        drain: draining,
        seed: 0,
      }));
  }
}

const isUp = (state: MemberSnapshot['state']): boolean => state === 'alive' || state === 'suspect';

const mayHold = (roles: readonly string[]): boolean => roles.length === 0 || roles.includes(HOLDS_SHARDS);

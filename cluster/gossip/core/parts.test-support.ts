// One node's parts for tests of a single rule: a table filled by hand, and what was sent and said as readable lists.

import { SeededRandom } from '../../../test/sim/random.ts';
import { Awareness } from './awareness.ts';
import { Broadcasts } from './broadcasts.ts';
import { Claims } from './claims.ts';
import { decodeMessages } from './codec.ts';
import { type GossipConfig, gossipConfig, LAN } from './config.ts';
import type { Member } from './member.ts';
import type { AliveClaim, MemberRecord, Message } from './messages.ts';
import type { NodeMeta } from './meta.ts';
import { Limiter } from './notices.ts';
import { type Output, Outputs } from './outputs.ts';
import { Own } from './own.ts';
import { Packets } from './packets.ts';
import type { Parts } from './parts.ts';
import { MemberTable } from './table.ts';

/** Distinct for each name. */
const numberOf = (name: string): number => [...name].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 60_000, 7);

export function metaOf(name: string, given: Partial<NodeMeta> = {}): NodeMeta {
  const number = numberOf(name);
  return {
    name,
    directoryId: `dir-${name}`,
    instance: number,
    addresses: { gossip: addressOf(name), client: '', link: '' },
    roles: [],
    zone: '',
    version: '1.0.0',
    protocol: { min: 1, max: 1 },
    startedAtMs: 0,
    draining: 'no',
    weight: 1,
    ...given,
  };
}

export function addressOf(name: string): string {
  const number = numberOf(name);
  return `10.1.${number >> 8}.${number & 255}:7946`;
}

export function memberOf(name: string, given: Partial<Member> = {}): Member {
  const since = { sinceMs: 0, instanceSinceMs: 0 };
  return { meta: metaOf(name), incarnation: 1, state: 'alive', ...since, load: 0, loadVersion: 0, ...given };
}

export function aliveClaim(name: string, incarnation = 1, given: Partial<NodeMeta> = {}): AliveClaim {
  return { type: 'alive', meta: metaOf(name, given), incarnation, load: 0, loadVersion: 0 };
}

export function recordFor(name: string, given: Partial<MemberRecord> = {}): MemberRecord {
  return { meta: metaOf(name), incarnation: 1, state: 'alive', ageMs: 0, load: 0, loadVersion: 0, ...given };
}

export interface Said {
  readonly to: string;
  readonly messages: readonly Message[];
}

export class TestNode {
  readonly parts: Parts;
  readonly own: Own;
  readonly packets: Packets;
  readonly claims: Claims;
  #outputs: Output[] = [];

  constructor(changes: Partial<GossipConfig> = {}, name = 'self') {
    const self = memberOf(name);
    const config = gossipConfig(LAN, changes);
    this.parts = {
      config,
      random: new SeededRandom('parts'),
      self,
      table: new MemberTable(),
      broadcasts: new Broadcasts(config.retransmitMult, config.maxBroadcasts),
      awareness: new Awareness(config.awarenessMax),
      limiter: new Limiter(),
      out: new Outputs(),
    };
    this.parts.table.add(self);
    this.own = new Own(this.parts, 0);
    this.packets = new Packets(this.parts);
    this.claims = new Claims(this.parts, this.own, this.packets);
  }

  /** Members everybody knows, alive since 0, of whom there is no news. */
  knows(...names: string[]): this {
    for (const name of names) {
      this.parts.table.add(memberOf(name));
    }
    return this;
  }

  stateOf(name: string): string | undefined {
    return this.parts.table.get(name)?.state;
  }

  /** News waiting to be passed on, newest version of each. */
  news(): Message[] {
    return this.parts.broadcasts.take(Number.MAX_SAFE_INTEGER, 1_000).flatMap(messagesIn);
  }

  /** Packets and streams asked for since the last look. */
  sent(): Said[] {
    this.#collect();
    const found: Said[] = [];
    this.#outputs = this.#outputs.filter((output) => {
      if (output.type !== 'packet' && output.type !== 'dial') return true;
      found.push({ to: output.to, messages: messagesIn(output.body) });
      return false;
    });
    return found;
  }

  /** `joined a`, `died b` … since the last look. */
  changes(): string[] {
    this.#collect();
    const found = this.#outputs.flatMap((output) =>
      output.type === 'change' ? [`${output.change.type} ${output.change.member.name}`] : [],
    );
    this.#outputs = this.#outputs.filter(({ type }) => type !== 'change');
    return found;
  }

  /** Everything else asked for since the last look. */
  others(): Output[] {
    this.#collect();
    return this.#outputs.splice(0);
  }

  #collect(): void {
    this.#outputs.push(...this.parts.out.drain());
  }
}

export function messagesIn(body: Uint8Array): Message[] {
  const decoded = decodeMessages(body);
  if ('malformed' in decoded) throw new Error(decoded.malformed);
  return decoded.messages;
}

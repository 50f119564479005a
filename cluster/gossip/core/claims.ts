// What others say about members, and what we make of it: the rules of SWIM. News is passed on once more by each who hears it; old news ends here.
// Of two claims the higher incarnation holds, then the worse state; only the member itself can raise its incarnation.

import { newestCommon, rangeText } from '../../../src/wire/versions.ts';
import { encodeMessage } from './codec.ts';
import { isUp, type Member } from './member.ts';
import type { AliveClaim, DeadClaim, LeftClaim, LoadClaim, Refused, SuspectClaim } from './messages.ts';
import type { NodeMeta } from './meta.ts';
import { refusedPeer } from './notices.ts';
import { loadSubject, type Own } from './own.ts';
import type { Packets } from './packets.ts';
import { type Parts, report } from './parts.ts';
import type { RefusalReason } from './refusal.ts';
import { suspicionBounds } from './suspicion.ts';
import { Suspicions } from './suspicions.ts';

/** How a claim reached us. */
export type Heard =
  /** Passed on: pass it on. */
  | 'gossip'
  /** In a comparison of tables: as good as gossip. */
  | 'sync'
  /** In our first one: everybody else knows it already. */
  | 'firstSync'
  /** From the member itself, at our door. */
  | 'door';

/** An honest incarnation grows by one at a time; a claim far beyond what is known would leave its subject no room to refute. */
const MAX_INCARNATION_JUMP = 1_000_000;

export class Claims {
  readonly #parts: Parts;
  readonly #own: Own;
  readonly #packets: Packets;
  readonly suspicions: Suspicions;

  constructor(parts: Parts, own: Own, packets: Packets) {
    this.#parts = parts;
    this.#own = own;
    this.#packets = packets;
    this.suspicions = new Suspicions((name, nowMs) => this.#expired(name, nowMs));
  }

  /** Why the member is not let in; undefined when it is, or the claim is old. */
  alive(nowMs: number, claim: AliveClaim, heard: Heard): RefusalReason | undefined {
    const { self, table, out } = this.#parts;
    const { meta } = claim;
    if (newestCommon(meta.protocol, self.meta.protocol) === undefined) {
      const spoken = `it speaks ${rangeText(meta.protocol)}, this node ${rangeText(self.meta.protocol)}`;
      return this.#refuse(nowMs, 'incompatibleVersion', meta, heard, spoken);
    }
    if (meta.name === self.meta.name) return this.#aboutUs(nowMs, claim, heard);
    const known = table.get(meta.name);
    const reason = this.#objection(nowMs, meta, known, heard);
    if (reason !== undefined) return this.#refuse(nowMs, reason, meta, heard);
    if (known === undefined) {
      const { incarnation, load, loadVersion } = claim;
      const since = { sinceMs: nowMs, instanceSinceMs: nowMs };
      const member: Member = { meta, incarnation, state: 'alive', ...since, load, loadVersion };
      table.add(member);
      out.change('joined', member, nowMs);
      this.#pass(meta.name, claim, heard);
      return undefined;
    }
    if (this.#old(claim.incarnation, known) || claim.incarnation === known.incarnation) return undefined;
    this.#renew(nowMs, known, claim);
    this.#pass(meta.name, claim, heard);
    return undefined;
  }

  suspect(nowMs: number, claim: SuspectClaim): void {
    const { self, table, out, config } = this.#parts;
    const known = table.get(claim.name);
    if (known === undefined || this.#old(claim.incarnation, known)) return;
    if (known === self) {
      this.#own.refute(nowMs, claim.incarnation);
    } else if (known.state === 'suspect') {
      known.incarnation = claim.incarnation;
      if (this.suspicions.confirm(claim.name, claim.from)) this.#pass(claim.name, claim, 'gossip');
    } else if (known.state === 'alive') {
      known.incarnation = claim.incarnation;
      this.suspicions.begin(claim.name, claim.from, suspicionBounds(config, table.up), nowMs);
      table.setState(known, 'suspect', nowMs);
      out.change('suspect', known, nowMs);
      this.#pass(claim.name, claim, 'gossip');
    }
  }

  dead(nowMs: number, claim: DeadClaim): void {
    this.#gone(nowMs, claim, 'dead', isUp);
  }

  left(nowMs: number, claim: LeftClaim): void {
    this.#gone(nowMs, claim, 'left', ({ state }) => state !== 'left');
  }

  /** It does not answer, or said goodbye. `isNews`: the member is not known to be so. */
  #gone(nowMs: number, claim: DeadClaim | LeftClaim, state: 'dead' | 'left', isNews: (known: Member) => boolean): void {
    const { self, table, out } = this.#parts;
    const known = table.get(claim.name);
    if (known === undefined || this.#old(claim.incarnation, known)) return;
    if (known === self) {
      this.#own.refute(nowMs, claim.incarnation);
      return;
    }
    known.incarnation = claim.incarnation;
    if (claim.type === 'left' && claim.draining !== undefined) known.meta = { ...known.meta, draining: claim.draining };
    if (!isNews(known)) return;
    this.suspicions.clear(claim.name);
    table.setState(known, state, nowMs);
    out.change(state === 'dead' ? 'died' : 'left', known, nowMs);
    this.#pass(claim.name, claim, 'gossip');
  }

  load(nowMs: number, claim: LoadClaim): void {
    const { self, table, broadcasts, out } = this.#parts;
    const known = table.get(claim.name);
    if (known === undefined || known === self || known.meta.instance !== claim.instance) return;
    if (claim.loadVersion <= known.loadVersion) return;
    known.load = claim.load;
    known.loadVersion = claim.loadVersion;
    if (isUp(known)) out.change('updated', known, nowMs);
    broadcasts.add(loadSubject(claim.name), encodeMessage(claim), 'rider');
  }

  /** What somebody not let in is told. */
  refusal(nowMs: number, reason: RefusalReason, { name, instance, directoryId }: NodeMeta): Refused {
    const { self, table } = this.#parts;
    const held = reason === 'duplicateName' ? table.get(name) : undefined;
    const holder = reason === 'duplicateDirectory' ? table.upWithDirectory(directoryId) : held;
    const uptimeMs = holder === undefined ? 0 : Math.max(0, nowMs - holder.instanceSinceMs);
    return { type: 'refused', reason, name, instance, by: self.meta.name, uptimeMs };
  }

  #expired(name: string, nowMs: number): void {
    const { self, table } = this.#parts;
    const incarnation = table.get(name)?.incarnation ?? 0;
    this.dead(nowMs, { type: 'dead', name, incarnation, from: self.meta.name });
  }

  /** Of the past, or of no honest future. */
  #old(incarnation: number, known: Member): boolean {
    return incarnation < known.incarnation || incarnation > known.incarnation + MAX_INCARNATION_JUMP;
  }

  /** Why the claim cannot be taken in, whatever its incarnation. */
  #objection(nowMs: number, meta: NodeMeta, known: Member | undefined, heard: Heard): RefusalReason | undefined {
    const { config, table } = this.#parts;
    if (known === undefined && table.size >= config.maxMembers) return 'tableFull';
    if (known !== undefined && known.meta.directoryId !== meta.directoryId) {
      if (isUp(known)) return 'duplicateName';
      // The door decides; what others have let in is let in.
      const fresh = known.state === 'dead' && nowMs - known.sinceMs < config.reclaimMs;
      if (fresh && heard === 'door') return 'nameReserved';
    }
    if (known === undefined || !isUp(known)) {
      const holder = table.upWithDirectory(meta.directoryId);
      if (holder !== undefined) return 'duplicateDirectory';
    }
    return undefined;
  }

  #renew(nowMs: number, known: Member, claim: AliveClaim): void {
    const { table, out } = this.#parts;
    const wasUp = isUp(known);
    if (claim.meta.instance !== known.meta.instance || claim.loadVersion > known.loadVersion) {
      known.load = claim.load;
      known.loadVersion = claim.loadVersion;
    }
    if (claim.meta.instance !== known.meta.instance) known.instanceSinceMs = nowMs;
    known.meta = claim.meta;
    known.incarnation = claim.incarnation;
    this.suspicions.clear(claim.meta.name);
    if (known.state !== 'alive') table.setState(known, 'alive', nowMs);
    out.change(wasUp ? 'updated' : 'joined', known, nowMs);
  }

  /** Somebody speaks of our name: an echo, our previous life, or a twin. Between twins the younger gives way (core.ts). */
  #aboutUs(nowMs: number, { meta, incarnation }: AliveClaim, heard: Heard): RefusalReason | undefined {
    const { self, limiter } = this.#parts;
    if (meta.instance === self.meta.instance) {
      if (incarnation > self.incarnation && !this.#old(incarnation, self)) this.#own.outdo(nowMs, incarnation);
      return heard === 'door' ? 'yourself' : undefined;
    }
    const reason = meta.directoryId === self.meta.directoryId ? 'duplicateDirectory' : 'duplicateName';
    if (heard === 'door') {
      report(this.#parts, `twin ${meta.instance}`, nowMs, refusedPeer(reason, meta.addresses.gossip, meta.name));
      return reason;
    }
    if (!this.#old(incarnation, self)) this.#own.outdo(nowMs, incarnation);
    const { gossip } = meta.addresses;
    // A previous life cannot be told apart from a twin here; telling it costs a packet to nobody.
    if (gossip !== self.meta.addresses.gossip && limiter.allow(`tell ${meta.instance}`, nowMs)) {
      this.#packets.sendAlone(gossip, [this.refusal(nowMs, reason, meta)]);
    }
    return undefined;
  }

  #refuse(nowMs: number, reason: RefusalReason, meta: NodeMeta, heard: Heard, detail?: string): RefusalReason {
    const { limiter } = this.#parts;
    const { name, instance, addresses } = meta;
    report(this.#parts, `refused ${reason} ${instance}`, nowMs, refusedPeer(reason, addresses.gossip, name, detail));
    // At the door the answer says so.
    if (heard !== 'door' && limiter.allow(`tell ${instance}`, nowMs)) {
      this.#packets.sendAlone(addresses.gossip, [this.refusal(nowMs, reason, meta)]);
    }
    return reason;
  }

  #pass(name: string, claim: AliveClaim | SuspectClaim | DeadClaim | LeftClaim, heard: Heard): void {
    if (heard !== 'firstSync') this.#parts.broadcasts.add(name, encodeMessage(claim));
  }
}

// What this node says of itself: its incarnation, refutations, metadata, load, and its goodbye. Only a node itself raises its
// incarnation, and that is how it contradicts what others say of it.

import { encodeMessage } from './codec.ts';
import type { AliveClaim } from './messages.ts';
import { type NodeMeta, sameMeta } from './meta.ts';
import type { Parts, Timed } from './parts.ts';

export type OwnStatus = 'running' | 'leaving' | 'departed';

/** Subject of a load's broadcast; names hold no space, so it is nobody's name. */
export const loadSubject = (name: string): string => `load ${name}`;

export class Own implements Timed {
  readonly #parts: Parts;
  #status: OwnStatus = 'running';
  #announcedAtMs = Number.NEGATIVE_INFINITY;
  /** Something waits to be announced. */
  #pending: 'nothing' | 'announcement' = 'nothing';
  #loadAtMs: number;
  /** Of the pause: nodes started together must not tell together. */
  #jitter: number;
  #load: number;
  #leaveByMs = Number.POSITIVE_INFINITY;

  constructor(parts: Parts, nowMs: number) {
    this.#parts = parts;
    this.#loadAtMs = nowMs;
    this.#jitter = parts.random.next();
    this.#load = parts.self.load;
  }

  get status(): OwnStatus {
    return this.#status;
  }

  get dueAtMs(): number {
    if (this.#status === 'leaving') return this.#leaveByMs;
    if (this.#status === 'departed') return Number.POSITIVE_INFINITY;
    return Math.min(this.#announceAtMs, this.#announceLoadAtMs);
  }

  run(nowMs: number): void {
    if (this.#status === 'leaving') this.#depart();
    if (this.#status !== 'running') return;
    if (nowMs >= this.#announceAtMs) this.#announce(nowMs);
    if (nowMs >= this.#announceLoadAtMs) this.#announceLoad(nowMs);
  }

  claim(): AliveClaim {
    const { meta, incarnation, load, loadVersion } = this.#parts.self;
    return { type: 'alive', meta, incarnation, load, loadVersion };
  }

  /** The first word, before anybody can have heard of us. */
  introduce(nowMs: number): void {
    this.#announcedAtMs = nowMs;
    this.#parts.broadcasts.add(this.#parts.self.meta.name, encodeMessage(this.claim()));
  }

  /** Somebody says we are suspect, dead or gone. At once: the clock of the suspicion runs. */
  refute(nowMs: number, accused: number): void {
    if (this.#status !== 'running') return;
    this.#parts.awareness.apply(1);
    this.#exceed(accused);
    this.#announce(nowMs);
  }

  /** Another life of our name is known with this incarnation: we go above it, but not as fast as two twins could hear each other. */
  outdo(nowMs: number, incarnation: number): void {
    if (this.#status !== 'running' || incarnation < this.#parts.self.incarnation) return;
    this.#exceed(incarnation);
    this.#soon(nowMs);
  }

  setMeta(nowMs: number, meta: NodeMeta): void {
    const { self, out } = this.#parts;
    if (this.#status !== 'running' || sameMeta(meta, self.meta)) return;
    self.meta = meta;
    self.incarnation += 1;
    out.change('updated', self, nowMs);
    this.#soon(nowMs);
  }

  /** @param load percent of capacity, 0..100; announced when it has moved by `loadStep`, and not too often. */
  setLoad(nowMs: number, load: number): void {
    if (this.#status !== 'running') return;
    const { self, config } = this.#parts;
    const extreme = load === 0 || load === 100;
    this.#load = extreme || Math.abs(load - self.load) >= config.loadStep ? load : self.load;
    this.run(nowMs);
  }

  leave(nowMs: number): void {
    const { config, self, table, broadcasts, out } = this.#parts;
    if (this.#status !== 'running') return;
    this.#status = 'leaving';
    this.#leaveByMs = nowMs + config.leaveTimeoutMs;
    table.setState(self, 'left', nowMs);
    out.change('left', self, nowMs);
    const { name, draining } = self.meta;
    broadcasts.add(name, encodeMessage({ type: 'left', name, incarnation: self.incarnation, draining }));
    this.checkDeparture();
  }

  /** After each step: has everybody been told? */
  checkDeparture(): void {
    if (this.#status === 'leaving' && !this.#parts.broadcasts.has(this.#parts.self.meta.name)) this.#depart();
  }

  #depart(): void {
    this.#status = 'departed';
    this.#parts.out.push({ type: 'departed' });
  }

  #exceed(incarnation: number): void {
    const { self } = this.#parts;
    self.incarnation = Math.max(self.incarnation, incarnation) + 1;
  }

  #soon(nowMs: number): void {
    if (nowMs >= this.#announcedAtMs + this.#parts.config.metaIntervalMs) this.#announce(nowMs);
    else this.#pending = 'announcement';
  }

  #announce(nowMs: number): void {
    this.#announcedAtMs = nowMs;
    this.#pending = 'nothing';
    this.#parts.broadcasts.add(this.#parts.self.meta.name, encodeMessage(this.claim()));
  }

  get #announceAtMs(): number {
    const { config } = this.#parts;
    return this.#pending === 'announcement' ? this.#announcedAtMs + config.metaIntervalMs : Number.POSITIVE_INFINITY;
  }

  /** Less often the more there are to hear it, so that loads cost a node the same in any cluster. */
  get #announceLoadAtMs(): number {
    const { config, self, table } = this.#parts;
    if (this.#load === self.load) return Number.POSITIVE_INFINITY;
    return this.#loadAtMs + this.#jitter * Math.max(config.loadIntervalMs, table.up * config.loadIntervalPerMemberMs);
  }

  #announceLoad(nowMs: number): void {
    const { self, broadcasts, out, random } = this.#parts;
    this.#loadAtMs = nowMs;
    this.#jitter = 1 + 0.5 * random.next();
    self.load = this.#load;
    self.loadVersion += 1;
    const { name, instance } = self.meta;
    const { load, loadVersion } = self;
    broadcasts.add(loadSubject(name), encodeMessage({ type: 'load', name, instance, load, loadVersion }), 'rider');
    out.change('updated', self, nowMs);
  }
}

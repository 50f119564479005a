// Finding the others. While alone, all seeds are called, with a pause that grows while none answers; a lone first node is fine. Later the
// dead and seeds that are no members are called now and then: so two halves of a split find each other again.

import type { JoinOutcome } from './outputs.ts';
import type { Parts, Timed } from './parts.ts';
import { isTemporary, type RefusalReason } from './refusal.ts';
import { shuffle } from './table.ts';

/** Seeds called at once. */
const PARALLEL = 3;
/** Seeds and dead members called in one round (I9). */
const MAX_CONTACTS = 64;

export type CallResult =
  | { readonly type: 'answered'; readonly by: string }
  | { readonly type: 'refused'; readonly reason: RefusalReason; readonly by: string }
  | { readonly type: 'silent' };

export class Joiner implements Timed {
  readonly #parts: Parts;
  readonly #call: (nowMs: number, to: string) => void;
  #seeds: readonly string[];
  /** Who answered at a seed's address. */
  readonly #memberAt = new Map<string, string>();
  /** To be called in this round; undefined: none under way. */
  #round:
    | { waiting: string[]; calling: number; refusal: { reason: RefusalReason; by: string } | undefined }
    | undefined;
  /** A stranger that pinged us while we were alone: it knows us, so it can tell of the others. */
  #hint: string | undefined;
  #failures = 0;
  #nextAtMs: number;
  /** No round has ended yet, or the last one was refused: whoever waits for a better word has not been told of any. */
  #isOwed = true;

  constructor(parts: Parts, seeds: readonly string[], nowMs: number, call: (nowMs: number, to: string) => void) {
    this.#parts = parts;
    this.#seeds = seeds;
    this.#call = call;
    this.#nextAtMs = nowMs;
  }

  get dueAtMs(): number {
    return this.#round === undefined ? this.#nextAtMs : Number.POSITIVE_INFINITY;
  }

  /** Seeds may change while we run: a directory learns of peers. Called soon when we are alone. */
  setSeeds(nowMs: number, seeds: readonly string[]): void {
    const known = new Set(this.#seeds);
    const fresh = seeds.some((seed) => !known.has(seed));
    this.#seeds = seeds;
    for (const seed of this.#memberAt.keys()) if (!seeds.includes(seed)) this.#memberAt.delete(seed);
    if (fresh && this.#alone) this.#nextAtMs = Math.min(this.#nextAtMs, nowMs);
  }

  /** A member we do not know pinged us. When we are alone, as after a restart whose seeds are gone, it is our way back. */
  pingedBy(nowMs: number, address: string): void {
    if (!this.#alone || this.#hint === address) return;
    this.#hint = address;
    this.#nextAtMs = Math.min(this.#nextAtMs, nowMs + this.#parts.config.joinRetryMinMs);
  }

  run(nowMs: number): void {
    const { config, random, table } = this.#parts;
    const contacts = this.#contacts();
    this.#hint = undefined;
    if (this.#alone) {
      this.#round = { waiting: contacts, calling: 0, refusal: undefined };
      this.#goOn(nowMs);
      return;
    }
    this.#nextAtMs = nowMs + config.reconnectIntervalMs * (0.5 + random.next());
    // The others may have called us meanwhile: then we are in without a call of our own.
    if (this.#isOwed) this.#say({ type: 'joined' });
    // Together all members make about one call per missing contact and interval, however many members there are.
    const [contact] = contacts;
    if (contact !== undefined && random.next() < contacts.length / table.up) this.#call(nowMs, contact);
  }

  /** How a call ended. */
  called(nowMs: number, address: string, result: CallResult): void {
    if (result.type === 'answered') this.#failures = 0;
    if (result.type !== 'silent' && this.#seeds.includes(address)) this.#memberAt.set(address, result.by);
    const round = this.#round;
    if (round === undefined) return;
    round.calling -= 1;
    if (result.type === 'answered') {
      this.#end(nowMs, { type: 'joined' });
      return;
    }
    if (result.type === 'refused' && result.reason !== 'yourself') {
      // One that time does not cure says more than one that it does.
      if (round.refusal === undefined || isTemporary(round.refusal.reason)) round.refusal = result;
    }
    this.#goOn(nowMs);
  }

  get #alone(): boolean {
    return this.#parts.table.up <= 1;
  }

  /** Who could lead us to others, in random order. */
  #contacts(): string[] {
    const { self, table, random } = this.#parts;
    const up = new Set<string>();
    const contacts = new Set<string>(this.#seeds);
    if (this.#hint !== undefined) contacts.add(this.#hint);
    for (const member of table.values()) {
      if (member === self) up.add(member.meta.addresses.gossip);
      else if (member.state === 'dead') contacts.add(member.meta.addresses.gossip);
      else if (member.state !== 'left') up.add(member.meta.addresses.gossip);
    }
    const called = [...contacts].filter((address) => {
      const name = this.#memberAt.get(address);
      const member = name === undefined ? undefined : table.get(name);
      return !up.has(address) && (member === undefined || !up.has(member.meta.addresses.gossip));
    });
    return shuffle(called, random).slice(0, MAX_CONTACTS);
  }

  #goOn(nowMs: number): void {
    const round = this.#round;
    if (round === undefined) return;
    while (round.calling < PARALLEL) {
      const next = round.waiting.pop();
      if (next === undefined) break;
      round.calling += 1;
      this.#call(nowMs, next);
    }
    if (round.calling > 0) return;
    this.#end(nowMs, round.refusal === undefined ? { type: 'alone' } : { type: 'refused', ...round.refusal });
  }

  #end(nowMs: number, outcome: JoinOutcome): void {
    const { config, random } = this.#parts;
    this.#round = undefined;
    if (outcome.type === 'joined') {
      this.#nextAtMs = nowMs + config.reconnectIntervalMs * random.next();
    } else {
      const pauseMs = Math.min(config.joinRetryMaxMs, config.joinRetryMinMs * 2 ** this.#failures);
      this.#failures = Math.min(this.#failures + 1, 30);
      this.#nextAtMs = nowMs + pauseMs * (0.75 + 0.5 * random.next());
    }
    this.#say(outcome);
  }

  #say(outcome: JoinOutcome): void {
    this.#isOwed = outcome.type === 'refused';
    this.#parts.out.push({ type: 'joinRound', outcome });
  }
}

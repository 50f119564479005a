// The durable heart of a demo service: requests in, decided by a pure function, one journal record per request performed, and
// the stored answer for every repeat. An answer leaves only after its record is on the disk, the first time and each time after.

import { createHash } from 'node:crypto';
import { Journal } from './journal.ts';

export interface Answer {
  status: number;
  body: unknown;
}

/** A refusal a caller can act on: `code` is for programs, `message` for people. */
export function refuse(status: number, code: string, message: string, more: object = {}): Answer {
  return { status, body: { code, message, ...more } };
}

export interface Request {
  path: string;
  body: unknown;
  /** Epoch ms. */
  now: number;
  /** Number of the record this request will make: ids are derived from it. */
  seq: number;
}

/** `effect` is what the request did, or that it was refused; without one it leaves no trace and may be repeated at will. */
export interface Decision<E> {
  answer: Answer;
  effect?: E;
}

/** What a service is, apart from files and sockets: a starting state, two pure functions, and a view. */
export interface Domain<S, E> {
  name: string;
  create(): S;
  decide(state: S, request: Request): Decision<E>;
  /** Applies what was decided, or recovered; may change `state` in place. */
  evolve(state: S, effect: E, at: number): void;
  /** Answers a GET, or nothing when there is no such thing. */
  view(state: S, path: string, now: number): unknown;
}

/** One line of a service's file. */
export interface LedgerRecord<E> {
  /** 1, 2, 3, … without a gap. */
  seq: number;
  /** Epoch ms. */
  at: number;
  key: string;
  /** SHA-256 of path and body: the same key with another fingerprint is a caller's mistake. */
  fingerprint: string;
  answer: Answer;
  effect: E;
}

interface Kept {
  fingerprint: string;
  answer: Answer;
}

export class Ledger<S, E> {
  readonly #domain: Domain<S, E>;
  readonly #state: S;
  readonly #journal: Journal<LedgerRecord<E>>;
  readonly #answers = new Map<string, Kept>();
  #seq = 0;

  private constructor(domain: Domain<S, E>, journal: Journal<LedgerRecord<E>>, records: LedgerRecord<E>[]) {
    this.#domain = domain;
    this.#state = domain.create();
    this.#journal = journal;
    for (const record of records) this.#apply(record);
  }

  /** Opens the file, or starts one, and rebuilds the state it tells of. */
  static async open<S, E>(domain: Domain<S, E>, path: string): Promise<Ledger<S, E>> {
    const { journal, records } = await Journal.open<LedgerRecord<E>>(path);
    return new Ledger(domain, journal, records);
  }

  /** Performs the request once; `replayed` tells that it had been performed before. */
  async perform(call: {
    key: string;
    path: string;
    body: unknown;
    now: number;
  }): Promise<Answer & { replayed: boolean }> {
    const fingerprint = fingerprintOf(call.path, call.body);
    const kept = this.#answers.get(call.key);
    if (kept !== undefined) {
      await this.#journal.settled();
      if (kept.fingerprint === fingerprint) return { ...kept.answer, replayed: true };
      const message = `idempotency key '${call.key}' was used for a different request; use a new key for a new request`;
      return { ...refuse(409, 'idempotency_conflict', message), replayed: false };
    }
    const seq = this.#seq + 1;
    const { answer, effect } = this.#domain.decide(this.#state, {
      path: call.path,
      body: call.body,
      now: call.now,
      seq,
    });
    if (effect !== undefined) {
      const record: LedgerRecord<E> = { seq, at: call.now, key: call.key, fingerprint, answer, effect };
      this.#apply(record);
      await this.#journal.append(record);
    }
    return { ...answer, replayed: false };
  }

  /** What is durable about `path` at `now`. */
  async view(path: string, now: number): Promise<unknown> {
    await this.#journal.settled();
    return this.#domain.view(this.#state, path, now);
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  #apply(record: LedgerRecord<E>): void {
    this.#seq = record.seq;
    this.#answers.set(record.key, { fingerprint: record.fingerprint, answer: record.answer });
    this.#domain.evolve(this.#state, record.effect, record.at);
  }
}

function fingerprintOf(path: string, body: unknown): string {
  return createHash('sha256').update(path).update('\0').update(JSON.stringify(body)).digest('hex').slice(0, 16);
}

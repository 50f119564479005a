// What a node has of a connection to the simulated database, in the place of `pg`'s client: requests on their way, answers that may never come, and the
// news that it is over. What was sent before it was cut still reaches the server.

import type { NewSqlClient, SqlClient } from '../../../src/store/postgres/connection.ts';
import { type SqlHost, type SqlServer, SqlSession } from './server.ts';

/** ms after which a connection that does not come about has failed. */
const CONNECT_MS = 1_000;

type Waiting = { resolve: (answer: { rows: unknown[][] }) => void; reject: (error: Error) => void };

/** As an error of a socket: without a SQLSTATE. */
const broken = (what: string): Error => new Error(`${what}: simulated`);

export const sqlClients =
  (server: SqlServer, at: SqlHost): NewSqlClient =>
  async (_options, { idleMs }) =>
    new SimSqlClient(server, at, idleMs);

class SimSqlClient implements SqlClient {
  readonly #server: SqlServer;
  readonly #at: SqlHost;
  readonly #idleMs: number;
  #session: SqlSession | undefined;
  #isCut = false;
  /** When the last thing that was sent arrives: a stream keeps its order. */
  #arrivesAt = 0;
  readonly #waiting = new Set<Waiting>();
  readonly #listeners: { event: 'error' | 'end'; fn: () => void }[] = [];

  constructor(server: SqlServer, at: SqlHost, idleMs: number) {
    this.#server = server;
    this.#at = at;
    this.#idleMs = idleMs;
  }

  on(event: 'error' | 'end', fn: () => void): void {
    this.#listeners.push({ event, fn });
  }

  connect(): Promise<void> {
    const { host } = this.#at;
    return new Promise((resolve, reject) => {
      this.#there(() => {
        const reach = this.#server.reach(host);
        if (reach === 'there') {
          this.#session = new SqlSession(this.#server, this.#idleMs, () => this.#back(() => this.#lost()));
          this.#back(resolve);
        } else if (reach === 'refused') this.#back(() => reject(broken('connect ECONNREFUSED')));
        else this.#later(CONNECT_MS, () => reject(broken('timeout expired')));
      });
    });
  }

  query({ text, values }: Parameters<SqlClient['query']>[0]): Promise<{ rows: unknown[][] }> {
    return new Promise((resolve, reject) => {
      if (this.#isCut) {
        reject(broken('Connection terminated'));
        return;
      }
      const waiting = { resolve, reject };
      this.#waiting.add(waiting);
      const { random, weather } = this.#server;
      const fate = random.chance(weather.breakChance) ? random.pick(['unheard', 'unanswered'] as const) : 'answered';
      this.#there(() => {
        const session = this.#session;
        if (session === undefined || session.isOver || this.#server.reach(this.#at.host) === 'silent') return;
        if (this.#server.weather.away !== 'no' || fate === 'unheard') {
          session.terminate();
          return;
        }
        session.execute(text, values, (error, rows) => {
          if (fate === 'unanswered') {
            session.terminate();
            return;
          }
          this.#back(() => {
            if (!this.#waiting.delete(waiting)) return;
            if (error === undefined) resolve({ rows });
            else reject(error);
          });
        });
      });
    });
  }

  async end(): Promise<void> {
    this.cut();
  }

  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    const { silent } = this.#server;
    const { host, process } = this.#at;
    // A machine without power says nothing; a process that ended is no longer there to be told.
    if (!silent.has(host)) this.#there(() => this.#session?.close());
    if (process.alive) this.#later(0, () => this.#tellEnd());
  }

  // ---------------------------------------------------------------- inside

  #lost(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#tellEnd();
  }

  #tellEnd(): void {
    for (const { reject } of this.#waiting) reject(broken('Connection terminated unexpectedly'));
    this.#waiting.clear();
    for (const { fn } of this.#listeners) fn();
  }

  /** At the server, after what was sent before. */
  #there(fn: () => void): void {
    const { kernel } = this.#server;
    this.#arrivesAt = Math.max(this.#arrivesAt, kernel.now + this.#server.delayMs());
    kernel.at(this.#arrivesAt, undefined, 'reaches the database', fn);
  }

  /** At the node again, if the way is there. */
  #back(fn: () => void): void {
    if (this.#server.cut.has(this.#at.host)) return;
    this.#later(this.#server.delayMs(), fn);
  }

  #later(ms: number, fn: () => void): void {
    const { process } = this.#at;
    const { kernel } = this.#server;
    kernel.at(kernel.now + ms, process, 'database answers', () => process.act(fn));
  }
}

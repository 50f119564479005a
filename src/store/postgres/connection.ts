// One connection to the database, made with `pg`, which is loaded with the first of them. Every statement is bounded in time on both sides:
// the server cancels it, and a second later the connection is given up, since a network that swallows packets answers nothing at all.

import type { Client } from 'pg';
import { verdictOf } from './errors.ts';
import type { PostgresOptions } from './options.ts';

/** How much longer than the server's own bound an answer may take, ms. */
const ANSWER_GRACE_MS = 1_000;
const KEEP_ALIVE_MS = 10_000;

/** Numbers, binary data and lists, as the statements of this folder take them. */
export type Value = string | number | Buffer | null;
export type Row = readonly unknown[];

/** A role may have it off: then "durable" would be a lie. The stricter values stay. */
const DURABLE = `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit', true) = 'off'`;

export class Connection {
  readonly #client: Client;
  readonly #timeoutMs: number;
  #broken = false;

  private constructor(client: Client, timeoutMs: number) {
    this.#client = client;
    this.#timeoutMs = timeoutMs;
    // Without a listener a server that goes away would end the process. Whoever uses it next is told.
    client.on('error', () => this.destroy());
    client.on('end', () => {
      this.#broken = true;
    });
  }

  /** `idleMs`: how long a transaction may stand still, in which it holds its rows, before the server ends it. */
  static async open(options: PostgresOptions, { name, idleMs }: { name: string; idleMs: number }): Promise<Connection> {
    const { default: pg } = await import('pg');
    const client = new pg.Client({
      connectionString: options.url,
      application_name: name,
      connectionTimeoutMillis: options.connectTimeoutMs,
      statement_timeout: options.statementTimeoutMs,
      idle_in_transaction_session_timeout: idleMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    });
    const connection = new Connection(client, options.statementTimeoutMs);
    try {
      await client.connect();
      await connection.query(DURABLE);
    } catch (error) {
      connection.destroy();
      throw error;
    }
    return connection;
  }

  /** Nothing more comes of it. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Rows as lists. With `name` the statement is planned once per connection. */
  async query(text: string, values: readonly Value[] = [], name?: string): Promise<Row[]> {
    const guard = setTimeout(() => this.destroy(), this.#timeoutMs + ANSWER_GRACE_MS);
    try {
      const config = { text, values: [...values], rowMode: 'array' as const, ...(name === undefined ? {} : { name }) };
      return (await this.#client.query<unknown[]>(config)).rows;
    } catch (error) {
      if (verdictOf(error) === 'lost') this.destroy();
      throw error;
    } finally {
      clearTimeout(guard);
    }
  }

  /** All or nothing. After an error the connection is as before, or broken. */
  async transaction<T>(mode: '' | 'ISOLATION LEVEL REPEATABLE READ READ ONLY', work: () => Promise<T>): Promise<T> {
    await this.query(`BEGIN ${mode}`);
    try {
      const result = await work();
      await this.query('COMMIT');
      return result;
    } catch (error) {
      if (!this.#broken) await this.query('ROLLBACK').catch(() => this.destroy());
      throw error;
    }
  }

  /** At once, as a killed process would: what is under way fails, its outcome unknown. */
  destroy(): void {
    this.#broken = true;
    this.#client.connection.stream.destroy();
  }

  async close(): Promise<void> {
    if (this.#broken) return;
    this.#broken = true;
    await this.#client.end().catch(() => {});
  }
}

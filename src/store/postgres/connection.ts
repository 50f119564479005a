// One connection to the database, made with `pg`, which is loaded with the first of them. Every statement is bounded in time on both sides:
// the server cancels it, and a second later the connection is given up, since a network that swallows packets answers nothing at all.

import { verdictOf } from './errors.ts';
import type { PostgresOptions } from './options.ts';

/** How much longer than the server's own bound an answer may take, ms. */
const ANSWER_GRACE_MS = 1_000;
const KEEP_ALIVE_MS = 10_000;

/** Numbers, binary data and lists, as the statements of this folder take them. */
export type Value = string | number | Buffer | null;
export type Row = readonly unknown[];

/** Of `pg`'s client what is used here: a simulated server puts its own in its place. */
export interface SqlClient {
  on(event: 'error' | 'end', listener: () => void): unknown;
  connect(): Promise<unknown>;
  query(config: { text: string; values: Value[]; rowMode: 'array'; name?: string }): Promise<{ rows: unknown[][] }>;
  end(): Promise<void>;
  /** Closes the socket. What was sent is on its way all the same. */
  cut(): void;
}

export interface SqlClientOptions {
  name: string;
  /** ms a transaction may stand still, in which it holds its rows, before the server ends it. */
  idleMs: number;
  /** `any`: also a standby, whose rows may be of some time ago. */
  server: 'primary' | 'any';
}

export type NewSqlClient = (options: PostgresOptions, client: SqlClientOptions) => Promise<SqlClient>;

export const newPgClient: NewSqlClient = async (options, { name, idleMs }) => {
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
  return {
    on: (event, listener) => client.on(event, listener),
    connect: () => client.connect(),
    query: (config) => client.query<unknown[]>(config),
    end: () => client.end(),
    cut: () => void client.connection.stream.destroy(),
  };
};

/** A role may have it off: then "durable" would be a lie. The stricter values stay. */
const DURABLE = `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit', true) = 'off'`;

/** A proxy may lead there, where reads are of some time ago. */
const STANDBY = 'SELECT pg_is_in_recovery()';

/** With the code of what a write would have been refused with. */
class StandbyError extends Error {
  readonly code = '25006';

  constructor() {
    super(
      'the server is a standby, whose rows may be older than what is acknowledged: the URL must lead to the primary',
    );
  }
}

export class Connection {
  readonly #client: SqlClient;
  readonly #timeoutMs: number;
  #broken = false;

  private constructor(client: SqlClient, timeoutMs: number) {
    this.#client = client;
    this.#timeoutMs = timeoutMs;
    // Without a listener a server that goes away would end the process. Whoever uses it next is told.
    client.on('error', () => this.destroy());
    client.on('end', () => {
      this.#broken = true;
    });
  }

  static async open(
    options: PostgresOptions,
    client: SqlClientOptions,
    newClient: NewSqlClient = newPgClient,
  ): Promise<Connection> {
    const made = await newClient(options, client);
    const connection = new Connection(made, options.statementTimeoutMs);
    try {
      await made.connect();
      await connection.query(DURABLE);
      if (client.server === 'primary') {
        const [[isStandby] = []] = await connection.query(STANDBY);
        if (isStandby === true) throw new StandbyError();
      }
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
      return (await this.#client.query(config)).rows;
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
    this.#client.cut();
  }

  async close(): Promise<void> {
    if (this.#broken) return;
    this.#broken = true;
    await this.#client.end().catch(() => {});
  }
}

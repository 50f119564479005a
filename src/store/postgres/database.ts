// The connections of one node: one that writes, so that a commit never waits behind a read, and a bounded number that read. What the server
// undid is tried again with back-off; what was cut is tried again on a new connection; both until the database was away for too long.
// Whoever writes must bear that its work runs twice: the store's writes are conditional on what they replace. Called by PostgresStore.

import { StoreError } from '../../ports/store.ts';
import { Gate } from '../leveldb/gate.ts';
import { Connection, type NewSqlClient, newPgClient } from './connection.ts';
import { failed, reasonOf, verdictOf } from './errors.ts';
import { describeDatabase, type PostgresOptions } from './options.ts';
import { type Asking, Outage, type OutageListener } from './outage.ts';
import { Standstill } from './standstill.ts';

/** Between two tries, ms: doubled each time up to the greatest, and varied, so that nodes that collided do not collide again. */
const FIRST_PAUSE_MS = 5;
const GREATEST_PAUSE_MS = 1_000;

/**
 * A node whose machine is gone may leave a transaction open: the server ends it after this long, ms, and whoever takes its shards waits no
 * longer. A node that stands still meanwhile finds its transaction ended and writes again.
 */
const IDLE_WRITE_MS = 5_000;

/** `tries` begins at 1: in a later one, an earlier one's outcome may be unknown. */
export type Work<T> = (connection: Connection, tries: number) => Promise<T>;

interface Hooks {
  /** Instead of `pg`'s: a simulated server's. */
  newClient?: NewSqlClient;
  listener?: OutageListener | undefined;
  /** What may be asked; default: the primary. */
  server?: 'primary' | 'any';
}

export class Database {
  /** For messages. */
  readonly name: string;
  readonly #options: PostgresOptions;
  readonly #applicationName: string;
  readonly #newClient: NewSqlClient;
  readonly #server: 'primary' | 'any';
  readonly #readers: Gate;
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();
  readonly #outage: Outage;
  readonly #standstill = new Standstill();
  #writer: Connection | undefined;
  #wake = new Set<() => void>();
  #closed = false;

  constructor(options: PostgresOptions, applicationName = 'tenuto', hooks: Hooks = {}) {
    const { newClient = newPgClient, listener, server = 'primary' } = hooks;
    this.#newClient = newClient;
    this.#server = server;
    this.#options = options;
    this.#applicationName = applicationName;
    this.name = describeDatabase(options.url);
    this.#readers = new Gate(options.poolSize - 1);
    this.#outage = new Outage(listener);
  }

  /** Why nothing is answered now; undefined: it is. */
  get outage(): string | undefined {
    return this.#outage.reason;
  }

  /** Called by one at a time. */
  write<T>(work: Work<T>): Promise<T> {
    return this.#patiently('a write to', async (tries) => {
      const { statementTimeoutMs } = this.#options;
      if (this.#writer === undefined || this.#writer.broken) {
        this.#writer = await this.#connect(Math.min(IDLE_WRITE_MS, statementTimeoutMs));
      }
      return work(this.#writer, tries);
    });
  }

  read<T>(work: Work<T>): Promise<T> {
    return this.#patiently('a read from', (tries) =>
      this.#readers.run(async () => {
        const connection = this.#takeIdle() ?? (await this.#connect());
        try {
          return await work(connection, tries);
        } finally {
          this.#giveBack(connection);
        }
      }),
    );
  }

  /** A read of several steps that the caller ends, on a connection of its own: no second try. */
  async lend(): Promise<{ connection: Connection; giveBack(): void }> {
    let free: () => void = () => {};
    const connection = await new Promise<Connection>((resolve, reject) => {
      this.#readers
        .run(async () => {
          resolve(this.#takeIdle() ?? (await this.#connect()));
          await new Promise<void>((done) => {
            free = done;
          });
        })
        .catch((error: unknown) => reject(this.readFailed(error)));
    });
    return {
      connection,
      giveBack: () => {
        this.#giveBack(connection);
        free();
      },
    };
  }

  /** What a read that is not tried again throws. */
  readFailed(error: unknown): StoreError {
    return error instanceof StoreError ? error : failed(`a read from ${this.name} failed`, error);
  }

  /** Ends what is idle nicely; nothing may be under way that matters. */
  async close(): Promise<void> {
    this.#end();
    await Promise.all([...this.#all].map((connection) => connection.close()));
    this.#all.clear();
  }

  /** Cuts every connection, as the end of the process would. */
  abandon(): void {
    this.#end();
    for (const connection of this.#all) connection.destroy();
    this.#all.clear();
  }

  #end(): void {
    this.#closed = true;
    this.#standstill.stop();
    for (const wake of this.#wake) wake();
  }

  async #connect(idleMs = this.#options.statementTimeoutMs): Promise<Connection> {
    if (this.#closed) throw this.#isClosed();
    for (const connection of this.#all) if (connection.broken) this.#all.delete(connection);
    const client = { name: this.#applicationName, idleMs, server: this.#server };
    const connection = await Connection.open(this.#options, client, this.#newClient);
    if (this.#closed) {
      connection.destroy();
      throw this.#isClosed();
    }
    this.#all.add(connection);
    return connection;
  }

  #takeIdle(): Connection | undefined {
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) if (!last.broken) return last;
    return undefined;
  }

  #giveBack(connection: Connection): void {
    if (!connection.broken) this.#idle.push(connection);
  }

  async #patiently<T>(what: string, work: (tries: number) => Promise<T>): Promise<T> {
    const asking = this.#outage.ask();
    let over: 'answered' | 'in vain' = 'in vain';
    try {
      const result = await this.#tryOn(what, work, asking);
      over = 'answered';
      return result;
    } finally {
      asking.over(over);
    }
  }

  async #tryOn<T>(what: string, work: (tries: number) => Promise<T>, asking: Asking): Promise<T> {
    let since: number | undefined;
    let pauseMs = FIRST_PAUSE_MS;
    for (let tries = 1; ; tries += 1) {
      if (this.#closed) throw this.#isClosed();
      const triedAtMs = this.#standstill.awakeMs();
      try {
        return await work(tries);
      } catch (error) {
        if (error instanceof StoreError) throw error;
        if (this.#closed) throw this.#isClosed();
        // A way that swallows packets fails only when a statement has taken its longest: the silence before counts, too.
        since ??= triedAtMs;
        const awayMs = this.#standstill.awakeMs() - since;
        if (verdictOf(error) === 'final') throw failed(`${what} ${this.name} failed`, error);
        if (awayMs > this.#options.outageMs) {
          throw failed(`${what} ${this.name} failed for ${Math.round(awayMs / 1_000)} s`, error);
        }
        asking.failed(reasonOf(error));
        await this.#pause(pauseMs * (0.5 + Math.random()));
        pauseMs = Math.min(GREATEST_PAUSE_MS, pauseMs * 2);
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wake.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#wake.add(wake);
    });
  }

  #isClosed(): StoreError {
    return new StoreError('closed', `the store in ${this.name} is closed`);
  }
}

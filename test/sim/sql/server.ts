// A simulated PostgreSQL server as nodes of a cluster use it: sessions that run one statement after the other, transactions of which one writes at a time
// while the others wait, answers that take time. It is late, away, cut off from one node, loses connections before or after it did what was asked,
// fails over losing nothing that was acknowledged, and asks for a transaction to be tried again. A simplification: writers wait for each other even
// when they write different rows, as they may under a stricter isolation than the one that is asked for.

import type { Cancelable } from '../../../src/ports/clock.ts';
import type { NodeProcess } from '../cluster/node-process.ts';
import type { Kernel } from '../kernel.ts';
import type { SeededRandom } from '../random.ts';
import { type asBelieved, type Committed, SqlError, Tables, Transaction, writes } from './tables.ts';

/** What the server and the way to it do, for a while. */
export interface SqlWeather {
  /** Nobody is there: a connection is refused, or nothing answers at all. */
  away: 'no' | 'refused' | 'silent';
  /** A statement takes this much longer now and then. */
  lateChance: number;
  lateMs: number;
  /** Of statements: the connection breaks before the server has it, or after it did it and before the answer. */
  breakChance: number;
  /** Of statements that write: they are to be tried again (40001). */
  abortChance: number;
}

export const CALM_SQL: SqlWeather = { away: 'no', lateChance: 0, lateMs: 0, breakChance: 0, abortChance: 0 };

export interface SqlServerOptions {
  readonly kernel: Kernel;
  readonly random: SeededRandom;
  readonly shardCount: number;
  readonly holder: string;
  /** A bug: which writers find their shard as they believe it to be. */
  readonly believes?: typeof asBelieved;
  /** A transaction is durable. */
  onCommit(committed: Committed): void;
}

export class SqlServer {
  readonly kernel: Kernel;
  readonly random: SeededRandom;
  readonly tables: Tables;
  weather: SqlWeather = CALM_SQL;
  /** Hosts that cannot reach it. */
  readonly cut = new Set<string>();
  /** Hosts without power: nobody says that their connections are over. */
  readonly silent = new Set<string>();
  readonly sessions = new Set<SqlSession>();
  readonly #options: SqlServerOptions;
  readonly #baseMs: number;
  #writer: SqlSession | undefined;
  #waiting: { session: SqlSession; go: () => void }[] = [];

  constructor(options: SqlServerOptions) {
    this.#options = options;
    this.kernel = options.kernel;
    this.random = options.random;
    this.tables = new Tables(options.shardCount, options.holder);
    this.#baseMs = options.random.between(0.1, 0.8);
  }

  /** How long a message takes. */
  delayMs(): number {
    const { lateChance, lateMs } = this.weather;
    const late = this.random.chance(lateChance) ? this.random.between(0, lateMs) : 0;
    return this.random.between(this.#baseMs / 2, this.#baseMs * 2) + late;
  }

  reach(host: string): 'there' | 'refused' | 'silent' {
    if (this.cut.has(host)) return 'silent';
    return this.weather.away === 'no' ? 'there' : this.weather.away;
  }

  /** Every connection breaks; what was acknowledged is there, what was under way is not, or was just done. */
  failOver(): void {
    for (const session of [...this.sessions]) session.terminate();
  }

  transaction(): Transaction {
    return new Transaction(this.tables, this.#options.believes);
  }

  committed(transaction: Transaction): void {
    const done = transaction.commit();
    try {
      this.#options.onCommit(done);
    } catch (error) {
      this.kernel.fail(error);
    }
  }

  /** `go` once no other session writes. */
  lock(session: SqlSession, go: () => void): void {
    if (this.#writer === undefined || this.#writer === session) {
      this.#writer = session;
      go();
    } else this.#waiting.push({ session, go });
  }

  unlock(session: SqlSession): void {
    this.#waiting = this.#waiting.filter((one) => one.session !== session);
    if (this.#writer !== session) return;
    this.#writer = undefined;
    const next = this.#waiting.shift();
    if (next !== undefined) this.lock(next.session, next.go);
  }
}

type Answer = (error: Error | undefined, rows: unknown[][]) => void;

/** One connection as the server has it. */
export class SqlSession {
  readonly #server: SqlServer;
  readonly #idleMs: number;
  readonly #onEnd: () => void;
  #transaction: Transaction | undefined;
  /** An error ended the transaction: until it is rolled back nothing is done. */
  #aborted = false;
  #seesOneInstant = false;
  #idle: Cancelable | undefined;
  #over = false;

  constructor(server: SqlServer, idleMs: number, onEnd: () => void) {
    this.#server = server;
    this.#idleMs = idleMs;
    this.#onEnd = onEnd;
    server.sessions.add(this);
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Its client has gone. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#idle?.cancel();
    this.#transaction = undefined;
    this.#server.sessions.delete(this);
    this.#server.unlock(this);
  }

  /** The server ends it, and its client is told. */
  terminate(): void {
    if (this.#over) return;
    this.close();
    this.#onEnd();
  }

  execute(text: string, values: readonly (string | number | Buffer | null)[], answer: Answer): void {
    this.#idle?.cancel();
    const done: Answer = (error, rows) => {
      if (this.#over) return;
      if (error !== undefined && this.#transaction !== undefined) this.#aborted = true;
      if (this.#transaction !== undefined) {
        this.#idle = this.#server.kernel.after(this.#idleMs, 'database ends an idle transaction', () =>
          this.terminate(),
        );
      }
      answer(error, rows);
    };
    const command = /^\s*(BEGIN|COMMIT|ROLLBACK|SELECT set_config|SELECT pg_is_in_recovery)/.exec(text)?.[1];
    switch (command) {
      case 'BEGIN':
        this.#seesOneInstant = text.includes('REPEATABLE READ');
        this.#transaction = this.#seesOneInstant
          ? new Transaction(this.#server.tables.snapshot())
          : this.#server.transaction();
        this.#aborted = false;
        done(undefined, []);
        return;
      case 'COMMIT':
        this.#commit(done);
        return;
      case 'ROLLBACK':
        this.#end();
        done(undefined, []);
        return;
      case 'SELECT set_config':
        done(undefined, []);
        return;
      case 'SELECT pg_is_in_recovery':
        done(undefined, [[false]]);
        return;
      default:
        if (this.#aborted) done(new SqlError('25P02', 'current transaction is aborted'), []);
        else if (writes(text)) this.#server.lock(this, () => this.#write(text, values, done));
        else this.#read(text, values, done);
    }
  }

  #read(text: string, values: readonly (string | number | Buffer | null)[], done: Answer): void {
    try {
      done(undefined, (this.#transaction ?? this.#server.transaction()).execute(text, values));
    } catch (error) {
      done(asError(error), []);
    }
  }

  #write(text: string, values: readonly (string | number | Buffer | null)[], done: Answer): void {
    if (this.#over) return;
    const server = this.#server;
    const alone = this.#transaction === undefined;
    const transaction = this.#transaction ?? server.transaction();
    try {
      if (server.random.chance(server.weather.abortChance))
        throw new SqlError('40001', 'could not serialize access: simulated');
      const rows = transaction.execute(text, values);
      if (alone) this.#flush(transaction, () => done(undefined, rows));
      else done(undefined, rows);
    } catch (error) {
      if (alone) server.unlock(this);
      done(asError(error), []);
    }
  }

  #commit(done: Answer): void {
    const transaction = this.#transaction;
    if (transaction === undefined || this.#aborted || this.#seesOneInstant) {
      this.#end();
      done(undefined, []);
      return;
    }
    if (this.#server.random.chance(this.#server.weather.abortChance)) {
      this.#end();
      done(new SqlError('40001', 'could not serialize access: simulated'), []);
      return;
    }
    this.#flush(transaction, () => {
      this.#end();
      done(undefined, []);
    });
  }

  /** Its commit is written and synced; whoever dies meanwhile has it or has it not. */
  #flush(transaction: Transaction, then: () => void): void {
    const { kernel, random } = this.#server;
    kernel.after(random.between(0.2, 2.5), 'database commits', () => {
      if (this.#over) return;
      this.#server.committed(transaction);
      this.#server.unlock(this);
      then();
    });
  }

  #end(): void {
    this.#transaction = undefined;
    this.#aborted = false;
    this.#seesOneInstant = false;
    this.#server.unlock(this);
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Whom the server speaks to. */
export interface SqlHost {
  readonly host: string;
  readonly process: NodeProcess;
}

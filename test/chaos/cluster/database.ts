// PostgreSQL as the chaos runs want it: a server of this run's own, which is killed and started again. Nodes reach it through proxies.

import { verifyDatabase } from '../../../src/store/postgres/index.ts';
import { migrated, optionsOf } from '../../conformance/postgres-medium.ts';
import { type Database, OwnPostgres } from '../../support/postgres.ts';

export class TestDatabase {
  readonly #server: OwnPostgres;
  readonly #database: Database;

  private constructor(server: OwnPostgres, database: Database) {
    this.#server = server;
    this.#database = database;
  }

  /** With the tables of so many shards. Installs PostgreSQL where that is possible. */
  static async start(shardCount: number): Promise<TestDatabase> {
    const server = await new OwnPostgres().start();
    try {
      const database = await server.server.database();
      await migrated(database, shardCount);
      return new TestDatabase(server, database);
    } catch (error) {
      await server.remove();
      throw error;
    }
  }

  /** Of the server itself, for the proxies. */
  get port(): number {
    return this.#database.port;
  }

  /** For a node that finds it at this port of localhost. */
  urlAt(port: number): string {
    const url = new URL(this.#database.url);
    url.port = String(port);
    return url.href;
  }

  /** At once, and every connection with it: the next start recovers from the WAL. */
  kill(): Promise<void> {
    return this.#server.stop('SIGQUIT');
  }

  async restart(): Promise<void> {
    await this.#server.start();
  }

  /** What is wrong with what it holds. */
  async problems(): Promise<string[]> {
    const { problems, moreProblems } = await verifyDatabase(optionsOf(this.#database.url));
    return [...problems, ...(moreProblems > 0 ? [`${moreProblems} more`] : [])];
  }

  remove(): Promise<void> {
    return this.#server.remove();
  }
}

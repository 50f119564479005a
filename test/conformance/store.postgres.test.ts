import { afterAll, beforeAll } from 'vitest';
import { type Database, sharedPostgres } from '../support/postgres.ts';
import { migrated, postgresMedium } from './postgres-medium.ts';
import { storeConformance } from './store.ts';
import { storeFaultConformance } from './store-faults.ts';

let database: Database;
beforeAll(async () => {
  database = await (await sharedPostgres()).database();
  await migrated(database);
});
afterAll(() => database.drop());

storeConformance('PostgreSQL', () => postgresMedium(database));
storeFaultConformance('PostgreSQL', () => postgresMedium(database), 'transactional');

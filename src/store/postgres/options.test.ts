import { describe, expect, it } from 'vitest';
import { StoreError } from '../../ports/store.ts';
import { reasonOf, verdictOf } from './errors.ts';
import { describeDatabase, isPostgresUrl } from './options.ts';

describe('a database in messages', () => {
  it.each([
    ['postgres://me:s3cret@db.example:5433/orders', 'database "orders" at db.example:5433'],
    ['postgresql://db/orders?sslmode=require', 'database "orders" at db:5432'],
    ['postgres://me:s3cret@/orders?host=/run/postgresql&port=6000', 'database "orders" at /run/postgresql:6000'],
    ['postgres:///a%20b', 'database "a b" at localhost:5432'],
    ['postgres://me:s3cret@db', 'the database at db:5432'],
    ['postgres://me:s3cret@db:port/x', 'the database'],
    ['postgres://me:s3%cret@db/%zz', 'database "%zz" at db:5432'],
  ])('%s is %s', (url, name) => {
    expect(describeDatabase(url)).toBe(name);
  });

  it('is told from a directory', () => {
    expect(['postgres://x', 'PostgreSQL://x'].map(isPostgresUrl)).toEqual([true, true]);
    expect(['./postgres', '/data', 'mysql://x'].map(isPostgresUrl)).toEqual([false, false, false]);
  });
});

describe('an error of the database', () => {
  const withCode = (code: string): Error => Object.assign(new Error('no'), { code });

  it.each([
    ['40001', 'aborted'],
    ['40P01', 'aborted'],
    ['57014', 'aborted'],
    ['53100', 'aborted'],
    ['53300', 'aborted'],
    ['40003', 'lost'],
    ['57P01', 'lost'],
    ['57P03', 'lost'],
    ['08006', 'lost'],
    ['25006', 'lost'],
    ['ECONNRESET', 'lost'],
    ['EPIPE', 'lost'],
    ['42501', 'final'],
    ['42P01', 'final'],
    ['23505', 'final'],
    ['28P01', 'final'],
    ['XX000', 'final'],
  ])('%s means %s', (code, verdict) => {
    expect(verdictOf(withCode(code))).toBe(verdict);
  });

  it('of the client without a code is a lost connection, of ours it is final', () => {
    expect(verdictOf(new Error('Connection terminated unexpectedly'))).toBe('lost');
    expect(verdictOf(new TypeError('x is not a function'))).toBe('final');
    expect(verdictOf(new StoreError('failed', 'again and again'))).toBe('final');
  });

  it('is told with its code', () => {
    expect(reasonOf(withCode('40001'))).toBe('no (SQLSTATE 40001)');
    expect(reasonOf(new AggregateError([withCode('ECONNREFUSED'), new Error('later')]))).toBe('no; later');
  });
});

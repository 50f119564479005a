// `store.postgres` of a configuration file: a URL, or its parts, and the bounds. Parts become a URL, so that one way leads on from here.

import { z } from 'zod';
import type { PostgresOptions } from '../store/postgres/options.ts';
import { duration } from './duration.ts';

const PARTS = ['host', 'port', 'user', 'password', 'database'] as const;

export const postgresSchema = z
  .strictObject({
    url: z.string().optional(),
    host: z.string().min(1).optional(),
    port: z.number().int().min(1).max(65_535).optional(),
    user: z.string().min(1).optional(),
    password: z.string().optional(),
    database: z.string().min(1).optional(),
    poolSize: z.number().optional(),
    connectTimeout: duration.optional(),
    statementTimeout: duration.optional(),
    outage: duration.optional(),
  })
  .superRefine((given, context) => {
    const parts = PARTS.filter((part) => given[part] !== undefined);
    const message =
      given.url !== undefined && parts.length > 0
        ? `url says it all: leave out ${parts.join(', ')}`
        : given.url === undefined && (given.host === undefined || given.database === undefined)
          ? 'needs url, or host and database'
          : undefined;
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

export type PostgresFileConfig = z.infer<typeof postgresSchema>;

export function postgresOptionsOf(given: PostgresFileConfig): Pick<PostgresOptions, 'url'> & Partial<PostgresOptions> {
  const bounds = {
    poolSize: given.poolSize,
    connectTimeoutMs: given.connectTimeout,
    statementTimeoutMs: given.statementTimeout,
    outageMs: given.outage,
  };
  const known = Object.entries(bounds).filter(([, value]) => value !== undefined);
  // Only the fields of `bounds` that are numbers.
  return { url: given.url ?? urlOf(given), ...(Object.fromEntries(known) as Partial<PostgresOptions>) };
}

function urlOf({ host = '', port = 5432, user, password, database = '' }: PostgresFileConfig): string {
  const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`;
  const login = user === undefined ? '' : `${encodeURIComponent(user)}${secret}@`;
  const path = `/${encodeURIComponent(database)}`;
  // A folder is that of a Unix socket.
  if (host.startsWith('/')) return `postgres://${login}${path}?host=${encodeURIComponent(host)}&port=${port}`;
  return `postgres://${login}${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
}

// A node's configuration as its code reads it: complete, checked, with every default filled in. Made from options (`completeConfig`)
// or from a file (load.ts); nothing here is parsed, so that an embedded or development node starts without a parser.

import { availableParallelism } from 'node:os';
import type { AllowedAddress } from '../core/nexus/callback-rules.ts';
import { DEFAULT_LIMITS, type Limits } from '../core/workflow/limits.ts';
import { DEFAULT_DOOR_LIMITS, type DoorLimits } from '../frontend/limits.ts';
import type { NamespaceSetting } from '../frontend/namespaces.ts';
import type { LogLevel } from '../observe/logger.ts';
import type { HostPort } from '../ports/coordinator.ts';
import { DEFAULT_SHARD_LIMITS, type ShardLimits } from '../shard/limits.ts';
import {
  DEFAULT_LEVELDB_OPTIONS,
  type LevelDbOptions,
  MAX_WRITE_BUFFER_BYTES,
  MIN_WRITE_BUFFER_BYTES,
} from '../store/leveldb/options.ts';
import {
  DEFAULT_POSTGRES_OPTIONS,
  isPostgresUrl,
  MAX_POOL_SIZE,
  MIN_POOL_SIZE,
  type PostgresOptions,
} from '../store/postgres/options.ts';
import { type ClusterConfig, type ClusterOptions, completeCluster } from './cluster.ts';
import { ConfigError } from './errors.ts';
import { address, tokens as checkTokens, reachable, whole } from './values.ts';

export { ConfigError } from './errors.ts';

/** Port of WebSocket and HTTP. */
export const DEFAULT_PORT = 7280;
/** Port of the Temporal-compatible gRPC door: what its clients try first. */
export const DEFAULT_GRPC_PORT = 7233;
export const DEFAULT_NAMESPACE = 'default';
/** 72 h */
export const DEFAULT_RETENTION_MS = 72 * 3_600_000;
/** 1 h */
export const MIN_RETENTION_MS = 3_600_000;
export const DEFAULT_SHARD_COUNT = 256;
/** More would cost more in what they say to each other than they bring. */
export const MAX_CORES = 64;
/** Of one namespace. */
const MAX_TOKENS = 1_000;

export interface DoorAddress {
  readonly ip: string;
  readonly port: number;
  /** How clients and workers reach it, where that is not the address it listens on: what other nodes of its cluster tell them. */
  readonly advertise: HostPort | undefined;
}

/** PEM files. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Clients show a certificate that one of these authorities has signed, at every door and path; absent: they show none. */
  readonly clientCaFile?: string | undefined;
}

export interface GrpcAddress {
  readonly ip: string;
  readonly port: number;
  /** `goOn`: nobody asked for this very port, so a node whose port another process has starts without this door. */
  readonly whenTaken: 'refuse' | 'goOn';
  /** Whether workflows of its workers may start, signal and cancel others in namespaces that are not theirs. Workers of the native door may. */
  readonly crossNamespaceCommands: 'allowed' | 'refused';
}

export interface NodeConfig {
  /** Absent: everything in memory, gone when the process ends. */
  readonly dataDirectory: string | undefined;
  /** Data in a database instead, which nodes may share. Its number of shards is what `tenuto data migrate` made. */
  readonly postgres: PostgresOptions | undefined;
  readonly leveldb: LevelDbOptions;
  /** Fixed when the data directory is made. */
  readonly shardCount: number;
  /** Processes that share the work behind the same ports, each with shards of its own (src/cores). 1: the node alone. */
  readonly cores: number;
  /** Absent: no socket, only the in-process door. Port 0: any free one. */
  readonly listen: DoorAddress | undefined;
  /** The Temporal-compatible gRPC door. Absent: none. Port 0: any free one. */
  readonly grpc: GrpcAddress | undefined;
  /** PEM files; absent: plain. */
  readonly tls: TlsFiles | undefined;
  /** The engine's time is skipped while nothing goes on, and clients lock and unlock that: for tests, on a node that stands alone. */
  readonly timeSkipping: boolean;
  /** Names, beside localhost, IP addresses and the listening one, that Host and Origin may carry; `*` allows all. */
  readonly allowedHosts: readonly string[];
  readonly namespaces: readonly NamespaceSetting[];
  readonly limits: Limits;
  readonly doorLimits: DoorLimits;
  readonly shardLimits: ShardLimits;
  readonly logLevel: LogLevel;
  /** How long a shutdown lets open requests and held tasks finish, ms. */
  readonly shutdownGraceMs: number;
  /** Whom it calls when workflows close. */
  readonly callbacks: CallbackConfig;
  /** Absent: the node stands alone. */
  readonly cluster: ClusterConfig | undefined;
}

export interface CallbackConfig {
  /** Default: none. */
  readonly allowedAddresses: readonly AllowedAddress[];
  /** Each signs what is sent; none: it is not signed. */
  readonly secrets: readonly string[];
}

export interface ConfigOptions {
  dataDirectory?: string | undefined;
  postgres?: (Pick<PostgresOptions, 'url'> & Partial<PostgresOptions>) | undefined;
  leveldb?: { writeBufferBytes?: number | undefined } | undefined;
  shardCount?: number | undefined;
  /** `auto`: as many as the machine has. Default: 1. */
  cores?: number | 'auto' | undefined;
  listen?: { ip?: string | undefined; port?: number | undefined; advertise?: string | undefined } | undefined;
  /** Its address is that of `listen` when it names none. */
  grpc?:
    | {
        ip?: string | undefined;
        port?: number | undefined;
        whenTaken?: GrpcAddress['whenTaken'];
        /** Default: false, as on Temporal's server. */
        crossNamespaceCommands?: boolean | undefined;
      }
    | undefined;
  tls?: TlsFiles | undefined;
  timeSkipping?: boolean | undefined;
  allowedHosts?: readonly string[] | undefined;
  /** Default: one, `default`, open to all. */
  namespaces?: readonly NamespaceOptions[] | undefined;
  limits?: Partial<Limits> | undefined;
  doorLimits?: Partial<DoorLimits> | undefined;
  shardLimits?: Partial<ShardLimits> | undefined;
  logLevel?: LogLevel | undefined;
  shutdownGraceMs?: number | undefined;
  callbacks?:
    | { allowedAddresses?: readonly AllowedAddress[] | undefined; secrets?: readonly string[] | undefined }
    | undefined;
  cluster?: ClusterOptions | undefined;
}

export interface NamespaceOptions {
  name: string;
  /** ms closed executions are kept; default 72 h, at least 1 h. */
  retention?: number | undefined;
  /** Bearer tokens that open it; none: open to everyone who reaches the port. */
  tokens?: readonly string[] | undefined;
}

/** No slash: it separates a namespace from what is inside it. */
const NAMESPACE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/;

/** Everything of `given` that is not undefined, over the defaults. */
function defined<T extends object>(defaults: T, given: Partial<T> | undefined): T {
  const result = { ...defaults };
  for (const name of Object.keys(given ?? {}) as (keyof T)[]) {
    const value = given?.[name];
    if (value !== undefined) result[name] = value;
  }
  return result;
}

function namespaceSettings(options: readonly NamespaceOptions[]): NamespaceSetting[] {
  if (options.length === 0) throw new ConfigError('namespaces: at least one is needed');
  const seen = new Set<string>();
  return options.map(({ name, retention = DEFAULT_RETENTION_MS, tokens = [] }, index) => {
    const where = `namespaces[${index}]`;
    if (!NAMESPACE_NAME.test(name)) {
      throw new ConfigError(
        `${where}.name: ${JSON.stringify(name)} must be up to 200 letters, digits, '_', '.' and '-', beginning with a letter or digit`,
      );
    }
    if (seen.has(name)) throw new ConfigError(`${where}.name: ${JSON.stringify(name)} is there twice`);
    seen.add(name);
    if (!(retention >= MIN_RETENTION_MS)) throw new ConfigError(`${where}.retention: must be at least 1h`);
    return { name, retention, tokens: checkTokens(`${where}.tokens`, tokens, MAX_TOKENS) };
  });
}

/** Of a secret: a shorter one could be guessed. */
const MIN_SECRET_LENGTH = 16;

function callbackConfig({
  allowedAddresses = [],
  secrets = [],
}: NonNullable<ConfigOptions['callbacks']> = {}): CallbackConfig {
  for (const [index, { pattern }] of allowedAddresses.entries()) {
    if (/^[^\s/@]+$/.test(pattern)) continue;
    throw new ConfigError(
      `callbacks.allowedAddresses[${index}].pattern: ${JSON.stringify(pattern)} must be host or host:port, with * for any text`,
    );
  }
  for (const [index, secret] of secrets.entries()) {
    if (secret.length >= MIN_SECRET_LENGTH) continue;
    throw new ConfigError(`callbacks.secrets[${index}]: must have at least ${MIN_SECRET_LENGTH} characters`);
  }
  return { allowedAddresses, secrets };
}

/** No message quotes the URL: there may be a password in it. */
function postgresOptions({ dataDirectory, postgres }: ConfigOptions): PostgresOptions | undefined {
  if (postgres === undefined) return undefined;
  const where = 'store.postgres';
  if (dataDirectory !== undefined) {
    throw new ConfigError(`${where}: there is a dataDirectory too: data is kept in one of them, leave the other out`);
  }
  if (!isPostgresUrl(postgres.url)) {
    throw new ConfigError(`${where}.url: must be postgres://user:password@host:port/database`);
  }
  const options = defined<PostgresOptions>({ ...DEFAULT_POSTGRES_OPTIONS, url: postgres.url }, postgres);
  const { poolSize } = options;
  if (!Number.isInteger(poolSize) || poolSize < MIN_POOL_SIZE || poolSize > MAX_POOL_SIZE) {
    throw new ConfigError(
      `${where}.poolSize: ${poolSize} must be an integer from ${MIN_POOL_SIZE} to ${MAX_POOL_SIZE}: one connection writes, the others read`,
    );
  }
  const durations = { connectTimeout: options.connectTimeoutMs, statementTimeout: options.statementTimeoutMs };
  for (const [name, ms] of Object.entries(durations)) {
    if (!(ms >= MIN_TIMEOUT_MS)) throw new ConfigError(`${where}.${name}: must be at least ${MIN_TIMEOUT_MS}ms`);
  }
  return options;
}

function levelDbOptions({ postgres, leveldb }: ConfigOptions): LevelDbOptions {
  const { writeBufferBytes = DEFAULT_LEVELDB_OPTIONS.writeBufferBytes } = leveldb ?? {};
  if (leveldb !== undefined && postgres !== undefined) {
    throw new ConfigError(
      'store.leveldb: there is store.postgres too: data is kept in one of them, leave the other out',
    );
  }
  const [least, most] = [MIN_WRITE_BUFFER_BYTES, MAX_WRITE_BUFFER_BYTES];
  if (Number.isInteger(writeBufferBytes) && writeBufferBytes >= least && writeBufferBytes <= most) {
    return { writeBufferBytes };
  }
  throw new ConfigError(
    `store.leveldb.writeBufferBytes: ${writeBufferBytes} must be an integer from ${least} to ${most}`,
  );
}

/** Of a database: below it, a busy moment would count as an outage. */
const MIN_TIMEOUT_MS = 100;

function doorAddress(
  { ip = '127.0.0.1', advertise }: NonNullable<ConfigOptions['listen']>,
  port: number,
  cluster: ClusterOptions | undefined,
): DoorAddress {
  // A node that stands alone is told to nobody by others.
  if (cluster !== undefined) reachable('listen', ip, advertise);
  return { ip, port, advertise: advertise === undefined ? undefined : address('listen.advertise', advertise, port) };
}

function grpcAddress(
  { ip, port = DEFAULT_GRPC_PORT, whenTaken = 'refuse', crossNamespaceCommands }: NonNullable<ConfigOptions['grpc']>,
  listenIp = '127.0.0.1',
): GrpcAddress {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new ConfigError(`grpc.port: ${port} is no port`);
  return {
    ...{ ip: ip ?? listenIp, port, whenTaken },
    crossNamespaceCommands: crossNamespaceCommands === true ? 'allowed' : 'refused',
  };
}

function coreCount(given: number | 'auto'): number {
  const count = given === 'auto' ? Math.min(availableParallelism(), MAX_CORES) : given;
  return whole('cores', count, 1, MAX_CORES);
}

/** Fills in what is left out. @throws ConfigError */
export function completeConfig(options: ConfigOptions = {}): NodeConfig {
  const { listen } = options;
  const port = listen?.port ?? DEFAULT_PORT;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new ConfigError(`listen.port: ${port} is no port`);
  const shardCount = options.shardCount ?? DEFAULT_SHARD_COUNT;
  if (!Number.isInteger(shardCount) || shardCount < 1 || shardCount > 65_536) {
    throw new ConfigError(`shardCount: ${shardCount} must be an integer from 1 to 65536`);
  }
  const cores = coreCount(options.cores ?? 1);
  if (options.timeSkipping === true && (cores > 1 || options.cluster !== undefined)) {
    throw new ConfigError(
      'timeSkipping: the time of several processes cannot be skipped: it is for one node, for tests',
    );
  }
  return {
    dataDirectory: options.dataDirectory,
    postgres: postgresOptions(options),
    leveldb: levelDbOptions(options),
    shardCount,
    cores,
    listen: listen === undefined ? undefined : doorAddress(listen, port, options.cluster),
    grpc: options.grpc === undefined ? undefined : grpcAddress(options.grpc, listen?.ip),
    tls: options.tls,
    timeSkipping: options.timeSkipping === true,
    allowedHosts: options.allowedHosts ?? [],
    namespaces: namespaceSettings(options.namespaces ?? [{ name: DEFAULT_NAMESPACE }]),
    limits: defined(DEFAULT_LIMITS, options.limits),
    doorLimits: defined(DEFAULT_DOOR_LIMITS, options.doorLimits),
    shardLimits: defined(DEFAULT_SHARD_LIMITS, options.shardLimits),
    logLevel: options.logLevel ?? 'info',
    shutdownGraceMs: options.shutdownGraceMs ?? 10_000,
    callbacks: callbackConfig(options.callbacks),
    cluster: options.cluster === undefined ? undefined : completeCluster(options.cluster),
  };
}

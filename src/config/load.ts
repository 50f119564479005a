// Reads a configuration file (YAML), with the environment over it: `TENUTO_…` variables win, so that one file serves many machines.
// Errors name the file and the path within it. Loaded only by `tenuto server start`: its parsers take a while to load.

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import type { Limits } from '../core/workflow/limits.ts';
import { DEFAULT_LIMITS } from '../core/workflow/limits.ts';
import { DEFAULT_DOOR_LIMITS } from '../frontend/limits.ts';
import { DEFAULT_SHARD_LIMITS } from '../shard/limits.ts';
import { clusterOptions, clusterSchema } from './cluster-file.ts';
import { ConfigError, type ConfigOptions, completeConfig, DEFAULT_NAMESPACE, type NodeConfig } from './config.ts';
import { duration } from './duration.ts';
import { postgresOptionsOf, postgresSchema } from './postgres.ts';
import { durationMs, list, NO_DURATION, number, tokensByName } from './variables.ts';

/** One optional positive number per bound there is. */
function bounds<T extends object>(defaults: T) {
  const shape: Record<string, z.ZodOptional<z.ZodNumber>> = {};
  for (const name of Object.keys(defaults)) shape[name] = z.number().positive().optional();
  return z.strictObject(shape);
}

const schema = z.strictObject({
  dataDirectory: z.string().min(1).optional(),
  store: z
    .strictObject({
      postgres: postgresSchema.optional(),
      leveldb: z.strictObject({ writeBufferBytes: z.number().optional() }).optional(),
    })
    .optional(),
  shardCount: z.number().int().optional(),
  cores: z.union([z.literal('auto'), z.number().int()]).optional(),
  listen: z
    .strictObject({
      ip: z.string().optional(),
      port: z.number().int().min(0).max(65_535).optional(),
      advertise: z.string().optional(),
    })
    .optional(),
  grpc: z
    .strictObject({
      ip: z.string().optional(),
      port: z.number().int().min(0).max(65_535).optional(),
      crossNamespaceCommands: z.boolean().optional(),
    })
    .optional(),
  tls: z
    .strictObject({
      certFile: z.string().min(1),
      keyFile: z.string().min(1),
      clientCaFile: z.string().min(1).optional(),
    })
    .optional(),
  allowedHosts: z.array(z.string()).optional(),
  namespaces: z
    .array(z.strictObject({ name: z.string(), retention: duration.optional(), tokens: z.array(z.string()).optional() }))
    .optional(),
  limits: bounds(DEFAULT_LIMITS).optional(),
  connections: bounds(DEFAULT_DOOR_LIMITS).optional(),
  engine: bounds(DEFAULT_SHARD_LIMITS).optional(),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).optional() }).optional(),
  shutdownGrace: duration.optional(),
  callbacks: z
    .strictObject({
      allowedAddresses: z
        .array(z.strictObject({ pattern: z.string(), allowInsecure: z.boolean().default(false) }))
        .optional(),
      secrets: z.array(z.string()).optional(),
    })
    .optional(),
  cluster: clusterSchema.optional(),
});

type FileConfig = z.infer<typeof schema>;

/** Variables that win over the file. */
const VARIABLES: Readonly<Record<string, (value: string, config: FileConfig, name: string) => void>> = {
  TENUTO_DATA_DIR: (value, config) => {
    config.dataDirectory = value;
  },
  TENUTO_POSTGRES_URL: (value, config) => {
    const { poolSize, connectTimeout, statementTimeout, outage } = config.store?.postgres ?? {};
    config.store = { postgres: { url: value, poolSize, connectTimeout, statementTimeout, outage } };
  },
  TENUTO_SHARD_COUNT: (value, config, name) => {
    config.shardCount = number(name, value);
  },
  TENUTO_CORES: (value, config, name) => {
    config.cores = value === 'auto' ? value : number(name, value);
  },
  TENUTO_IP: (value, config) => {
    config.listen = { ...config.listen, ip: value };
  },
  TENUTO_PORT: (value, config, name) => {
    config.listen = { ...config.listen, port: number(name, value) };
  },
  TENUTO_GRPC_PORT: (value, config, name) => {
    config.grpc = { ...config.grpc, port: number(name, value) };
  },
  TENUTO_ADVERTISE: (value, config) => {
    config.listen = { ...config.listen, advertise: value };
  },
  TENUTO_ALLOWED_HOSTS: (value, config) => {
    config.allowedHosts = list(value);
  },
  TENUTO_NAMESPACE_TOKENS: (value, config, name) => {
    const namespaces = config.namespaces ?? [{ name: DEFAULT_NAMESPACE }];
    const tokens = tokensByName(name, value);
    for (const namespace of tokens.keys()) {
      if (namespaces.some((known) => known.name === namespace)) continue;
      throw new ConfigError(`${name}: there is no namespace ${JSON.stringify(namespace)} in the configuration`);
    }
    config.namespaces = namespaces.map((known) => ({ ...known, tokens: tokens.get(known.name) ?? known.tokens }));
  },
  TENUTO_CALLBACK_SECRETS: (value, config) => {
    config.callbacks = { ...config.callbacks, secrets: list(value) };
  },
  TENUTO_SHUTDOWN_GRACE: (value, config, name) => {
    const ms = durationMs(value);
    if (ms === undefined) throw new ConfigError(`${name}: ${JSON.stringify(value)} ${NO_DURATION}`);
    config.shutdownGrace = ms;
  },
  TENUTO_LOG_LEVEL: (value, config, name) => {
    const level = z.enum(['debug', 'info', 'warn', 'error', 'silent']).safeParse(value);
    if (!level.success) throw new ConfigError(`${name}: ${value} is no level: debug, info, warn, error or silent`);
    config.log = { level: level.data };
  },
};

function pathOf(path: readonly PropertyKey[]): string {
  let text = '';
  for (const step of path) text += typeof step === 'number' ? `[${step}]` : `${text === '' ? '' : '.'}${String(step)}`;
  return text === '' ? 'the file' : text;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * @param file YAML; undefined: the environment says everything
 * @param spelled how the user wrote what came as this variable: `--redis`
 * @throws ConfigError naming the file and the path within it, or the variable
 */
export function loadConfig(
  file: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
  spelled: (variable: string) => string = (variable) => variable,
): NodeConfig {
  const inFile = file === undefined ? '' : `${file}: `;
  const config = file === undefined ? {} : readFile(file);
  for (const [name, apply] of Object.entries(VARIABLES)) {
    const value = environment[name];
    if (value !== undefined && value !== '') apply(value, config, name);
  }
  // Paths in the file are relative to it, those of the environment to the working directory.
  const beside = (path: string): string => (file === undefined ? resolve(path) : resolve(dirname(file), path));
  const options: ConfigOptions = {
    dataDirectory:
      config.dataDirectory === undefined
        ? undefined
        : environment.TENUTO_DATA_DIR
          ? resolve(config.dataDirectory)
          : beside(config.dataDirectory),
    postgres: config.store?.postgres && postgresOptionsOf(config.store.postgres),
    leveldb: config.store?.leveldb,
    shardCount: config.shardCount,
    cores: config.cores,
    listen: config.listen ?? {},
    grpc: config.grpc,
    tls: tlsFiles(config.tls, environment, beside),
    allowedHosts: config.allowedHosts,
    namespaces: config.namespaces,
    limits: config.limits as Partial<Limits> | undefined,
    doorLimits: config.connections,
    shardLimits: config.engine,
    logLevel: config.log?.level,
    shutdownGraceMs: config.shutdownGrace,
    callbacks: config.callbacks,
    cluster: clusterOptions(config.cluster, environment, { beside, spelled }),
  };
  try {
    return completeConfig(options);
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`${inFile}${error.message}`);
    throw error;
  }
}

function readFile(file: string): FileConfig {
  const document = parseDocument(readText(file));
  const fault = document.errors[0];
  if (fault !== undefined) throw new ConfigError(`${file}: ${fault.message}`);
  const parsed = schema.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const { path, message } = issue;
    const known = issue.code === 'unrecognized_keys' ? keysAt(schema, path) : [];
    const there = known.length === 0 ? '' : `; there are ${known.join(', ')}`;
    return `${file}: ${pathOf(path)}: ${message}${there}`;
  });
  throw new ConfigError(problems.join('\n'));
}

/** What may be said in that place, so that who misspelt it sees how it is spelt. */
function keysAt(whole: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let at: unknown = whole;
  for (const step of [...path, undefined]) {
    while (at instanceof z.ZodOptional || at instanceof z.ZodDefault) at = at.unwrap();
    if (step === undefined) break;
    if (at instanceof z.ZodObject) at = at.shape[String(step)];
    else if (at instanceof z.ZodArray) at = at.element;
    else return [];
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function tlsFiles(
  inFile: FileConfig['tls'],
  environment: NodeJS.ProcessEnv,
  beside: (path: string) => string,
): ConfigOptions['tls'] {
  const { TENUTO_TLS_CERT: cert, TENUTO_TLS_KEY: key, TENUTO_TLS_CLIENT_CA: clientCa } = environment;
  const ca = clientCa ? resolve(clientCa) : inFile?.clientCaFile && beside(inFile.clientCaFile);
  const clientCaFile = ca ? { clientCaFile: ca } : {};
  if (!cert && !key) {
    if (inFile !== undefined)
      return { certFile: beside(inFile.certFile), keyFile: beside(inFile.keyFile), ...clientCaFile };
    if (clientCa) throw new ConfigError('TENUTO_TLS_CLIENT_CA needs TENUTO_TLS_CERT and TENUTO_TLS_KEY');
    return undefined;
  }
  if (!cert || !key) throw new ConfigError('TENUTO_TLS_CERT and TENUTO_TLS_KEY go together');
  return { certFile: resolve(cert), keyFile: resolve(key), ...clientCaFile };
}

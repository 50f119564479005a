/**
 * Where a program finds its server: the profile of the config file that the command uses, too (`tenuto config`), and the environment over it. Names
 * are those of `@temporalio/envconfig`.
 *
 * ```ts
 * import { Client, Connection } from 'tenuto/client';
 * import { loadClientConnectConfig } from 'tenuto/envconfig';
 *
 * const { connectionOptions, namespace } = loadClientConnectConfig();
 * const client = new Client({ connection: await Connection.connect(connectionOptions), namespace });
 * ```
 *
 * `TENUTO_ADDRESS`, `TENUTO_NAMESPACE`, `TENUTO_TOKEN`, `TENUTO_TLS_CA` (a file); `TENUTO_PROFILE` and `TENUTO_CONFIG_FILE` choose the profile.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { ValueError } from '../common/errors.ts';
import { errorMessage } from '../common/type-helpers.ts';
import { decodeUtf8 } from '../common/utf8.ts';
import type { ConnectionOptions } from '../connection/options.ts';
import {
  checkedProfile,
  chosenProfile,
  defaultConfigFile,
  type Profile,
  ProfileError,
  profilesOf,
} from './profiles.ts';

export { ProfileError } from './profiles.ts';

/** A file, or what would be in one. */
export type ConfigDataSource = { path: string } | { data: string | Uint8Array };

type Env = Readonly<Record<string, string | undefined>>;

export interface LoadClientConfigOptions {
  /** Of YAML. Default: the file that `TENUTO_CONFIG_FILE` names, or `tenuto/config.yaml` in the config directory, if it is there. */
  configSource?: ConfigDataSource | undefined;
  /** Instead of the environment of this process. */
  overrideEnvVars?: Record<string, string> | undefined;
}

export interface LoadClientProfileOptions extends LoadClientConfigOptions {
  /** Default: `TENUTO_PROFILE`, or "default". One that is named must be there. */
  profile?: string | undefined;
  /** Read no file but a `configSource`. */
  disableFile?: boolean | undefined;
  /** Take nothing from the environment. */
  disableEnv?: boolean | undefined;
  /** Taken and of no effect: keys that nobody knows are always refused. */
  configFileStrict?: boolean | undefined;
}

export interface ClientConfigTLS {
  /** Authorities to trust instead of the system's, in PEM. */
  serverCACert?: ConfigDataSource | undefined;
}

export interface ClientConfigProfile {
  address?: string | undefined;
  namespace?: string | undefined;
  /** The token. */
  apiKey?: string | undefined;
  tls?: ClientConfigTLS | undefined;
}

export interface ClientConfig {
  profiles: Record<string, ClientConfigProfile>;
}

export interface ClientConnectConfig {
  /** For `Connection.connect` and `NativeConnection.connect`. */
  connectionOptions: ConnectionOptions;
  namespace?: string;
}

/** A profile as options of connections and clients. @throws ProfileError as {@link loadClientConfigProfile} */
export function loadClientConnectConfig(options: LoadClientProfileOptions = {}): ClientConnectConfig {
  return toClientOptions(loadClientConfigProfile(options));
}

/**
 * A profile of the file, with what the environment says put over it.
 *
 * @throws ProfileError for a file that cannot be read and a profile that is not there or wrong; ValueError when there is nothing to look at.
 */
export function loadClientConfigProfile(options: LoadClientProfileOptions = {}): ClientConfigProfile {
  const { configSource, disableFile = false, disableEnv = false } = options;
  if (disableFile && disableEnv && configSource === undefined)
    throw new ValueError('disableFile and disableEnv together leave nothing to load');
  const env: Env = disableEnv ? {} : (options.overrideEnvVars ?? process.env);
  const name = options.profile ?? env.TENUTO_PROFILE;
  const file = disableFile && configSource === undefined ? undefined : read(configSource, env);
  if (file === undefined && name !== undefined && !disableFile)
    throw new ProfileError(`profile ${name}: there is no config file ${defaultConfigFile(env)} to hold it`);
  const profile = file === undefined ? {} : converted(file, chosenProfile(file.name, file.profiles, name));
  return {
    ...profile,
    ...(env.TENUTO_ADDRESS && { address: env.TENUTO_ADDRESS }),
    ...(env.TENUTO_NAMESPACE && { namespace: env.TENUTO_NAMESPACE }),
    ...(env.TENUTO_TOKEN && { apiKey: env.TENUTO_TOKEN }),
    ...(env.TENUTO_TLS_CA && { tls: { serverCACert: { path: env.TENUTO_TLS_CA } } }),
  };
}

/** All profiles of the file; none where there is no file. @throws ProfileError for one that is wrong. */
export function loadClientConfig({ configSource, overrideEnvVars }: LoadClientConfigOptions = {}): ClientConfig {
  const file = read(configSource, overrideEnvVars ?? process.env);
  const profiles = Object.entries(file?.profiles ?? {});
  return {
    profiles: Object.fromEntries(
      profiles.map(([name, profile]) => [name, converted(file, checkedProfile(file?.name ?? '', name, profile))]),
    ),
  };
}

/** @throws ProfileError for a certificate that cannot be read. */
export function toClientOptions({ address, namespace, apiKey, tls }: ClientConfigProfile): ClientConnectConfig {
  const authority = tls?.serverCACert;
  return {
    connectionOptions: {
      ...(address !== undefined && { address }),
      ...(apiKey !== undefined && { apiKey }),
      ...(authority !== undefined && { tls: { serverRootCACertificate: bytesOf(authority) } }),
    },
    ...(namespace !== undefined && { namespace }),
  };
}

interface ConfigFile {
  /** In messages. */
  readonly name: string;
  /** Paths in it are relative to this one. */
  readonly directory: string;
  readonly profiles: Record<string, unknown>;
}

/** Undefined where nobody named a file and there is none. */
function read(source: ConfigDataSource | undefined, env: Env): ConfigFile | undefined {
  const named = env.TENUTO_CONFIG_FILE || undefined;
  const from = source ?? { path: named ?? defaultConfigFile(env) };
  if ('data' in from) return parsed('config data', '.', from.data);
  const { path } = from;
  if (!existsSync(path)) {
    if (source === undefined && named === undefined) return undefined;
    throw new ProfileError(`there is no config file ${path}`);
  }
  return parsed(`config file ${path}`, dirname(path), bytesOf(from));
}

function parsed(name: string, directory: string, data: string | Uint8Array): ConfigFile {
  try {
    return { name, directory, profiles: profilesOf(parse(textOf(data))) };
  } catch (error) {
    throw new ProfileError(`${name} is not YAML: ${errorMessage(error)}`, { cause: error });
  }
}

function converted(file: ConfigFile | undefined, profile: Profile): ClientConfigProfile {
  const { address, namespace, token, tokenFile, tlsCa } = profile;
  const at = (path: string): ConfigDataSource => ({ path: resolve(file?.directory ?? '.', path) });
  const apiKey = token ?? (tokenFile === undefined ? undefined : textOf(bytesOf(at(tokenFile))).trim());
  return {
    ...(address !== undefined && { address }),
    ...(namespace !== undefined && { namespace }),
    ...(apiKey !== undefined && { apiKey }),
    ...(tlsCa !== undefined && { tls: { serverCACert: at(tlsCa) } }),
  };
}

const textOf = (data: string | Uint8Array): string => (typeof data === 'string' ? data : decodeUtf8(data));

function bytesOf(source: ConfigDataSource): string | Uint8Array {
  if ('data' in source) return source.data;
  try {
    return readFileSync(source.path);
  } catch (error) {
    throw new ProfileError(`cannot read ${source.path}: ${errorMessage(error)}`, { cause: error });
  }
}

// Where a client command finds its server: flags, then environment (commander fills those in), then a profile of the config file.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  checkedProfile,
  chosenProfile,
  defaultConfigFile,
  type Profile,
  ProfileError,
  profilesOf,
} from '../../sdk/envconfig/profiles.ts';
import type { CodecFlags } from './codec-endpoint.ts';
import { UsageError } from './exit-codes.ts';

export interface ConnectionFlags extends CodecFlags {
  address?: string;
  namespace?: string;
  token?: string;
  tlsCa?: string;
  profile?: string;
  configFile?: string;
}

export interface Target {
  address: string;
  namespace: string;
  token: string | undefined;
  tlsCa: Uint8Array | undefined;
  codec: CodecFlags;
}

/** Throws UsageError naming the file and the key when the profile cannot be used. */
export async function resolveTarget(flags: ConnectionFlags): Promise<Target> {
  const file = configFileOf(flags);
  const profile = await readProfile(file, flags.profile, flags.configFile !== undefined);
  const at = (path: string) => resolve(dirname(file), path);
  const tokenFile = profile.tokenFile;
  const tlsCa = flags.tlsCa ?? (profile.tlsCa === undefined ? undefined : at(profile.tlsCa));
  return {
    address: flags.address ?? profile.address ?? '127.0.0.1:7280',
    namespace: flags.namespace ?? profile.namespace ?? 'default',
    token:
      flags.token ??
      profile.token ??
      (tokenFile === undefined ? undefined : readText(at(tokenFile), 'token file').trim()),
    tlsCa: tlsCa === undefined ? undefined : Buffer.from(readText(tlsCa, 'certificate authority')),
    codec: codecOf(flags, profile),
  };
}

/** A codec server of the flags or the environment is told nothing that the profile means for its own. */
function codecOf({ codecEndpoint, codecAuth, codecHeader }: CodecFlags, profile: Profile): CodecFlags {
  const flags: CodecFlags = {};
  const endpoint = codecEndpoint ?? profile.codecEndpoint;
  const auth = codecAuth ?? (codecEndpoint === undefined ? profile.codecAuth : undefined);
  if (endpoint !== undefined) flags.codecEndpoint = endpoint;
  if (auth !== undefined) flags.codecAuth = auth;
  if (codecHeader !== undefined) flags.codecHeader = codecHeader;
  return flags;
}

export const configFileOf = ({ configFile }: Pick<ConnectionFlags, 'configFile'>): string =>
  configFile ?? defaultConfigFile(process.env);

/** By name; none where there is no file. Throws UsageError naming the file, the profile and the key that is wrong. */
export async function profilesIn(file: string): Promise<Record<string, Profile>> {
  const profiles = Object.entries(await unchecked(file));
  return asUsage(() =>
    Object.fromEntries(profiles.map(([name, profile]) => [name, checkedProfile(`config file ${file}`, name, profile)])),
  );
}

async function unchecked(file: string): Promise<Record<string, unknown>> {
  if (!existsSync(file)) return {};
  // Loaded only here: most commands read no file.
  const { parse } = await import('yaml');
  const text = readText(file, 'config file');
  try {
    return profilesOf(parse(text));
  } catch (error) {
    throw new UsageError(`config file ${file} is not YAML: ${error instanceof Error ? error.message : error}`);
  }
}

async function readProfile(file: string, name: string | undefined, fileWasNamed: boolean): Promise<Profile> {
  if (!existsSync(file)) {
    if (fileWasNamed) throw new UsageError(`there is no config file ${file}`);
    if (name !== undefined) throw new UsageError(`profile ${name}: there is no config file ${file} to hold it`);
  }
  const profiles = await unchecked(file);
  return asUsage(() => chosenProfile(`config file ${file}`, profiles, name));
}

function asUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ProfileError ? new UsageError(error.message) : error;
  }
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${what} ${path}: ${error instanceof Error ? error.message : error}`);
  }
}

// Where a client command finds its server: flags, then environment (commander fills those in), then a profile of the config file.
//
//   profiles:
//     default: { address: 127.0.0.1:7280, namespace: default }
//     staging: { address: wss://tenuto.staging.example, namespace: orders, tokenFile: ./token, tlsCa: ./ca.pem }

import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from './exit-codes.ts';

export interface ConnectionFlags {
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
}

export const PROFILE_KEYS = ['address', 'namespace', 'token', 'tokenFile', 'tlsCa'];

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
  };
}

export const configFileOf = ({ configFile }: Pick<ConnectionFlags, 'configFile'>): string =>
  configFile ?? join(process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'tenuto', 'config.yaml');

/** By name; none where there is no file. Throws UsageError naming the file, the profile and the key that is wrong. */
export async function profilesIn(file: string): Promise<Record<string, Record<string, string>>> {
  const profiles = Object.entries(await unchecked(file));
  return Object.fromEntries(profiles.map(([name, profile]) => [name, checked(file, name, profile)]));
}

/** Of one that is used the others may be wrong. */
async function unchecked(file: string): Promise<Record<string, unknown>> {
  if (!existsSync(file)) return {};
  const { parse } = await import('yaml');
  const text = readText(file, 'config file');
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw new UsageError(`config file ${file} is not YAML: ${error instanceof Error ? error.message : error}`);
  }
  return isRecord(document) && isRecord(document.profiles) ? document.profiles : {};
}

function checked(file: string, name: string, profile: unknown): Record<string, string> {
  const where = `config file ${file}: profile ${name}`;
  if (!isRecord(profile)) throw new UsageError(`${where} must be a map`);
  const out: Record<string, string> = {};
  for (const [key, value] of Object.entries(profile)) {
    if (!PROFILE_KEYS.includes(key))
      throw new UsageError(`${where} has an unknown key ${key} (known: ${PROFILE_KEYS.join(', ')})`);
    if (typeof value !== 'string') throw new UsageError(`${where}: ${key} must be a string`);
    out[key] = value;
  }
  return out;
}

async function readProfile(
  file: string,
  name: string | undefined,
  fileWasNamed: boolean,
): Promise<Readonly<Record<string, string>>> {
  if (!existsSync(file)) {
    if (fileWasNamed) throw new UsageError(`there is no config file ${file}`);
    if (name !== undefined) throw new UsageError(`profile ${name}: there is no config file ${file} to hold it`);
  }
  const profiles = await unchecked(file);
  const wanted = name ?? 'default';
  const profile = profiles[wanted];
  if (profile !== undefined) return checked(file, wanted, profile);
  if (name === undefined) return {};
  throw new UsageError(
    `config file ${file} has no profile ${name}; it has ${Object.keys(profiles).join(', ') || 'none'}`,
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${what} ${path}: ${error instanceof Error ? error.message : error}`);
  }
}

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

const KNOWN = ['address', 'namespace', 'token', 'tokenFile', 'tlsCa'];

/** Throws UsageError naming the file and the key when the profile cannot be used. */
export async function resolveTarget(flags: ConnectionFlags): Promise<Target> {
  const file = flags.configFile ?? defaultConfigFile();
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

function defaultConfigFile(): string {
  return join(process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'tenuto', 'config.yaml');
}

async function readProfile(
  file: string,
  name: string | undefined,
  fileWasNamed: boolean,
): Promise<Record<string, string>> {
  if (!existsSync(file)) {
    if (fileWasNamed) throw new UsageError(`there is no config file ${file}`);
    if (name !== undefined) throw new UsageError(`profile ${name}: there is no config file ${file} to hold it`);
    return {};
  }
  const { parse } = await import('yaml');
  let document: unknown;
  try {
    document = parse(readText(file, 'config file'));
  } catch (error) {
    throw new UsageError(`config file ${file} is not YAML: ${error instanceof Error ? error.message : error}`);
  }
  const profiles = isRecord(document) && isRecord(document.profiles) ? document.profiles : {};
  const wanted = name ?? 'default';
  const profile = profiles[wanted];
  if (profile === undefined) {
    if (name === undefined) return {};
    throw new UsageError(
      `config file ${file} has no profile ${name}; it has ${Object.keys(profiles).join(', ') || 'none'}`,
    );
  }
  if (!isRecord(profile)) throw new UsageError(`config file ${file}: profile ${wanted} must be a map`);
  const out: Record<string, string> = {};
  for (const [key, value] of Object.entries(profile)) {
    if (!KNOWN.includes(key))
      throw new UsageError(
        `config file ${file}: profile ${wanted} has an unknown key ${key} (known: ${KNOWN.join(', ')})`,
      );
    if (typeof value !== 'string')
      throw new UsageError(`config file ${file}: profile ${wanted}: ${key} must be a string`);
    out[key] = value;
  }
  return out;
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

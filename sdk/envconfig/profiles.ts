// Profiles: where a server is and how to be let in, by name, in a file of YAML. What the command and programs share of reading it.
//
//   profiles:
//     default: { address: 127.0.0.1:7280, namespace: default }
//     staging: { address: wss://tenuto.staging.example, namespace: orders, tokenFile: ./token, tlsCa: ./ca.pem }

import { homedir } from 'node:os';
import { join } from 'node:path';
import { isRecord } from '../common/type-helpers.ts';

/** The codec server is the command's: programs have codecs of their own. */
export const PROFILE_KEYS: readonly string[] = [
  'address',
  'namespace',
  'token',
  'tokenFile',
  'tlsCa',
  'codecEndpoint',
  'codecAuth',
];
export const DEFAULT_PROFILE = 'default';

/** As a file has it, by the keys above. */
export type Profile = Readonly<Record<string, string>>;

/** A profile that is not there or makes no sense; the message names the file, the profile and the key. */
export class ProfileError extends Error {
  override readonly name = 'ProfileError';
}

/** The file that is read when none is named. */
export function defaultConfigFile(env: Readonly<Record<string, string | undefined>>): string {
  return join(env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'tenuto', 'config.yaml');
}

/** Of a parsed document, by name, unchecked: of one profile that is used the others may be wrong. */
export const profilesOf = (document: unknown): Record<string, unknown> =>
  isRecord(document) && isRecord(document.profiles) ? document.profiles : {};

/** @throws ProfileError for what is no profile. */
export function checkedProfile(source: string, name: string, profile: unknown): Profile {
  const where = `${source}: profile ${name}`;
  if (!isRecord(profile)) throw new ProfileError(`${where} must be a map`);
  const out: Record<string, string> = {};
  for (const [key, value] of Object.entries(profile)) {
    if (!PROFILE_KEYS.includes(key))
      throw new ProfileError(`${where} has an unknown key ${key} (known: ${PROFILE_KEYS.join(', ')})`);
    if (typeof value !== 'string') throw new ProfileError(`${where}: ${key} must be a string`);
    out[key] = value;
  }
  return out;
}

/** The one that is wanted; an empty one where none was named and there is none by default. @throws ProfileError for one that is not there or wrong. */
export function chosenProfile(source: string, profiles: Record<string, unknown>, name: string | undefined): Profile {
  const wanted = name ?? DEFAULT_PROFILE;
  const profile = profiles[wanted];
  if (profile !== undefined) return checkedProfile(source, wanted, profile);
  if (name === undefined) return {};
  throw new ProfileError(`${source} has no profile ${name}; it has ${Object.keys(profiles).join(', ') || 'none'}`);
}

// `tenuto config …`: the profiles of the config file, from which commands take where their server is (profile.ts). Comments and order of the
// file stay as they are; the file is its owner's alone, since it may hold tokens.

import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Command, Option } from 'commander';
import { type Document, parseDocument } from 'yaml';
import { PROFILE_KEYS } from '../../sdk/envconfig/profiles.ts';
import { UsageError } from './exit-codes.ts';
import { Output, type OutputOptions } from './output.ts';
import { type ConnectionFlags, configFileOf, profilesIn } from './profile.ts';

type Flags = OutputOptions & Pick<ConnectionFlags, 'profile' | 'configFile'>;
/** Not shown but where it is asked for by name. */
const SECRETS: ReadonlySet<string> = new Set(['token', 'codecAuth']);
const OWNER_ALONE = 0o600;

export function defineConfigCommands(config: Command): void {
  const define = (name: string, description: string): Command =>
    config
      .command(name)
      .description(description)
      .addOption(new Option('--profile <name>', 'which profile (default "default")').env('TENUTO_PROFILE'))
      .addOption(
        new Option('--config-file <file>', 'config file (default: tenuto/config.yaml in the config directory)').env(
          'TENUTO_CONFIG_FILE',
        ),
      )
      .addOption(
        new Option('-o, --output <format>', 'how to print')
          .choices(['table', 'json', 'jsonl', 'none'])
          .default('table'),
      )
      .addOption(new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'));
  const prop = new Option('-p, --prop <name>', `one of ${PROFILE_KEYS.join(', ')}`).choices(PROFILE_KEYS);
  const wanted = (): Option => new Option(prop.flags, `${prop.description} (required)`).choices(PROFILE_KEYS);

  define('list', 'profiles by name')
    .addHelpText('after', '\nExample:\n  tenuto config list -o json')
    .action(async (flags: Flags) => {
      const rows = Object.entries(await profilesIn(configFileOf(flags))).map(([name, profile]) => ({
        name,
        ...Object.fromEntries(PROFILE_KEYS.map((key) => [key, shown(key, profile[key])])),
      }));
      await new Output(flags).list(rows);
    });

  define('get', 'what a profile says')
    .addOption(prop)
    .addHelpText('after', '\nExample:\n  tenuto config get --profile staging --prop address')
    .action(async (flags: Flags & { prop?: string }) => {
      const profile = await existing(flags);
      const output = new Output(flags);
      if (flags.prop === undefined) {
        output.record(Object.fromEntries(PROFILE_KEYS.map((key) => [key, shown(key, profile[key])])));
        return;
      }
      const value = profile[flags.prop];
      if (value === undefined) throw new UsageError(`profile ${nameOf(flags)} says nothing of ${flags.prop}`);
      if (output.format === 'table') output.line(value);
      else output.record({ [flags.prop]: value });
    });

  define('set', 'say it in a profile, which is made if there is none')
    .addOption(wanted().makeOptionMandatory())
    .requiredOption('--value <text>', 'its value; paths are relative to the config file (required)')
    .addHelpText(
      'after',
      '\nExample:\n  tenuto config set --profile staging --prop address --value wss://tenuto.staging.example',
    )
    .action(async (flags: Flags & { prop: string; value: string }) => {
      await change(flags, (document) => document.setIn(['profiles', nameOf(flags), flags.prop], flags.value));
      new Output(flags).say(`profile ${nameOf(flags)}: ${flags.prop} is set`);
    });

  define('delete', 'say it no longer')
    .addOption(wanted().makeOptionMandatory())
    .addHelpText('after', '\nExample:\n  tenuto config delete --profile staging --prop token')
    .action(async (flags: Flags & { prop: string }) => {
      if ((await existing(flags))[flags.prop] === undefined)
        throw new UsageError(`profile ${nameOf(flags)} says nothing of ${flags.prop}`);
      await change(flags, (document) => document.deleteIn(['profiles', nameOf(flags), flags.prop]));
      new Output(flags).say(`profile ${nameOf(flags)}: ${flags.prop} is gone`);
    });

  define('delete-profile', 'forget a profile')
    .addHelpText('after', '\nExample:\n  tenuto config delete-profile --profile staging')
    .action(async (flags: Flags) => {
      await existing(flags);
      await change(flags, (document) => document.deleteIn(['profiles', nameOf(flags)]));
      new Output(flags).say(`profile ${nameOf(flags)} is gone`);
    });
}

const nameOf = ({ profile = 'default' }: Flags): string => profile;

const shown = (key: string, value: string | undefined): string | undefined =>
  SECRETS.has(key) && value !== undefined ? '(set)' : value;

/** Throws UsageError when there is none of that name. */
async function existing(flags: Flags): Promise<Readonly<Record<string, string>>> {
  const file = configFileOf(flags);
  const profiles = await profilesIn(file);
  const profile = profiles[nameOf(flags)];
  if (profile !== undefined) return profile;
  throw new UsageError(
    `config file ${file} has no profile ${nameOf(flags)}; it has ${Object.keys(profiles).join(', ') || 'none'}`,
  );
}

/** The file as it was but for that. Another file takes its place at once, so that a reader never sees half of it. */
async function change(flags: Flags, work: (document: Document) => void): Promise<void> {
  const file = configFileOf(flags);
  // What is there must be readable: nothing of it is lost to a command that misunderstood it.
  await profilesIn(file);
  const document = parseDocument(existsSync(file) ? readFileSync(file, 'utf8') : '');
  work(document);
  mkdirSync(dirname(file), { recursive: true });
  const next = `${file}.${process.pid}.new`;
  writeFileSync(next, String(document), { mode: OWNER_ALONE });
  chmodSync(next, OWNER_ALONE);
  renameSync(next, file);
}

// Arguments on a command line, for whatever takes any: as JSON, of files, or as payloads with metadata of the caller's own. `--signal-input` and
// `--update-input` of the verbs that start a workflow, too, are these flags under a prefix.

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { RawValue } from '../../sdk/common/index.ts';
import { UsageError } from './exit-codes.ts';

export const collect = (value: string, previous: string[] = []): string[] => [...previous, value];

export interface InputFlags {
  input?: string[] | undefined;
  inputFile?: string[] | undefined;
  inputMeta?: string[] | undefined;
  inputBase64?: true | undefined;
}

/** Whose arguments a verb with several takes here. */
export type InputPrefix = '' | 'signal-' | 'update-';

export function withInput(command: Command, prefix: InputPrefix = ''): Command {
  const of = prefix === '' ? '' : ` of the ${prefix.slice(0, -1)}`;
  return command
    .option(
      `${prefix === '' ? '-i, ' : ''}--${prefix}input <json>`,
      `an argument${of} as JSON; repeat for several`,
      collect,
    )
    .option(`--${prefix}input-file <file>`, `an argument${of} as a JSON file; repeat for several`, collect)
    .option(
      `--${prefix}input-meta <key=value>`,
      `metadata of the argument${of}, e.g. encoding=binary/plain for one that is no JSON; repeat for the next argument`,
      collect,
    )
    .option(`--${prefix}input-base64`, `the arguments${of} are base64 of their bytes`);
}

/**
 * All arguments: those given inline, then those of files. Where metadata or base64 is given they are payloads as they stand.
 *
 * @throws UsageError naming the one that is not JSON, not base64, or cannot be read.
 */
export function inputs(flags: InputFlags, prefix: InputPrefix = ''): unknown[] {
  const flag = `--${prefix}input`;
  const isPlain = flags.inputMeta === undefined && flags.inputBase64 === undefined;
  const metadata = isPlain ? undefined : metadataOf(flags.inputMeta ?? [], flag);
  const given = [
    ...(flags.input ?? []).map((text) => ({ bytes: Buffer.from(text), what: flag })),
    ...(flags.inputFile ?? []).map((file) => ({ bytes: readInput(file, flag), what: `${flag}-file ${file}` })),
  ];
  return given.map(({ bytes, what }, index) => {
    if (metadata === undefined) return json(bytes.toString(), what);
    const data = flags.inputBase64 === true ? fromBase64(bytes.toString(), what) : bytes;
    const own = [...metadata].map(([key, values]): [string, string] => [key, values[index] ?? values[0] ?? '']);
    const fields: Record<string, string> = { encoding: 'json/plain', ...Object.fromEntries(own) };
    if (fields.encoding?.startsWith('json/')) json(data.toString(), what);
    const encoded = Object.entries(fields).map(([key, value]) => [key, new Uint8Array(Buffer.from(value))]);
    return RawValue.fromPayload({ metadata: Object.fromEntries(encoded), data: new Uint8Array(data) });
  });
}

/** What each key has for the first argument, the second …; one that is given once holds of all. */
function metadataOf(texts: readonly string[], flag: string): Map<string, string[]> {
  const metadata = new Map<string, string[]>();
  for (const text of texts) {
    const at = text.indexOf('=');
    if (at <= 0) throw new UsageError(`${flag}-meta ${text}: expected key=value`);
    const key = text.slice(0, at);
    metadata.set(key, [...(metadata.get(key) ?? []), text.slice(at + 1)]);
  }
  return metadata;
}

function fromBase64(text: string, what: string): Buffer {
  const trimmed = text.trim();
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(trimmed) || trimmed.length % 4 !== 0)
    throw new UsageError(`${what} is not base64, as ${what.split('-file')[0]}-base64 says it is`);
  return Buffer.from(trimmed, 'base64');
}

function readInput(file: string, flag: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`cannot read ${flag}-file ${file}: ${error instanceof Error ? error.message : error}`);
  }
}

export function json(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(
      `${what} is not JSON (text needs quotes: '"text"'): ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** `key=JSON`. */
export function entry(text: string, flag: string): [string, unknown] {
  const at = text.indexOf('=');
  if (at <= 0) throw new UsageError(`${flag} ${text}: expected key=JSON`);
  return [text.slice(0, at), json(text.slice(at + 1), `${flag} ${text.slice(0, at)}`)];
}

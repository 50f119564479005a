// Moves programs over: copies them with other import specifiers and nothing else changed. So one text is run with the official packages and with
// this project's, and "differs only in its imports" needs no second text to be compared with.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const FROM = fileURLToPath(new URL('.', import.meta.url));
/** Within the project: its own name leads to its own exports there. */
const TO = fileURLToPath(new URL('../../dist/moved-', import.meta.url));

/** As docs/guides/from-temporal.md has them. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^@temporalio\/(client|worker|workflow|activity|common|testing|nexus|envconfig)$/, 'tenuto/$1'],
  [/^@temporalio\/interceptors-opentelemetry$/, 'tenuto/opentelemetry'],
  [/^@temporalio\/interceptors-opentelemetry\/lib\/workflow\/index\.js$/, 'tenuto/opentelemetry/workflow'],
  [/^@temporalio\/common\/lib\/(encoding|protobufs)\.js$/, 'tenuto/common/$1'],
  [/^((?:\.\.?\/)+)grpc-door\.ts$/, '$1native-door.ts'],
];
const SPECIFIER = /(\bfrom |\bimport\(|^import )'([^']+)'/gm;

/** Copies all of this folder. @returns the folder of the copies, to be removed */
export function movePrograms(): string {
  const folder = mkdtempSync(TO);
  for (const file of readdirSync(FROM, { recursive: true, encoding: 'utf8' })) {
    if (!/\.m?[jt]s$/.test(file)) continue;
    const to = join(folder, file);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, moved(readFileSync(join(FROM, file), 'utf8'), join(FROM, file), to));
  }
  return folder;
}

/** What a file's text is in its new place. */
export function moved(text: string, from: string, to: string): string {
  return text.replaceAll(SPECIFIER, (_, before: string, name: string) => `${before}'${movedName(name, from, to)}'`);
}

function movedName(name: string, from: string, to: string): string {
  const other = NAMES.find(([pattern]) => pattern.test(name));
  if (other !== undefined) return name.replace(...other);
  if (!name.startsWith('.')) return name;
  // What lies outside of the folder stays where it is.
  const path = resolve(dirname(from), name);
  return relative(FROM, path).startsWith('..') ? relative(dirname(to), path) : name;
}

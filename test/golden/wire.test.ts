// Our wire types against the API's descriptors: every enum has its numbers, every attribute its name, and what the core writes over
// random lives is a message the API knows.

import { readFileSync } from 'node:fs';
import root from '@temporalio/proto/protos/root.js';
import type { Enum, Root, Type } from 'protobufjs';
import { describe, expect, it } from 'vitest';
import * as enums from '../../src/wire/enums.ts';

/** The package's typings describe the messages and leave out that this is a protobufjs Root. */
const api = root as unknown as Root;

/** EventType → EVENT_TYPE_ */
const prefixOf = (name: string): string => `${name.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase()}_`;

const source = (file: string): string => readFileSync(new URL(`../../src/wire/${file}`, import.meta.url), 'utf8');

/** Interfaces of a wire file and the names of their own fields. */
function interfaces(file: string): [name: string, fields: string[]][] {
  const found: [string, string[]][] = [];
  for (const [, name = '', body = ''] of source(file).matchAll(/^export interface (\w+) \{\n([\s\S]*?)^\}/gm)) {
    found.push([name, Array.from(body.matchAll(/^ {2}(\w+)\??:/gm), ([, field = '']) => field)]);
  }
  return found;
}

const lookup = (name: string): Type | undefined => {
  for (const scope of ['history', 'command', 'common', 'failure', 'sdk', 'update', 'workflow', 'taskqueue', 'enums']) {
    const found = api.lookup(`temporal.api.${scope}.v1.${name}`);
    if (found !== null && 'fields' in found) return found as Type;
  }
  return undefined;
};

/** Enums that the API declares inside a message. */
const NESTED: Readonly<Record<string, string>> = {
  PinnedOverrideBehavior: 'temporal.api.workflow.v1.VersioningOverride.PinnedOverrideBehavior',
};

/** Members that the API lacks have numbers from here on, far from its own. */
const OURS_FROM = 1_000;

describe('enums have the numbers of the API', () => {
  const named = Object.entries<unknown>(enums).filter((entry): entry is [string, Record<string, number>] => {
    const [, value] = entry;
    return typeof value === 'object' && value !== null;
  });
  it.each(named)('%s', (name, ours) => {
    const theirs = (api.lookupEnum(NESTED[name] ?? `temporal.api.enums.v1.${name}`) as Enum).values;
    for (const [member, number] of Object.entries(ours)) {
      if (number >= OURS_FROM && theirs[prefixOf(name) + member] === undefined) continue;
      expect({ [member]: theirs[prefixOf(name) + member] }).toEqual({ [member]: number });
    }
  });
});

/** What Temporal lacks: of the native door alone, and left out by the other one. */
const OURS: ReadonlySet<string> = new Set(['flowControl']);

describe.each(['event-attributes.ts', 'command.ts', 'failure.ts'])(
  'attributes of %s have the names of the API',
  (file) => {
    const known = interfaces(file).flatMap(([name, fields]) => {
      const type = lookup(name);
      return type === undefined ? [] : [{ name, fields, type }];
    });

    it('which are most of the file', () => {
      expect(known.length).toBeGreaterThan(5);
    });

    it.each(known)('$name', ({ fields, type }) => {
      expect(fields.filter((field) => type.fields[field] === undefined && !OURS.has(field))).toEqual([]);
    });
  },
);

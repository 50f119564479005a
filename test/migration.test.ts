// The migration table says what is true: made from both packages' type declarations, it cannot go stale without a test that fails.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Row {
  packageName: string;
  name: string;
  ours: string | undefined;
}
interface Declarations {
  exportsOf(file: string): Map<string, { kind: string; deprecated: boolean }>;
}
interface Table {
  compare(root: string): Row[];
  render(rows: Row[]): string;
  withTable(guide: string, rendered: string): string;
}

/** Scripts are plain JavaScript, which the compiler does not look into. */
const load = async <T>(file: string): Promise<T> => (await import(join(root, 'scripts/migration', file))) as T;

describe('the migration table', () => {
  it('explains every export of Temporal’s packages', async () => {
    const { compare } = await load<Table>('table.mjs');
    const unexplained = compare(root).filter(({ ours }) => ours === undefined);
    expect(unexplained.map(({ packageName, name }) => `${packageName}: ${name}`)).toEqual([]);
  });

  it('is the one in the guide (npm run migration-table writes it)', async () => {
    const { compare, render, withTable } = await load<Table>('table.mjs');
    const guide = readFileSync(join(root, 'docs/guides/from-temporal.md'), 'utf8');
    expect(guide === withTable(guide, render(compare(root)))).toBe(true);
  });
});

describe('reading declarations', () => {
  let folder: string;
  const write = (file: string, text: string): string => {
    const path = join(folder, file);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  const read = async (text: string): Promise<Record<string, string>> => {
    const { exportsOf } = await load<Declarations>('declarations.mjs');
    const found = exportsOf(write('index.d.ts', text));
    return Object.fromEntries([...found].map(([name, { kind, deprecated }]) => [name, deprecated ? `${kind}!` : kind]));
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tenuto-declarations-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    [
      'declarations',
      'export declare class A {}\nexport interface B {}\nexport type C = 1;\nexport declare const d: 1;',
      { A: 'value', B: 'type', C: 'type', d: 'value' },
    ],
    ['a type and a value of one name', 'export declare const A: 1;\nexport type A = 1;', { A: 'value' }],
    [
      'a list of what was declared',
      'interface A {}\ndeclare class B {}\nexport { A, B as C };',
      { A: 'type', C: 'value' },
    ],
    [
      'what only looks like one',
      '/** export declare class A {} */\nexport declare function b(): void;',
      { b: 'value' },
    ],
    ['deprecation', '/** @deprecated */\nexport interface A {}\nexport interface B {}', { A: 'type!', B: 'type' }],
    ['a default', 'declare const x: 1;\nexport default x;', {}],
  ])('finds %s', async (_, text, expected) => {
    expect(await read(text)).toEqual(expected);
  });

  it('follows re-exports into files and packages, and erases what is exported as a type', async () => {
    write('other.d.ts', 'export declare class A {}\n/** @deprecated */\nexport declare class B {}');
    write('node_modules/@x/y/package.json', '{"types": "lib/index.d.ts"}');
    write('node_modules/@x/y/lib/index.d.ts', "export * from './deep';\nexport interface P {}");
    write('node_modules/@x/y/lib/deep.d.ts', 'export declare const q: 1;');
    const text =
      "export { A, type B, A as Again } from './other.js';\nexport * from '@x/y';\nexport type { q as Q } from '@x/y/lib/deep';";
    expect(await read(text)).toEqual({ A: 'value', B: 'type!', Again: 'value', P: 'type', q: 'value', Q: 'type' });
  });
});

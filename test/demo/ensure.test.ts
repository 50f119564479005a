import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { temporaryDir } from './support.ts';

interface Ensure {
  ensureNode(version?: string): void;
  ensureInstalled(options: { root: string; say: (line: string) => void }): boolean;
  ensureBuilt(options: { root: string; say: (line: string) => void }): boolean;
}

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
// Plain JavaScript, since it runs before anything is built.
const { ensureNode, ensureInstalled, ensureBuilt }: Ensure = await import(
  new URL('../../scripts/ensure.mjs', import.meta.url).href
);

function project(files: Record<string, unknown>) {
  const root = temporaryDir();
  const write = (path: string, content: unknown) => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
  };
  for (const [path, content] of Object.entries(files)) write(path, content);
  const said: string[] = [];
  return { root, write, said, options: { root, say: (line: string) => said.push(line) } };
}

test('an old Node.js is refused by name', () => {
  expect(() => ensureNode('18.20.4')).toThrow(/needs Node\.js 20 or newer; this is 18\.20\.4/);
  expect(() => ensureNode('20.0.0')).not.toThrow();
});

describe('dependencies', () => {
  const lock = (packages: Record<string, object>) => ({ name: 'p', lockfileVersion: 3, packages });

  test('are left alone when what is installed is what is locked', () => {
    const { options, said } = project({
      'package-lock.json': lock({
        '': { name: 'p' },
        'node_modules/a': { version: '1.0.0' },
        'node_modules/only-elsewhere': { version: '1.0.0', optional: true },
      }),
      'node_modules/.package-lock.json': lock({ 'node_modules/a': { version: '1.0.0' } }),
    });
    expect(ensureInstalled(options)).toBe(false);
    expect(said).toEqual([]);
  });

  test.each([
    ['node_modules is missing', undefined],
    ['node_modules/a is not at 1.0.0', lock({ 'node_modules/a': { version: '0.9.0' } })],
    ['node_modules/a is not at 1.0.0', lock({})],
  ])('are installed when %s, and a failure says what npm said', (reason, installed) => {
    const { options, said } = project({
      // npm cannot read this: no network is needed to see it called and fail.
      'package.json': '{',
      'package-lock.json': lock({ '': { name: 'p' }, 'node_modules/a': { version: '1.0.0' } }),
      ...(installed ? { 'node_modules/.package-lock.json': installed } : {}),
    });
    expect(() => ensureInstalled(options)).toThrow(/npm install failed:\n.*\n?.*package\.json/);
    expect(said).toEqual([expect.stringContaining(`npm install): ${reason}`)]);
  });
});

describe('the build', () => {
  const small = () => {
    const made = project({
      'package.json': { name: 'p', type: 'module' },
      'tsconfig.build.json': {
        compilerOptions: {
          rootDir: '.',
          outDir: 'dist',
          types: [],
          incremental: true,
          tsBuildInfoFile: 'dist/.tsbuildinfo',
        },
        include: ['src'],
      },
      'src/a.ts': 'export const a: number = 1;\n',
      'src/cli/main.ts': 'export const main = 1;\n',
    });
    symlinkSync(join(REPOSITORY, 'node_modules'), join(made.root, 'node_modules'), 'dir');
    return made;
  };

  test('is made once, and again when a source changes, appears, goes away, or dist/ does', () => {
    const { options, root, write, said } = small();
    expect(ensureBuilt(options)).toBe(true);
    expect(ensureBuilt(options)).toBe(false);
    utimesSync(join(root, 'src/a.ts'), new Date(), new Date(Date.now() + 5_000));
    expect(ensureBuilt(options)).toBe(true);
    write('src/b.ts', 'export const b = 2;\n');
    expect(ensureBuilt(options)).toBe(true);
    rmSync(join(root, 'src/b.ts'));
    expect(ensureBuilt(options)).toBe(true);
    rmSync(join(root, 'dist'), { recursive: true });
    expect(ensureBuilt(options)).toBe(true);
    expect(ensureBuilt(options)).toBe(false);
    expect(said.filter((line) => line.includes('dist/ is missing'))).toHaveLength(2);
  });

  test('that fails shows the errors, and is tried again', () => {
    const { options, write } = small();
    write('src/a.ts', "export const a: number = 'one';\n");
    expect(() => ensureBuilt(options)).toThrow(/the sources do not build:\n.*a\.ts.*not assignable/);
    expect(() => ensureBuilt(options)).toThrow(/the sources do not build/);
    write('src/a.ts', 'export const a: number = 1;\n');
    expect(ensureBuilt(options)).toBe(true);
  });
});

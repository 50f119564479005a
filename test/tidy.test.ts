// The layout keeps its promises (DESIGN §3): imports point one way, no cycles, modules of readable length with a header, and nothing
// in the repository names the machine it was written on.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAX_LINES = 500;
/** Past this a module has behaviour enough to say what it is. */
const HEADER_FROM_LINES = 15;

/** Tracked files and new ones, as far as they exist: what a commit would hold. */
function files(): string[] {
  const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return list.split('\n').filter((file) => file !== '' && existsSync(join(ROOT, file)));
}

const everything = files();
const text = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const isTest = (file: string): boolean => /\.test(-support)?\.ts$/.test(file) || file.startsWith('test/');
const code = everything.filter((file) => /\.(ts|mts|js|mjs)$/.test(file) && !file.startsWith('test/golden/'));
const modules = code.filter((file) => file.endsWith('.ts') && /^(src|sdk|cluster)\//.test(file) && !isTest(file));

interface Import {
  from: string;
  to: string;
  /** `import type`: erased, so it cannot make a cycle at run time. */
  typeOnly: boolean;
}

const IMPORT = /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'(\.[^']+)'/gm;
const DYNAMIC = /\bimport\('(\.[^']+)'\)/g;

/** `import { type A, type B }` is erased like `import type`. */
function onlyTypes(statement: string): boolean {
  const names = /\{([^}]*)\}/.exec(statement)?.[1];
  if (names === undefined || /^(import|export)\s+\w+\s*,/.test(statement)) return false;
  return names.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type '));
}

function importsOf(file: string): Import[] {
  const source = text(file);
  const to = (path: string): string => relative(ROOT, resolve(ROOT, dirname(file), path));
  const found: Import[] = [];
  for (const match of source.matchAll(IMPORT)) {
    const [statement, type, path = ''] = match;
    found.push({ from: file, to: to(path), typeOnly: type !== undefined || onlyTypes(statement) });
  }
  for (const [, path = ''] of source.matchAll(DYNAMIC)) found.push({ from: file, to: to(path), typeOnly: false });
  return found;
}

/** The part of the tree a module belongs to. */
function layerOf(file: string): string {
  const [top = '', second = ''] = file.split('/');
  if (top !== 'src') return top;
  if (/^src\/(node|node-cluster|node-errors|node-grpc|node-options|node-store|node-tls|server)\.ts$/.test(file))
    return 'node';
  return second.endsWith('.ts') ? `src/${second}` : second;
}

/** What each layer may see, beside itself, the wire types and the version. Nothing else is allowed. */
const MAY_SEE: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  core: [],
  ports: ['core'],
  store: ['ports', 'core'],
  shard: ['ports', 'core'],
  matching: ['ports', 'core'],
  observe: ['ports', 'core'],
  runtime: ['ports', 'core'],
  frontend: ['ports', 'core', 'store', 'shard', 'matching', 'observe'],
  // Gathers the bounds that the parts define.
  config: ['ports', 'core', 'frontend', 'shard', 'store', 'observe'],
  // Reads and writes whole directories, so it knows files, keys and what a cluster keeps beside them.
  backup: ['core', 'ports', 'store', 'shard', 'cluster'],
  node: [
    'core',
    'ports',
    'store',
    'shard',
    'matching',
    'observe',
    'runtime',
    'frontend',
    'config',
    'cluster',
    'backup',
  ],
  // Starts nodes in processes of their own, and coordinates them.
  cores: ['node', 'config', 'ports', 'runtime', 'observe', 'cluster', 'frontend'],
  // The command talks to servers through the SDK, and starts nodes.
  cli: ['node', 'cores', 'config', 'store', 'ports', 'observe', 'sdk', 'backup'],
  cluster: ['ports', 'core'],
  sdk: [],
};

/** Single imports that cross the arrows on purpose. */
const EXCEPTIONS: readonly { from: RegExp; to: RegExp; why: string }[] = [
  {
    from: /^sdk\/testing\//,
    to: /^src\/server\.ts$/,
    why: 'the test environment embeds a server, loaded only when a test asks for one',
  },
  {
    from: /^src\/cli\/data\.ts$/,
    to: /^src\/frontend\/control\//,
    why: 'a backup of a running node is asked for at its control socket; both ends of that protocol sit in one file',
  },
  {
    from: /^cluster\/(link|routing|matching|node)\//,
    to: /^src\/frontend\/(validate\/|websocket\/skim\.ts$)/,
    why: 'what another node forwards is checked by the same rules as what a client sends: one list of shapes, not two',
  },
];

const imports = modules.flatMap(importsOf).filter(({ to }) => /^(src|sdk|cluster)\//.test(to));

describe('imports', () => {
  it('point one way', () => {
    const offences = imports
      .filter(({ from, to }) => {
        const [source, target] = [layerOf(from), layerOf(to)];
        if (source === target || target === 'wire' || target === 'src/version.ts') return false;
        if (EXCEPTIONS.some((exception) => exception.from.test(from) && exception.to.test(to))) return false;
        return !(MAY_SEE[source] ?? []).includes(target);
      })
      .map(({ from, to }) => `${from} must not see ${to}`);
    expect(offences).toEqual([]);
  });

  it('know every layer', () => {
    const unknown = modules.map(layerOf).filter((layer) => layer !== 'src/version.ts' && MAY_SEE[layer] === undefined);
    expect([...new Set(unknown)]).toEqual([]);
  });

  it('make no cycle', () => {
    const graph = new Map<string, string[]>();
    for (const { from, to, typeOnly } of imports) {
      if (!typeOnly) graph.set(from, [...(graph.get(from) ?? []), to]);
    }
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      const at = path.indexOf(file);
      if (at >= 0) cycles.push([...path.slice(at), file].join(' → '));
      if (at >= 0 || done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of graph.keys()) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it('are found by this test at all', () => {
    expect(importsOf('src/node.ts').map(({ to }) => to)).toContain('src/matching/matcher.ts');
    expect(imports.length).toBeGreaterThan(100);
  });
});

describe.each([
  ['the core', 'src/core/'],
  ["gossip's core", 'cluster/gossip/core/'],
])('%s', (_, folder) => {
  it('does no I/O and knows no clock, randomness, logger or promise', () => {
    const impure =
      /\b(Date\.now|Math\.random|setTimeout|setInterval|setImmediate|performance\.|process\.|async\s|await\s|Promise\b|console\.)|from 'node:/;
    const offences = modules
      .filter((file) => file.startsWith(folder))
      .filter((file) =>
        text(file)
          .split('\n')
          .some((line) => !/^\s*(\/\/|\*|\/\*)/.test(line) && impure.test(line.replaceAll(/\/\/.*$|'[^']*'/g, ''))),
      );
    expect(offences).toEqual([]);
    expect(modules.some((file) => file.startsWith(folder))).toBe(true);
  });
});

describe('modules', () => {
  it(`are at most ${MAX_LINES} lines long`, () => {
    // Type lists of the wire mirror the API's protos, one after the other.
    const long = code.filter((file) => !file.startsWith('src/wire/') && text(file).split('\n').length > MAX_LINES + 1);
    expect(long.filter((file) => !isTest(file))).toEqual([]);
  });

  it('say what they are in a header', () => {
    const bare = modules.filter((file) => {
      const source = text(file).replace(/^#!.*\n/, '');
      return source.split('\n').length > HEADER_FROM_LINES && !/^(\/\/|\/\*)/.test(source);
    });
    expect(bare).toEqual([]);
  });

  it('export nothing by default', () => {
    const offences = modules.filter((file) => /^export default\b/m.test(text(file)));
    expect(offences).toEqual([]);
  });
});

describe('the repository', () => {
  it('names no place of the machine it was written on', () => {
    // Spelled so that this file does not find itself.
    const places = new RegExp(
      ['/' + 'work/(main|shared)', '\\.\\./' + 'shared/', '/' + 'home/[a-z]', '/' + 'Users/[a-z]'].join('|'),
    );
    const textual = everything.filter((file) => !/\.(png|ico|wasm|gz)$/.test(file));
    expect(textual.filter((file) => places.test(text(file)))).toEqual([]);
  });

  it('says one version everywhere', () => {
    const version = /VERSION = '([^']+)'/.exec(text('src/version.ts'))?.[1];
    expect(JSON.parse(text('package.json'))).toMatchObject({ version });
  });
});

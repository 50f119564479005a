// The docs tell the truth: every TypeScript block with a file name compiles against the built package, the README's sixty seconds run,
// and every link within the repository leads somewhere.
import { execFile, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { methods } from '../src/frontend/methods/index.ts';
import { Server } from '../src/server.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

/** What a node pushes, the capabilities of a connection. */
const NO_METHODS = [
  'workflowTask',
  'activityTask',
  'cancelActivity',
  'durable',
  'clusterMap',
  'ahead',
  'cluster',
  'metadata',
];

/** Activities that the pages import and do not show. */
const UNSHOWN: Readonly<Record<string, string>> = {
  'docs/guides/workflows.md': `
    export async function sendReminder(account: string, n: number): Promise<void> { void account; void n; }
    export async function closeAccount(account: string): Promise<void> { void account; }`,
  'docs/guides/worker-versioning.md': 'export async function charge(order: string): Promise<void> { void order; }',
};

const pages = ['README.md', ...readdirSync(join(root, 'docs/guides')).map((name) => `docs/guides/${name}`)];
const everyPage = [
  ...pages,
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'bench/README.md',
  'examples/order-fulfillment/README.md',
];
for (const folder of ['docs', 'docs/cluster', 'docs/operations', 'docs/reference']) {
  for (const name of readdirSync(join(root, folder))) if (name.endsWith('.md')) everyPage.push(`${folder}/${name}`);
}

let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'tenuto-docs-'));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(root, join(project, 'node_modules', 'tenuto'));
  for (const name of ['@types', '@opentelemetry', 'nexus-rpc']) {
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name));
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Writes a page's named blocks (their first line is a comment with the file's name) into a folder of its own. */
function extract(page: string): string | undefined {
  const folder = join(project, page.replaceAll(/[/.]/g, '-'));
  const blocks = [
    ...readFileSync(join(root, page), 'utf8').matchAll(/```ts\n\/\/ ([a-z-]+\.ts)[^\n]*\n([\s\S]*?)```/g),
  ];
  if (blocks.length === 0) return undefined;
  mkdirSync(folder, { recursive: true });
  const unshown = UNSHOWN[page];
  if (unshown !== undefined) writeFileSync(join(folder, 'activities.ts'), unshown);
  for (const [, name = '', code = ''] of blocks) writeFileSync(join(folder, name), code);
  return folder;
}

const compile = (folder: string) => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  const options = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--skipLibCheck'];
  return run(process.execPath, [tsc, ...options, ...files], { cwd: folder }).catch((error: { stdout: string }) => {
    throw new Error(error.stdout);
  });
};

describe('the code in', () => {
  it.each(pages)('%s compiles', { timeout: 60_000 }, async (page) => {
    const folder = extract(page);
    if (folder !== undefined) await compile(folder);
    else expect(page).not.toBe('README.md');
  });
});

it.each([
  ["the README's sixty seconds", 'README.md', 'shipped 1'],
  ['the updates of their guide', 'docs/guides/updates.md', '1 2 an item needs a name tea and cake'],
  ['the headers of their guide', 'docs/guides/interceptors-and-tracing.md', 'hello acme, goodbye acme'],
  ['the storage of its guide', 'docs/guides/payload-offload.md', '1048576 referenced true'],
  ['the state of its guide', 'docs/guides/state.md', 'packing\npacked\nshipped\n{ done: 2, of: 2 }'],
  ['the codec of its guide', 'docs/guides/encryption.md', 'the word is sesame\nthe word is missing\nsealed'],
])('%s run as they are written', { timeout: 60_000 }, async (_, page, printed) => {
  const folder = extract(page) ?? '';
  await compile(folder);
  const server = await Server.create({ port: 0 });
  const env = { ...process.env, TENUTO_ADDRESS: server.address ?? '' };
  const worker = spawn(process.execPath, ['worker.js'], { cwd: folder, env, stdio: 'ignore' });
  try {
    const { stdout } = await run(process.execPath, ['client.js'], { cwd: folder, env });
    expect(stdout.trim()).toBe(printed);
  } finally {
    worker.kill('SIGKILL');
    await server.close();
  }
});

it('the tests of the guide on testing pass as they are written', { timeout: 60_000 }, async () => {
  const folder = extract('docs/guides/testing.md') ?? '';
  await compile(folder);
  const { stdout } = await run(
    process.execPath,
    ['--test', '--test-reporter=tap', 'order-test.js', 'activity-test.js'],
    {
      cwd: folder,
    },
  );
  expect(stdout).toMatch(/^# pass 4$/m);
});

it('the metrics and tables that the pages on operating name exist', async () => {
  const folder = join(root, 'docs/operations');
  const named = readdirSync(folder).flatMap((page) => [
    ...(readFileSync(join(folder, page), 'utf8').match(/\btenuto_[a-z_]+/g) ?? []),
  ]);
  const server = await Server.create({ port: 0 });
  const shown = await (await fetch(`http://${server.address}/metrics`)).text();
  await server.close();
  const known = new Set([...shown.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name));
  // A node that stands alone does not show those of a cluster.
  const ofCluster = readFileSync(join(root, 'src/observe/cluster-gauges.ts'), 'utf8');
  for (const [, kind, name] of ofCluster.matchAll(/\b(gauge|shardGauge)\('([a-z_]+)'/g)) {
    known.add(`tenuto_${kind === 'gauge' ? 'cluster' : 'shard'}_${name}`);
  }
  for (const [, name] of ofCluster.matchAll(/'(tenuto_[a-z_]+)'/g)) known.add(name);
  const tables = readFileSync(join(root, 'src/store/postgres/schema.ts'), 'utf8');
  for (const [, name = ''] of tables.matchAll(/CREATE TABLE (?:IF NOT EXISTS )?(tenuto_[a-z_]+)/g)) known.add(name);
  expect([...new Set(named)].filter((name) => !known.has(name))).toEqual([]);
  expect(named.length).toBeGreaterThan(15);
});

it('the page on the native protocol tells every method, and no other', () => {
  const page = readFileSync(join(root, 'docs/protocol.md'), 'utf8');
  const told = new Set([...page.matchAll(/\*\*`([a-z]\w+)`\*\*/g)].map(([, name = '']) => name));
  expect([...methods.keys()].filter((name) => !told.has(name))).toEqual([]);
  expect([...told].filter((name) => !methods.has(name) && !NO_METHODS.includes(name))).toEqual([]);
});

it.each(everyPage)('the links of %s lead somewhere', (page) => {
  const text = readFileSync(join(root, page), 'utf8');
  const dead = [...text.matchAll(/\]\((?!https?:)([^)#\s]+)/g)]
    .map(([, path = '']) => path)
    .filter((path) => !existsSync(join(root, dirname(page), path)));
  expect(dead).toEqual([]);
});

// Makes a fresh or changed checkout runnable: dependencies as the lock file has them, dist/ as the sources have it. Plain
// JavaScript without dependencies, since it runs before there are any. `npm start` and the tests' launcher use it.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const OLDEST_NODE = 20;
/** What `tsconfig.build.json` compiles, and what decides how. */
const SOURCE_FOLDERS = ['src', 'sdk', 'examples', 'bench', 'cluster', 'test/chaos/cluster', 'test/support'];
const BUILD_FILES = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build.mjs'];
/** Written after a good build: the fingerprint of the sources it was made from. */
const STAMP = join('dist', '.built-from');

/** Something a person has to see to; its message is all they need, no stack. */
export class EnsureError extends Error {
  name = 'EnsureError';
}

/** @param {string} version as in `process.versions.node` */
export function ensureNode(version = process.versions.node) {
  if (Number(version.split('.')[0]) < OLDEST_NODE) {
    throw new EnsureError(
      `Tenuto needs Node.js ${OLDEST_NODE} or newer; this is ${version}. Get it at https://nodejs.org`,
    );
  }
}

/**
 * Installs the locked dependencies unless they are there.
 * @param {{ root?: string, say?: (line: string) => void }} [options]
 * @returns {boolean} whether anything was installed
 */
export function ensureInstalled({ root = ROOT, say = console.log } = {}) {
  const reason = whyInstall(root);
  if (reason === undefined) return false;
  say(`Installing dependencies (npm install): ${reason} …`);
  const since = Date.now();
  // Not `npm ci`: it refuses a lock made where a registry lacks the optional binaries of other platforms. `--no-save` keeps the lock as it is.
  // Building needs the development dependencies, whatever NODE_ENV says.
  const args = ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const done = npm(args, root);
  if (done.status !== 0) {
    const output = `${done.stdout ?? ''}${done.stderr ?? ''}`.trim() || done.error?.message || 'npm said nothing';
    throw new EnsureError(`npm install failed:\n${output}`);
  }
  say(`  done in ${seconds(since)} s`);
  return true;
}

/**
 * Builds dist/ unless it was built from the sources as they are.
 * @param {{ root?: string, say?: (line: string) => void }} [options]
 * @returns {boolean} whether anything was built
 */
export function ensureBuilt({ root = ROOT, say = console.log } = {}) {
  const fingerprint = fingerprintOf(root);
  const stamp = join(root, STAMP);
  const built = existsSync(stamp) ? readFileSync(stamp, 'utf8') : undefined;
  if (built === fingerprint) return false;
  say(`Building: ${built === undefined ? 'dist/ is missing or unfinished' : 'the sources have changed'} …`);
  const since = Date.now();
  // Without the stamp nothing is known about dist/: what tsc remembers of it may not be there any more.
  if (built === undefined) rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true });
  try {
    build(root);
  } catch (error) {
    throw new EnsureError(`the sources do not build:\n${error.message}`);
  }
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stamp, fingerprint);
  say(`  done in ${seconds(since)} s`);
  return true;
}

/** Why dependencies must be installed, or nothing. npm records in node_modules what it put there. */
function whyInstall(root) {
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return 'node_modules is missing';
  const wanted = packagesOf(join(root, 'package-lock.json'));
  for (const [path, entry] of Object.entries(wanted ?? {})) {
    // The root itself; and packages for other platforms, which are locked but never installed here.
    if (path === '' || entry.link || (entry.optional && installed[path] === undefined)) continue;
    if (installed[path]?.version !== entry.version) return `${path} is not at ${entry.version}`;
  }
  return undefined;
}

function packagesOf(file) {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
  } catch {
    // A file cut short by an interrupted installation counts as none.
    return undefined;
  }
}

/** Changes whenever a source is added, changed or removed. */
function fingerprintOf(root) {
  const hash = createHash('sha256').update(process.versions.node.split('.')[0] ?? '');
  const add = (path) => {
    const { size, mtimeMs } = statSync(join(root, path));
    hash.update(`${path}\0${size}\0${mtimeMs}\n`);
  };
  for (const folder of SOURCE_FOLDERS) {
    if (!existsSync(join(root, folder))) continue;
    const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
    for (const name of names.sort()) if (name.endsWith('.ts')) add(join(folder, name));
  }
  for (const file of BUILD_FILES) if (existsSync(join(root, file))) add(file);
  return hash.digest('hex');
}

function npm(args, cwd) {
  const options = { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 };
  // Started by npm, the very same npm is used, without a shell.
  const self = process.env.npm_execpath;
  if (self?.endsWith('.js') || self?.endsWith('.cjs')) return spawnSync(process.execPath, [self, ...args], options);
  return spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
}

function seconds(since) {
  return ((Date.now() - since) / 1000).toFixed(1);
}

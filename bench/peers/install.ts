// Installs a peer's packages on demand, outside Tenuto's dependencies: a folder under node_modules/.cache that its pins name, complete or not there
// at all. No package's install scripts run: some report home. The peer's own `.mjs` files run from a copy inside, so that they find its packages.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { atEnd } from '../lib/at-end.ts';
import { PeerError, type PeerName, PINS } from './pins.ts';

const INSTALL_MS = 300_000;
/** Of what npm says when it fails. */
const TOLD_CHARACTERS = 1_500;

export interface InstallPlan {
  /** Where the packages are, or will be. */
  readonly folder: string;
  /** The `package.json` that pins them. */
  readonly manifest: string;
  readonly npmArgs: readonly string[];
}

/** @param cache the folder of all peers */
export function installPlan(peer: PeerName, cache: string): InstallPlan {
  const manifest = `${JSON.stringify({ name: `tenuto-peer-${peer}`, private: true, dependencies: PINS[peer] }, undefined, 2)}\n`;
  const pins = createHash('sha256').update(manifest).digest('hex').slice(0, 8);
  return {
    folder: join(cache, `${peer}-${pins}`),
    manifest,
    npmArgs: ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'],
  };
}

export class InstalledPeer {
  readonly folder: string;
  readonly #peer: PeerName;
  #scripts: string | undefined;

  private constructor(peer: PeerName, folder: string) {
    this.#peer = peer;
    this.folder = folder;
  }

  /** @throws PeerError when npm cannot install it */
  static async of(peer: PeerName, say: (text: string) => void): Promise<InstalledPeer> {
    const plan = installPlan(peer, join(repository(), 'node_modules', '.cache', 'tenuto', 'peers'));
    if (!existsSync(plan.folder)) {
      const packages = Object.entries(PINS[peer]).map(([name, version]) => `${name}@${version}`);
      say(`installing ${packages.join(', ')}`);
      await install(peer, plan, packages);
    }
    return new InstalledPeer(peer, plan.folder);
  }

  /** As installed. */
  versionOf(name: string): string {
    const manifest: unknown = JSON.parse(readFileSync(join(this.folder, 'node_modules', name, 'package.json'), 'utf8'));
    if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version);
    throw new PeerError(`${name} was installed without a version; remove ${this.folder} and try again`);
  }

  /** The path of one of the peer's `.mjs` files, in a copy of this process: other runs may be of another state of the repository. */
  script(name: string): string {
    this.#scripts ??= this.#copyScripts();
    return join(this.#scripts, name);
  }

  /** The same as a `file:` URL. */
  scriptUrl(name: string): string {
    return pathToFileURL(this.script(name)).href;
  }

  #copyScripts(): string {
    const copy = mkdtempSync(join(this.folder, 'run-'));
    atEnd(() => rmSync(copy, { recursive: true, force: true }));
    const source = join(repository(), 'bench', 'peers', this.#peer);
    for (const file of readdirSync(source))
      if (file.endsWith('.mjs')) copyFileSync(join(source, file), join(copy, file));
    return copy;
  }
}

async function install(
  peer: PeerName,
  { folder, manifest, npmArgs }: InstallPlan,
  packages: readonly string[],
): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  const unfinished = mkdtempSync(`${folder}.new-`);
  const forget = atEnd(() => rmSync(unfinished, { recursive: true, force: true }));
  try {
    writeFileSync(join(unfinished, 'package.json'), manifest);
    const { code, output } = await npm(npmArgs, unfinished);
    if (code !== 0)
      throw new PeerError(
        `${peer} cannot be installed: npm install of ${packages.join(', ')} failed (${code}). It needs the npm registry once.\n${output}`,
      );
    try {
      renameSync(unfinished, folder);
    } catch (error) {
      // Another run was faster.
      if (!existsSync(folder)) throw error;
    }
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
    forget();
  }
}

function npm(args: readonly string[], cwd: string): Promise<{ code: number | string; output: string }> {
  // Started by npm, the very same npm is used, without a shell.
  const self = process.env.npm_execpath;
  const [command, ...first] = self !== undefined && /\.c?js$/.test(self) ? [process.execPath, self] : ['npm'];
  return new Promise((resolve) => {
    const child = spawn(command, [...first, ...args, '--prefix', cwd], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: INSTALL_MS,
    });
    let output = '';
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-TOLD_CHARACTERS);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', (error) => resolve({ code: 'not started', output: error.message }));
    child.once('close', (code, signal) => resolve({ code: code ?? signal ?? 'ended', output: output.trim() }));
  });
}

/** Where this repository is, from its sources as from dist/. */
function repository(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

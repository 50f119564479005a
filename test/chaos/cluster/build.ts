// Builds of Tenuto side by side: this one, and one of another revision of the repository, made from its git history in a folder of its own. Both
// run the same scenario; what they have in common is only what they say to each other and leave on disk.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import * as ownClient from 'tenuto/client';
import { ROOT } from '../../../examples/order-fulfillment/paths.ts';
import { Desk } from '../../../examples/order-fulfillment/supervisor/desk.ts';

/** Where nothing is tagged yet: so many merges or commits back on the line of the present one. */
export const COMMITS_BACK = 30;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
const LOCK = 'package-lock.json';

export interface Build {
  /** For people: `this build`, or the revision's name and commit. */
  readonly name: string;
  /** Its repository, with `dist/` in it. */
  readonly root: string;
}

/** What a client process uses of a build: its SDK, and the shop of its order pipeline. */
export interface ClientLibrary {
  readonly Client: typeof ownClient.Client;
  readonly Connection: typeof ownClient.Connection;
  readonly Desk: typeof Desk;
}

export const OWN: Build = { name: 'this build', root: ROOT };

/** The `tenuto` command of a build: the bundle that people run (docs/decisions/0045), or the module that revisions before it have alone. */
export function cliOf({ root }: Build): string {
  const bundle = join(root, 'dist/cli/tenuto.js');
  return existsSync(bundle) ? bundle : join(root, 'dist/src/cli/main.js');
}
/** The order pipeline of a build. */
export const demoOf = ({ root }: Build): string => join(root, 'dist/examples/order-fulfillment');

/** Classes of two builds are strangers to each other: whoever compares errors must be of the same build as the client that throws them. */
export async function libraryOf(build: Build): Promise<ClientLibrary> {
  const { Client, Connection } = ownClient;
  if (build === OWN) return { Client, Connection, Desk };
  const load = (...path: string[]): Promise<unknown> => import(pathToFileURL(join(build.root, 'dist', ...path)).href);
  const [sdk, desk] = await Promise.all([
    load('sdk/client/index.js'),
    load('examples/order-fulfillment/supervisor/desk.js'),
  ]);
  // The names users import: a build that calls them otherwise is not one that the present one should run beside.
  return { ...(sdk as Pick<ClientLibrary, 'Client' | 'Connection'>), ...(desk as Pick<ClientLibrary, 'Desk'>) };
}

async function git(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', args, { cwd: ROOT, maxBuffer: MAX_OUTPUT_BYTES });
  return stdout.trimEnd();
}

/** Why there is no other build to be had here; undefined: there is. */
export async function whyNoHistory(ref: string | undefined): Promise<string | undefined> {
  try {
    await git('rev-parse', '--verify', '--quiet', `${ref ?? (await usualRevision())}^{commit}`);
    return undefined;
  } catch {
    return ref === undefined ? 'the git history does not reach far enough back' : `git knows no revision ${ref}`;
  }
}

/**
 * The newest tag before the present commit, so the release before this one. Before there are any, `COMMITS_BACK`, but none that writes other formats:
 * only releases can be gone back to over those.
 */
export async function usualRevision(): Promise<string> {
  try {
    return await git('describe', '--tags', '--abbrev=0', 'HEAD^');
  } catch {
    const formats = await git('log', '-1', '--first-parent', '--format=%H', '--', 'src/wire/versions.ts');
    const since = Number(await git('rev-list', '--count', '--first-parent', `${formats}..HEAD`));
    return `HEAD~${Math.min(COMMITS_BACK, since)}`;
  }
}

/** Another revision, checked out and built; `remove` leaves nothing of it behind. */
export interface OtherBuild extends Build {
  remove(): Promise<void>;
}

/** @throws Error with what git, npm or tsc said when it cannot be had */
export async function buildRevision(ref: string, say: (text: string) => void): Promise<OtherBuild> {
  const commit = await git('rev-parse', '--short', `${ref}^{commit}`);
  const folder = await mkdtemp(join(tmpdir(), 'tenuto-other-build-'));
  const root = join(folder, 'tenuto');
  const remove = async (): Promise<void> => {
    await git('worktree', 'remove', '--force', root).catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await git('worktree', 'add', '--detach', root, commit);
    say(`${ref} is ${commit}: ${await git('log', '-1', '--format=%s', commit)}`);
    await makeRunnable(root, say);
    return { name: ref === commit ? commit : `${ref} (${commit})`, root, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function makeRunnable(root: string, say: (text: string) => void): Promise<void> {
  const [theirs, ours] = await Promise.all([readFile(join(root, LOCK), 'utf8'), readFile(join(ROOT, LOCK), 'utf8')]);
  // Packages are found by their real path, so a link serves as well.
  if (theirs === ours) await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  const ensure = pathToFileURL(join(root, 'scripts/ensure.mjs')).href;
  say(`it is built${theirs === ours ? '' : ', with dependencies of its own'}`);
  // By its own scripts, in a process of their own: they are synchronous, and know what this revision consists of.
  const script = `const { ensureInstalled, ensureBuilt } = await import(${JSON.stringify(ensure)}); ensureInstalled(); ensureBuilt();`;
  const args = ['--input-type=module', '-e', script];
  await promisify(execFile)(process.execPath, args, { cwd: root, maxBuffer: MAX_OUTPUT_BYTES });
}

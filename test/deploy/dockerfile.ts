// Does what a Dockerfile says, with folders for images, where there is no container engine: COPY copies, RUN runs in the folder, under the
// context that .dockerignore leaves. Base images are empty folders: Node is the machine's. Knows what our Dockerfile uses, and refuses the rest.

import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface Image {
  /** The folder that stands for `/`. */
  readonly root: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  /** By instruction, JSON as written: ENTRYPOINT, CMD, HEALTHCHECK. */
  readonly json: Readonly<Record<string, readonly string[]>>;
  readonly user: string;
}

interface Building {
  root: string;
  workdir: string;
  env: Record<string, string>;
  json: Record<string, readonly string[]>;
  user: string;
}

export interface BuildOptions {
  /** Files of the context, relative to `source`. */
  files: readonly string[];
  source: string;
  dockerfile: string;
  dockerignore: string;
  /** An empty folder for the stages. */
  into: string;
  /** For what RUN needs of this machine. */
  env: NodeJS.ProcessEnv;
}

/** @returns the last stage @throws on a step that fails or that this does not know */
export function build(options: BuildOptions): Image {
  const context = join(options.into, 'context');
  for (const file of options.files.filter(kept(options.dockerignore))) {
    cpSync(join(options.source, file), join(context, file));
  }
  const stages = new Map<string, Building>();
  let stage: Building | undefined;
  for (const { instruction, rest } of instructions(options.dockerfile)) {
    if (instruction === 'FROM') {
      const name = /\sAS\s+(\S+)$/.exec(rest)?.[1] ?? 'final';
      stage = { root: join(options.into, name), workdir: '/', env: {}, json: {}, user: '0:0' };
      mkdirSync(stage.root);
      stages.set(name, stage);
    } else if (stage !== undefined) step(stage, instruction, rest, { context, stages, env: options.env });
    else if (instruction !== 'ARG') throw new Error(`${instruction} before FROM`);
  }
  if (stage === undefined) throw new Error('the Dockerfile has no FROM');
  return stage;
}

function instructions(text: string): { instruction: string; rest: string }[] {
  return text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, instruction = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
      return { instruction, rest };
    });
}

interface World {
  context: string;
  stages: ReadonlyMap<string, Building>;
  env: NodeJS.ProcessEnv;
}

function step(stage: Building, instruction: string, rest: string, world: World): void {
  switch (instruction) {
    case 'WORKDIR':
      stage.workdir = rest;
      mkdirSync(join(stage.root, rest), { recursive: true });
      return;
    case 'ENV':
      for (const [, name = '', value = ''] of rest.matchAll(/(\w+)=(\S+)/g)) stage.env[name] = value;
      return;
    case 'COPY':
      copy(stage, rest, world);
      return;
    case 'RUN':
      run(stage, rest, world);
      return;
    case 'USER':
      stage.user = rest;
      return;
    case 'ENTRYPOINT':
    case 'CMD':
      stage.json[instruction] = JSON.parse(rest) as string[];
      return;
    case 'HEALTHCHECK':
      stage.json[instruction] = JSON.parse(rest.slice(rest.indexOf('['))) as string[];
      return;
    case 'VOLUME':
    case 'EXPOSE':
    case 'STOPSIGNAL':
      return;
    default:
      throw new Error(`the Dockerfile uses ${instruction}, which nobody has tried here`);
  }
}

function copy(stage: Building, rest: string, { context, stages }: World): void {
  const words = rest.split(/\s+/);
  const flags = new Map(
    words.filter((word) => word.startsWith('--')).map((word) => word.slice(2).split('=') as [string, string]),
  );
  const paths = words.filter((word) => !word.startsWith('--'));
  const target = paths.pop() ?? '';
  const from = flags.get('from');
  const source = from === undefined ? context : stages.get(from)?.root;
  if (source === undefined) throw new Error(`COPY --from=${from}: there is no such stage`);
  const absolute = join(stage.root, target.startsWith('/') ? target : join(stage.workdir, target));
  for (const path of paths) {
    const what = join(source, path);
    // As the engine says it; a folder that is empty after .dockerignore would be missing, too.
    if (!existsSync(what)) throw new Error(`COPY ${rest}: ${path} is not there`);
    const into = target.endsWith('/') ? join(absolute, basename(path)) : absolute;
    cpSync(what, into, { recursive: true, verbatimSymlinks: true });
    const mode = flags.get('chmod');
    if (mode !== undefined) chmodSync(into, Number.parseInt(mode, 8));
    const [uid, gid] = (flags.get('chown') ?? '').split(':').map(Number);
    if (uid !== undefined && gid !== undefined && process.getuid?.() === 0) own(into, uid, gid);
  }
}

function own(path: string, uid: number, gid: number): void {
  chownSync(path, uid, gid);
  if (statSync(path).isDirectory()) for (const name of readdirSync(path)) own(join(path, name), uid, gid);
}

function run(stage: Building, command: string, { env }: World): void {
  // A folder is no root: such a step would reach this machine's own files.
  if (/(^|[\s='"])\//.test(command)) throw new Error(`RUN ${command}: names an absolute path`);
  const done = spawnSync('sh', ['-c', command], {
    cwd: join(stage.root, stage.workdir),
    env: { ...env, ...stage.env },
    encoding: 'utf8',
  });
  if (done.status !== 0) throw new Error(`RUN ${command}:\n${done.stdout}${done.stderr}`);
}

/** Whether a file is left by .dockerignore: the last pattern that fits decides. */
export function kept(dockerignore: string): (file: string) => boolean {
  const patterns = dockerignore
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => ({ keeps: line.startsWith('!'), fits: matcher(line.replace(/^!/, '')) }));
  return (file) => patterns.findLast(({ fits }) => fits.test(file))?.keeps ?? true;
}

function matcher(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('**/', '\u0000')
    .replaceAll('*', '[^/]*')
    .replaceAll('\u0000', '(?:.*/)?');
  // A folder that fits takes all below it along.
  return new RegExp(`^${source}(?:/.*)?$`);
}

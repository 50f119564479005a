// The image's steps, run in empty folders on what a clone would hold (there is no container engine here): they build, leave nothing out that
// runs, take nothing in that does not, and what comes of it serves as a user without rights.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../examples/order-fulfillment/supervisor/ports.ts';
import { until } from '../support/processes.ts';
import { build, type Image, kept } from './dockerfile.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const MAIN = 'dist/cli/tenuto.js';

let into = '';
let image: Image;
const children: ChildProcess[] = [];

beforeAll(() => {
  into = mkdtempSync(join(tmpdir(), 'tenuto-image-'));
  // The image's user has to get in.
  chmodSync(into, 0o755);
  const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
  const { PATH, HOME } = process.env;
  image = build({
    files: tracked
      .toString('utf8')
      .split('\0')
      .filter((file) => file !== '' && existsSync(join(ROOT, file))),
    source: ROOT,
    dockerfile: read('Dockerfile'),
    dockerignore: read('.dockerignore'),
    into,
    // What is in npm's cache already needs no network.
    env: { PATH, HOME, npm_config_prefer_offline: 'true' },
  });
}, 300_000);

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await until(() =>
    children.every((child) => child.exitCode !== null || child.signalCode !== null) ? true : undefined,
  );
  rmSync(into, { recursive: true, force: true });
});

const inImage = (path: string): string => join(image.root, image.workdir, path);

/** A process of the image, as its user, in its folder, with its environment under `env`. */
function start(args: readonly string[], env: Record<string, string>): { child: ChildProcess; said(): string } {
  const [uid, gid] = image.user.split(':').map(Number);
  const child = spawn(process.execPath, args, {
    cwd: join(image.root, image.workdir),
    env: { PATH: process.env.PATH, ...image.env, TENUTO_DATA_DIR: dataDirectory(), TENUTO_IP: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(process.getuid?.() === 0 && { uid, gid }),
  });
  children.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  return { child, said: () => said };
}

const dataDirectory = (): string => join(image.root, image.env.TENUTO_DATA_DIR ?? '');

async function ended({ child, said }: ReturnType<typeof start>): Promise<{ code: number | null; said: string }> {
  await until(() => (child.exitCode !== null || child.signalCode !== null ? true : undefined), 60_000);
  return { code: child.exitCode, said: said() };
}

describe('the context', () => {
  const keeps = kept(read('.dockerignore'));
  it.each([
    ['package-lock.json', true],
    ['src/cli/main.ts', true],
    ['examples/order-fulfillment/data/orders.json', true],
    ['deploy/docker/tenuto', true],
    ['src/node.test.ts', false],
    ['cluster/link/link.test-support.ts', false],
    ['deploy/kubernetes/services.yaml', false],
    ['test/tidy.test.ts', false],
    ['.git/config', false],
    ['.env', false],
    ['node_modules/level/index.js', false],
    ['src/node_modules/x/index.js', false],
    ['dist/cli/tenuto.js', false],
  ])('has %s: %s', (file, expected) => {
    expect(keeps(file)).toBe(expected);
  });
});

describe('the image', () => {
  it('has what runs, and nothing that only builds or tests', () => {
    for (const file of [
      MAIN,
      'package.json',
      'LICENSE',
      'node_modules/level',
      'node_modules/esbuild',
      'node_modules/ws',
    ]) {
      expect(existsSync(inImage(file)), file).toBe(true);
    }
    for (const file of ['src', 'test', 'node_modules/typescript', 'node_modules/vitest', 'node_modules/dclint']) {
      expect(existsSync(inImage(file)), file).toBe(false);
    }
  });

  it('has the command where its entry point looks for it, and a user that is not root', () => {
    expect(image.json.ENTRYPOINT).toEqual(['tenuto']);
    expect(image.json.HEALTHCHECK).toEqual(['tenuto', 'server', 'check']);
    const script = join(image.root, 'usr/local/bin/tenuto');
    expect(statSync(script).mode & 0o777).toBe(0o755);
    const target = /exec node (?:--\S+ )*(\S+) /.exec(readFileSync(script, 'utf8'))?.[1] ?? '';
    expect(existsSync(join(image.root, target))).toBe(true);
    expect(spawnSync('sh', ['-n', script]).status).toBe(0);
    expect(image.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(image.env.TENUTO_DATA_DIR).toMatch(/^\/var\/lib\/tenuto\//);
  });

  it('serves, answers its health check, runs the demo for a worker of its own, and ends at SIGTERM', {
    timeout: 120_000,
  }, async () => {
    const port = String(await freePort());
    const node = start([MAIN, ...(image.json.CMD ?? [])], { TENUTO_PORT: port });
    await until(() => (node.said().includes(`Tenuto is ready on 127.0.0.1:${port}`) ? true : undefined));
    const [, ...check] = image.json.HEALTHCHECK ?? [];
    expect(await ended(start([MAIN, ...check], { TENUTO_PORT: port }))).toEqual({ code: 0, said: 'ready\n' });

    let payment = await freePort();
    while ((await freePort(payment + 1)) !== payment + 1) payment = await freePort();
    const warehouse = payment + 1;
    const address = `127.0.0.1:${port}`;
    const demo = 'dist/examples/order-fulfillment';
    start([join(demo, 'worker.js')], {
      TENUTO_ADDRESS: address,
      PAYMENT_URL: `http://127.0.0.1:${payment}`,
      WAREHOUSE_URL: `http://127.0.0.1:${warehouse}`,
    });
    mkdirSync(join(image.root, 'tmp'), { mode: 0o777 });
    chmodSync(join(image.root, 'tmp'), 0o777);
    const run = start(
      [
        ...[join(demo, 'main.js'), '--address', address, '--no-worker', '--services', `127.0.0.1:${payment}`],
        ...['--orders', '5', '--seed', '7', '--data-dir', join(image.root, 'tmp', 'demo')],
      ],
      {},
    );
    const { code, said } = await ended(run);
    expect(code, said).toBe(0);
    expect(said).toContain('The books balance: 5 orders');

    node.child.kill('SIGTERM');
    expect((await ended(node)).code).toBe(0);
    expect(await ended(start([MAIN, ...check], { TENUTO_PORT: port }))).toMatchObject({ code: 5 });
  });
});

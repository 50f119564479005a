// `tenuto operator nexus endpoint` on a real node.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { type ServerProcess, startServer, temporaryDir, tenuto } from '../support/processes.ts';

const atFileEnd = undoneAtFileEnd();

let node: ServerProcess;
beforeAll(async () => {
  node = await startServer(['start-dev', '--port', '0', '-n', 'billing'], { atEnd: atFileEnd });
});

const endpoint = (...args: string[]) =>
  tenuto(['operator', 'nexus', 'endpoint', ...args], { env: { TENUTO_ADDRESS: node.address } });
const json = async (...args: string[]) => JSON.parse((await endpoint(...args, '-o', 'json')).stdout);
const TARGET = ['--target-namespace', 'billing', '--target-task-queue', 'nexus'];

describe('tenuto operator nexus endpoint', () => {
  it('creates, shows, changes, lists and deletes', async () => {
    const made = await json('create', '--name', 'payments', ...TARGET, '--description', 'of the shop');
    expect(made).toMatchObject({ version: 1, targetNamespace: 'billing', description: 'of the shop' });
    expect(await json('get', '--name', 'payments')).toEqual(made);
    const changed = await json('update', '--name', 'payments', '--target-url', 'https://example.test/nexus');
    expect(changed).toMatchObject({ id: made.id, version: 2, targetUrl: 'https://example.test/nexus' });
    expect(changed).toMatchObject({ description: 'of the shop' });
    const file = join(temporaryDir(atFileEnd), 'about.md');
    writeFileSync(file, '# Payments\n');
    const told = await json('update', '--name', 'payments', '--description-file', file);
    expect(told).toMatchObject({ version: 3, description: '# Payments\n' });
    const untold = await json('update', '--name', 'payments', '--unset-description');
    expect([untold.version, untold.description]).toEqual([4, undefined]);
    expect((await endpoint('list')).stdout).toContain('payments');
    expect((await endpoint('delete', '--name', 'payments')).code).toBe(0);
    expect(await endpoint('get', '--name', 'payments')).toMatchObject({ code: 3 });
  });

  it('says what is wrong', async () => {
    expect(await endpoint('create', '--name', 'a')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--target-namespace and --target-task-queue, or --target-url'),
    });
    expect(await endpoint('update', '--name', 'a', '--description-file', '/nowhere/at/all')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--description-file /nowhere/at/all cannot be read'),
    });
    expect(await endpoint('create', '--name', 'a b', ...TARGET)).toMatchObject({
      stderr: expect.stringContaining('letters, digits and hyphens'),
    });
    expect(
      await endpoint('create', '--name', 'a', '--target-namespace', 'no', '--target-task-queue', 'q'),
    ).toMatchObject({ stderr: expect.stringContaining('there is no namespace no') });
  });
});

// What a library does to String.prototype slows every string of the process (docs/decisions/0089): asked of V8 itself.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Whether compiled code finds the methods of strings without a search once these modules are loaded. */
function stringsAreFast(...modules: string[]): boolean {
  const code = `for (const module of ${JSON.stringify(modules)}) await import(module);
    console.log(%HasFastProperties(String.prototype)); process.exit(0);`;
  const args = ['--allow-natives-syntax', '--input-type=module', '-e', code];
  return execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' }).trim() === 'true';
}

test("our client of Redis makes good what its library does to strings, which is still done: else our line isn't needed", () => {
  expect(stringsAreFast()).toBe(true);
  expect(stringsAreFast('ioredis')).toBe(false);
  expect(stringsAreFast('./dist/cluster/ownership/redis/client.js')).toBe(true);
});

test('nothing else that nodes, workers and clients load does such a thing', () => {
  const node = ['./dist/src/server.js', './dist/src/node.js', 'pg', 'classic-level', '@grpc/grpc-js'];
  expect(stringsAreFast(...node, 'tenuto/worker', 'tenuto/client', 'tenuto/testing')).toBe(true);
});

// The programs of this folder, moved over: the same text with other imports, by this project's SDK. They compile against its types, too.

import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { movePrograms } from './moved.ts';

const PROGRAMS = ['samples.test.ts', 'kinds.test.ts', 'sdk.test.ts', 'versioning.test.ts', 'nexus.test.ts'];
const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

const folder = movePrograms();
afterAll(() => rmSync(folder, { recursive: true }));

it('they compile', () => {
  const project = join(folder, 'tsconfig.json');
  // But for one option that few projects set: messages of protobufjs are typed without a thought of it.
  const compilerOptions = { exactOptionalPropertyTypes: false };
  writeFileSync(
    project,
    JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: [], files: PROGRAMS }),
  );
  expect(spawnSync(process.execPath, [TSC, '-p', project], { encoding: 'utf8' }).stdout).toBe('');
});

for (const file of PROGRAMS) describe(file, async () => void (await import(join(folder, file))));

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UsageError } from './flags.ts';
import { mustBeWritable } from './outputs.ts';

const folder = mkdtempSync(join(tmpdir(), 'tenuto-outputs-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a file that is to be written', () => {
  it('may be new, or there already, or not asked for', () => {
    writeFileSync(join(folder, 'old.json'), 'kept');
    for (const file of [undefined, join(folder, 'new.json'), join(folder, 'old.json')]) mustBeWritable('--json', file);
  });

  it.each([
    ['in no folder', join(folder, 'none', 'a.json'), /^--json .*a\.json cannot be written: there is no folder .*none$/],
    ['in a file', join(folder, 'old.json', 'a.json'), /there is no folder/],
    ['a folder', folder, /it is a folder$/],
    ['nothing', '', /^--json must name a file$/],
  ])('%s is refused', (_, file, message) => {
    const check = (): void => mustBeWritable('--json', file);
    expect(check).toThrow(UsageError);
    expect(check).toThrow(message);
  });
});

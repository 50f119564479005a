// Which data directories of other builds are opened, and what they say afterwards.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoreError } from '../../ports/store.ts';
import { finishDirectory, newManifest, raiseFormat, readManifest } from './directory.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tenuto-directory-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** As a build that writes this format leaves it. */
function writtenIn(format: number): void {
  finishDirectory(directory, { ...newManifest(16), format, createdBy: '7.7.7' });
}

describe('a data directory', () => {
  it.each([
    ['of this format', 2, { min: 2, max: 2 }],
    ['of the release before', 2, { min: 2, max: 3 }],
    ['of the release after, which writes what is read here already', 3, { min: 2, max: 3 }],
  ])('is opened: %s', (_, format, reads) => {
    writtenIn(format);
    expect(readManifest(directory, reads)).toMatchObject({ format, shardCount: 16 });
  });

  it.each([
    [
      'two releases older',
      2,
      { min: 3, max: 4 },
      /has format 2, written by Tenuto 7\.7\.7; this is \S+, which reads 3 to 4/,
      /releases in between/,
    ],
    [
      'two releases newer',
      4,
      { min: 2, max: 2 },
      /has format 4, written by Tenuto 7\.7\.7; this is \S+, which reads 2/,
      /that version/,
    ],
  ])('is refused, unchanged, and what to do is said: %s', (_, format, reads, message, hint) => {
    writtenIn(format);
    const before = readFileSync(join(directory, 'tenuto.json'), 'utf8');
    const refused = thrownBy(() => readManifest(directory, reads));
    expect(refused).toMatchObject({
      kind: 'version',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
    expect(readFileSync(join(directory, 'tenuto.json'), 'utf8')).toBe(before);
  });

  it('of the release before says that it is of this one before rows of this one are in it', () => {
    writtenIn(2);
    const manifest = readManifest(directory, { min: 2, max: 3 });
    expect(manifest && raiseFormat(directory, manifest, 3)).toMatchObject({ format: 3 });
    expect(readManifest(directory, { min: 2, max: 3 })).toMatchObject({ ...manifest, format: 3 });
    expect(thrownBy(() => readManifest(directory, { min: 2, max: 2 }))).toBeInstanceOf(StoreError);
  });

  it('of the release after stays that when the one before serves from it for a while', () => {
    writtenIn(3);
    const manifest = readManifest(directory, { min: 2, max: 3 });
    expect(manifest && raiseFormat(directory, manifest, 2)).toBe(manifest);
    expect(readManifest(directory, { min: 2, max: 3 })).toEqual(manifest);
  });

  it('that does not say a format is none', () => {
    writeFileSync(join(directory, 'tenuto.json'), JSON.stringify({ directoryId: 'd', shardCount: 16 }));
    expect(() => readManifest(directory)).toThrow('is not a manifest');
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SDK_NAME, SDK_VERSION } from './version.ts';

it("is the package's name and version", () => {
  const { name, version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect([SDK_NAME, SDK_VERSION]).toEqual([name, version]);
});

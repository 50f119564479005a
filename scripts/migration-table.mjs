// `npm run migration-table`: writes the tables of docs/guides/from-temporal.md from both packages' type declarations.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ensureBuilt, ensureInstalled } from './ensure.mjs';
import { compare, render, withTable } from './migration/table.mjs';

ensureInstalled();
ensureBuilt();
const root = fileURLToPath(new URL('..', import.meta.url));
const guide = fileURLToPath(new URL('../docs/guides/from-temporal.md', import.meta.url));
const rows = compare(root);
writeFileSync(guide, withTable(readFileSync(guide, 'utf8'), render(rows)));
const unexplained = rows.filter(({ ours }) => ours === undefined);
for (const { packageName, name } of unexplained)
  console.error(`${packageName}: ${name} is neither exported nor explained`);
process.exitCode = unexplained.length === 0 ? 0 : 1;

// The table of docs/guides/from-temporal.md: every export of Temporal's TypeScript packages, and what it is here. `npm run
// migration-table` writes it; test/migration.test.ts fails when it is out of date or a name is left unexplained.
import { join } from 'node:path';
import { exportsOf, exportsOfPackage } from './declarations.mjs';
import { NOTES } from './notes.mjs';

export const PACKAGES = ['client', 'worker', 'workflow', 'activity', 'common', 'testing'];
const BEGIN = '<!-- made by `npm run migration-table`: change scripts/migration/notes.mjs, not the tables -->';
const END = '<!-- end of what was made -->';

const usable = (theirs, ours) => ours !== undefined && !(theirs.kind === 'value' && ours.kind === 'type');

function noteOf(packageName, name) {
  const rule = NOTES.find(
    ({ packages, names }) =>
      (packages === undefined || packages.includes(packageName)) &&
      (Array.isArray(names) ? names.includes(name) : names.test(name)),
  );
  return rule?.note;
}

/**
 * @param {string} root Of the project; its `dist` must be built.
 * @returns {{ packageName: string, name: string, kind: string, deprecated: boolean, ours: string | undefined, same: boolean }[]}
 * `ours` undefined: neither exported nor explained.
 */
export function compare(root) {
  const entries = new Map(PACKAGES.map((name) => [name, exportsOf(join(root, `dist/sdk/${name}/index.d.ts`))]));
  const cache = new Map();
  return PACKAGES.flatMap((packageName) =>
    [...exportsOfPackage(`@temporalio/${packageName}`, root, cache)].map(([name, theirs]) => {
      const row = { packageName, name, ...theirs };
      if (usable(theirs, entries.get(packageName)?.get(name))) return { ...row, ours: 'the same', same: true };
      const elsewhere = PACKAGES.find((other) => usable(theirs, entries.get(other)?.get(name)));
      const ours = elsewhere === undefined ? noteOf(packageName, name) : `\`${name}\` of \`tenuto/${elsewhere}\``;
      return { ...row, ours, same: false };
    }),
  );
}

/** Pads cells, as the formatter of this project's documents does. */
function table(head, rows) {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => [...row[column]].length)));
  const line = (row) => `| ${row.map((cell, i) => cell + ' '.repeat(widths[i] - [...cell].length)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}

/** The generated part of the guide, its markers included. */
export function render(rows) {
  const sections = PACKAGES.map((packageName) => {
    const own = rows.filter((row) => row.packageName === packageName);
    const sorted = own.sort((a, b) => (a.name < b.name ? -1 : 1));
    const same = own.filter((row) => row.same).length;
    const cells = sorted.map(({ name, kind, deprecated, ours }) => [
      `\`${name}\`${deprecated ? ' (deprecated)' : ''}`,
      kind,
      ours ?? '?',
    ]);
    return [
      `### \`@temporalio/${packageName}\` → \`tenuto/${packageName}\``,
      `${own.length} exports, ${same} of them the same.`,
      table(['export', 'kind', 'here'], cells),
    ].join('\n\n');
  });
  return [BEGIN, ...sections, END].join('\n\n');
}

/** `guide` with its generated part replaced. */
export function withTable(guide, rendered) {
  const [before, rest] = guide.split(BEGIN);
  const [, after] = rest?.split(END) ?? [];
  if (after === undefined) throw new Error('The guide has lost the marks between which its tables stand');
  return before + rendered + after;
}

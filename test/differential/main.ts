// `npm run compat -- --against ADDRESS`: requests that are right and requests that are a little wrong, of every method, to this server and to one of Temporal's;
// says where their answers are not the same. Arguments: address of the other server, and the methods; none means all. Not every difference is a mistake
// (docs/decisions/0080-answers-side-by-side.md), so nothing fails by it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from '../languages/server.ts';
import { mutations } from './mutate.ts';
import { Normal } from './normal.ts';
import { type Difference, keyOf, Pair } from './pair.ts';
import { TEMPLATES } from './requests/index.ts';
import type { Case, Template } from './requests/template.ts';
import { type MethodOf, methods, type Plain } from './side.ts';

/** Cases at a time. */
const AT_ONCE = 3;
const MAX_SHOWN = 160;
const TENUTO = fileURLToPath(new URL('../../dist/cli/tenuto.js', import.meta.url));

const [referenceAddress = '', ...only] = process.argv.slice(2);
const directory = mkdtempSync(join(tmpdir(), 'tenuto-differential-'));
const server = new ServerProcess(TENUTO, directory);
await server.start();
const all = methods();
const pair = new Pair(referenceAddress, server.grpcAddress, all);

const templatesOf = ({ name }: MethodOf): readonly Template[] => {
  const found = TEMPLATES[name];
  if (found === undefined) throw new Error(`${name} has no request`);
  return typeof found === 'function' ? [found] : found;
};

async function checked(method: MethodOf, template: Template, index: number): Promise<void> {
  const base = await template(pair);
  const tried = mutations(method.request, base.request, index > 0);
  const queue = tried.map((mutation, i) => async (): Promise<void> => {
    const { request, after = [] }: Case = i === 0 ? base : await template(pair);
    const normals = [new Normal(), new Normal()];
    const sample = `${method.name}[${index}] ${mutation.name}`;
    const both = await pair.compare(method.name, mutation.apply(request), sample, normals);
    if (!both) return;
    for (const [name, asked] of after) await pair.read(name, asked, sample, normals);
  });
  const work = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      await job().catch((error: unknown) =>
        console.log(`BROKEN  ${method.name}[${index}]: ${String(error).slice(0, 300)}`),
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Last: they make namespaces of names that no other request is to find. */
const MAKES_NAMESPACES = /^(Register|Update|Deprecate)Namespace$/;
const ordered = [
  ...all.filter(({ name }) => !MAKES_NAMESPACES.test(name)),
  ...all.filter(({ name }) => MAKES_NAMESPACES.test(name)),
];
for (const method of ordered) {
  if (only.length > 0 && !only.includes(method.name)) continue;
  for (const [index, template] of templatesOf(method).entries()) {
    await checked(method, template, index).catch((error: unknown) =>
      console.log(`BROKEN  ${method.name}[${index}]: ${error}`),
    );
  }
  process.stderr.write(`${method.name} ${pair.compared} ${pair.differences.length}\n`);
}
report(pair.differences);
pair.close();
await server.close();
rmSync(directory, { recursive: true, force: true });

function report(differences: readonly Difference[]): void {
  const groups = new Map<string, Difference[]>();
  for (const one of differences) {
    const key = keyOf(one);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  for (const kind of ['code', 'details', 'answer', 'text']) {
    for (const group of groups.values()) {
      const [one] = group;
      if (one?.kind !== kind) continue;
      console.log(
        `${kind.toUpperCase()} ${one.method} ${one.path} x${group.length}: ${group
          .slice(0, 4)
          .map(({ sample }) => sample)
          .join(' | ')}`,
      );
      console.log(`   reference ${show(one.reference)}`);
      console.log(`   ours      ${show(one.ours)}`);
    }
  }
  console.log(`${pair.compared} answers compared, ${differences.length} differ in ${groups.size} ways`);
}

function show(value: unknown): string {
  const text = value === undefined ? '(absent)' : typeof value === 'string' ? value : JSON.stringify(value as Plain);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

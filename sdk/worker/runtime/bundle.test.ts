import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleWorkflowCode, WorkflowBundleError } from './bundle.ts';
import { Realm } from './realm.ts';
import { bundleOf, realmOf, TestRun } from './test-run.test-support.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tenuto-entry-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('the entry', () => {
  test.each(['index.ts', 'index.js', 'index.mjs'])(
    'may be a directory with %s, or the file, with or without its ending',
    async (name) => {
      const folder = mkdtempSync(join(directory, 'entry-'));
      writeFileSync(join(folder, name), 'export async function main() { return 1; }');
      for (const workflowsPath of [folder, join(folder, name), join(folder, 'index')]) {
        const run = new TestRun(new Realm(await bundleWorkflowCode({ workflowsPath })), 'main');
        run.task();
        expect(run.result).toBe(1);
      }
    },
  );

  test('may be a file URL of a path with spaces, and a .js that is a .ts as yet', async () => {
    const folder = join(directory, 'with a space');
    mkdirSync(folder);
    writeFileSync(join(folder, 'workflows.ts'), 'export async function main(): Promise<number> { return 2; }');
    const url = pathToFileURL(join(folder, 'workflows.js'));
    for (const workflowsPath of [url, url.href]) {
      const run = new TestRun(new Realm(await bundleWorkflowCode({ workflowsPath })), 'main');
      run.task();
      expect(run.result).toBe(2);
    }
  });

  test('may be the default export', async () => {
    const run = new TestRun(await realmOf('export default async () => "any";'), 'whatever');
    run.task();
    expect(run.result).toBe('any');
  });

  test('that is not there is named', async () => {
    const workflowsPath = join(directory, 'missing');
    await expect(bundleWorkflowCode({ workflowsPath })).rejects.toThrow(`workflowsPath '${workflowsPath}' is neither`);
  });

  test('with a syntax error is named with its line', async () => {
    await expect(bundleOf('export const a = 1;\nexport async function main( {')).rejects.toThrow(/workflows\.ts:2/);
  });
});

describe('several entries', () => {
  const write = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };

  test('give their workflows together, modules and CommonJS alike, and share the modules they import', async () => {
    write('counter.ts', 'let n = 0; export const next = () => ++n;');
    const workflowsPath = [
      write('one.ts', 'import { next } from "./counter.ts"; next(); export async function one() { return next(); }'),
      pathToFileURL(
        write('two.ts', 'import { next } from "./counter.ts"; next(); export async function two() { return next(); }'),
      ),
      write('three.cjs', '"use strict"; exports.three = async () => 3;'),
    ];
    const realm = new Realm(await bundleWorkflowCode({ workflowsPath }));
    const results = ['one', 'two', 'three'].map((type) => {
      const run = new TestRun(realm, type);
      run.task();
      return run.result;
    });
    expect(results).toEqual([3, 3, 3]);
  });

  test('with workflows of one name are refused, naming both files', async () => {
    const same = 'export async function same() {}';
    const refused = bundleWorkflowCode({ workflowsPath: [write('four.ts', same), write('five.ts', same)] });
    await expect(refused).rejects.toThrow(/'same' is exported by .*four\.ts and by .*five\.ts; rename one of them/);
  });
});

test('the classes of the library keep their names', async () => {
  const bundle = await bundleOf(`
    import * as common from 'tenuto/common';
    import * as workflow from 'tenuto/workflow';
    export async function main() {
      const classes = Object.entries({ ...common, ...workflow }).filter(([, v]) => /^class\\b/.test(String(v)));
      return classes.map(([name, { name: own }]) => [name, own]);
    }
  `);
  const run = new TestRun(new Realm(bundle), 'main');
  run.task();
  const names = run.result as [string, string][];
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter(([name, own]) => own !== name)).toEqual([]);
});

describe('imports', () => {
  test.each([
    ["import { readFile } from 'node:fs/promises'; export const x = readFile;", 'node:fs/promises'],
    ["import fs from 'fs'; export const x = fs;", 'fs'],
    ["import { Client } from 'tenuto/client'; export const x = Client;", 'tenuto/client'],
    ["import { Context } from 'tenuto/activity'; export const x = Context;", 'tenuto/activity'],
    ["export async function main() { await import('node:http'); }", 'node:http'],
    ["const os = require('os'); export const x = os;", 'os'],
  ])('%s is refused, naming the file', async (code, specifier) => {
    const refused = bundleOf({ 'workflows.ts': "export * from './helper.ts';", 'helper.ts': code });
    await expect(refused).rejects.toThrow(WorkflowBundleError);
    await expect(refused).rejects.toThrow(new RegExp(`helper\\.ts imports '${specifier}'.*ignoreModules`));
  });

  test('of types only are nothing', async () => {
    const code =
      "import type { Stats } from 'node:fs'; import { PathLike } from 'node:fs'; export async function main(a: Stats, b: PathLike) {}";
    await expect(bundleOf(code)).resolves.toBeDefined();
  });

  test('of ignored modules are empty objects', async () => {
    const bundle = await bundleOf(
      "import * as fs from 'node:fs'; import 'mod/sub'; export async function main() { return typeof fs.readFile; }",
      {
        ignoreModules: ['fs', 'mod'],
      },
    );
    const run = new TestRun(new Realm(bundle), 'main');
    run.task();
    expect(run.result).toBe('undefined');
  });

  test('of packages and CommonJS work', async () => {
    const folder = mkdtempSync(join(directory, 'packages-'));
    mkdirSync(join(folder, 'node_modules/dep'), { recursive: true });
    writeFileSync(join(folder, 'node_modules/dep/package.json'), '{"name":"dep","main":"index.js"}');
    writeFileSync(
      join(folder, 'node_modules/dep/index.js'),
      'let n = 0; module.exports = { next: () => ++n, self: this === module.exports };',
    );
    writeFileSync(
      join(folder, 'compiled.cjs'),
      '"use strict";\nconst wf = require("tenuto/workflow");\nexports.nap = async () => { await wf.sleep(5); return wf.workflowInfo().workflowType; };',
    );
    writeFileSync(
      join(folder, 'workflows.ts'),
      'import { next } from "dep"; import { nap } from "./compiled.cjs"; export async function main() { return [next(), next(), await nap()]; }',
    );
    const run = new TestRun(
      new Realm(await bundleWorkflowCode({ workflowsPath: join(folder, 'workflows.ts') })),
      'main',
    );
    run.task();
    run.fire('1');
    run.task();
    expect(run.result).toEqual([1, 2, 'main']);
  });
});

test('functions and classes keep their names when the bundler renames them', async () => {
  const run = new TestRun(
    await realmOf({
      'workflows.ts':
        'import { sleep as other } from "./sleep.ts"; import { sleep } from "tenuto/workflow"; class Bad extends Error {}\nimport { bad } from "./sleep.ts"; export async function main() { return [sleep.name, other.name, Bad.name, bad.name]; }',
      'sleep.ts': 'export function sleep() {} class Bad extends Error {} export const bad = Bad;',
    }),
    'main',
  );
  run.task();
  expect(run.result).toEqual(['sleep', 'sleep', 'Bad', 'Bad']);
});

test('converters come from the modules that the paths name', async () => {
  const folder = mkdtempSync(join(directory, 'converters-'));
  writeFileSync(
    join(folder, 'converter.ts'),
    `import { defaultPayloadConverter } from 'tenuto/common';
export const payloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload({ wrapped: value }),
  fromPayload: (payload) => ({ opened: defaultPayloadConverter.fromPayload(payload) }),
};`,
  );
  const bundle = await bundleOf('export async function main(x) { return x; }', {
    payloadConverterPath: join(folder, 'converter.ts'),
  });
  const run = new TestRun(new Realm(bundle), 'main', [1]);
  run.task();
  expect(run.result).toEqual({ wrapped: { opened: 1 } });
});

test('an error thrown while the modules are evaluated fails the workflow task, in the sources', async () => {
  const failed = new TestRun(
    await realmOf('\nthrow new Error("while loading");\nexport async function main() {}'),
    'main',
  ).failingTask();
  expect(failed.message).toBe('while loading');
  expect(failed.stackTrace).toMatch(/workflows\.ts:2:7/);
});

test('a hook for webpack is not left out without a word', async () => {
  const hook = { workflowsPath: 'a', webpackConfigHook: () => ({}) };
  await expect(bundleWorkflowCode(hook)).rejects.toThrow(/bundled by esbuild/);
});

describe('what is imported by name', () => {
  /** A project with packages of its own. */
  const project = (files: Record<string, string>): string => {
    const folder = mkdtempSync(join(directory, 'project-'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return join(folder, 'workflows.ts');
  };
  const uses = "import { has } from 'able'; export async function main() { return has; }";
  const able = {
    'node_modules/able/lib/index.js':
      "let has = false; try { has = typeof require('fs').readFileSync === 'function'; } catch {} exports.has = has;",
  };

  test("may be a package that can do without a module of Node's, and says so", async () => {
    const saying = { name: 'able', main: 'lib/index.js', browser: { fs: false } };
    const files = { 'workflows.ts': uses, ...able, 'node_modules/able/package.json': JSON.stringify(saying) };
    const run = new TestRun(new Realm(await bundleWorkflowCode({ workflowsPath: project(files) })), 'main');
    run.task();
    expect(run.result).toBe(false);
  });

  test.each([
    ['a package that does not', { name: 'able', main: 'lib/index.js' }, {}],
    [
      'the project itself',
      { name: 'able', main: 'lib/index.js' },
      { 'package.json': '{"name":"p","browser":{"fs":false}}' },
    ],
  ])('is refused of %s', async (_, saying, more) => {
    const files = { 'workflows.ts': uses, ...able, ...more, 'node_modules/able/package.json': JSON.stringify(saying) };
    await expect(bundleWorkflowCode({ workflowsPath: project(files) })).rejects.toThrow("Node's module 'fs'");
  });

  test("may be other parts of this package, whichever copy of it the worker's is", async () => {
    const text = `
      import { decode, encode } from 'tenuto/common/encoding';
      import { ProtobufJsonPayloadConverter } from 'tenuto/common/protobufs';
      import { PayloadConverterError } from 'tenuto/common';
      export async function main() {
        try {
          const messageType = encode('a.B');
          new ProtobufJsonPayloadConverter().fromPayload({ metadata: { messageType }, data: encode('{}') });
        } catch (error) {
          return [decode(encode('ü')), error instanceof PayloadConverterError];
        }
      }`;
    const run = new TestRun(await realmOf(text), 'main');
    run.task();
    expect(run.result).toEqual(['ü', true]);
  });
});

test('a class of the library keeps its name where another module has one like it', async () => {
  const text = `
    import { defaultFailureConverter, defaultPayloadConverter } from 'tenuto/common';
    export async function main() {
      const failure = { message: 'no', nexusHandlerFailureInfo: { type: 'INTERNAL' } };
      return defaultFailureConverter.failureToError(failure, defaultPayloadConverter).constructor.name;
    }`;
  const run = new TestRun(await realmOf(text), 'main');
  run.task();
  expect(run.result).toBe('HandlerError');
});

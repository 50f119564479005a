import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Command, LANGUAGES, prepare, type Run, TOOLCHAINS, whyNoDotnet, whySkipped } from './toolchains.ts';

/** A machine on which each of these commands prints what is beside it. */
const machine =
  (tools: Readonly<Record<string, string>>): Run =>
  ({ program, args }) => {
    const output = tools[[program, ...args].join(' ')];
    const found = Object.keys(tools).some((called) => called.startsWith(`${program} `));
    return { found, ok: output !== undefined, output: output ?? 'unknown command' };
  };

const everything = {
  'python3 --version': 'Python 3.11.7\n',
  'python3 -m pip --version': 'pip 23.2.1 from somewhere (python 3.11)\n',
  'go version': 'go version go1.26.8 linux/amd64\n',
  'javac -version': 'javac 17.0.15\n',
  'mvn --batch-mode --version': 'Apache Maven 3.8.7\nMaven home: somewhere\n',
};
const without = (name: string): Run =>
  machine(Object.fromEntries(Object.entries(everything).filter(([called]) => called !== name)));

describe('a language', () => {
  it.each(LANGUAGES)('of which everything is there is run: %s', (language) => {
    expect(whySkipped(language, machine(everything))).toBeUndefined();
  });

  it.each([
    ['python', {}, 'python: skipped. It needs Python 3.10 or newer; there is no python3 here.'],
    ['go', {}, 'go: skipped. It needs Go 1.26 or newer; there is no go here.'],
    ['java', {}, 'java: skipped. It needs a JDK, 17 or newer; there is no javac here.'],
    ['java', { 'javac -version': 'javac 21.0.2' }, 'java: skipped. It needs Maven 3.6 or newer; there is no mvn here.'],
    [
      'python',
      { ...everything, 'python3 --version': 'Python 3.9.2' },
      'python: skipped. It needs Python 3.10 or newer; this is 3.9.',
    ],
    [
      'go',
      { 'go version': 'go version go1.25.1 linux/amd64' },
      'go: skipped. It needs Go 1.26 or newer; this is 1.25.',
    ],
    [
      'java',
      { 'javac -version': 'what?' },
      "java: skipped. It needs a JDK, 17 or newer; 'javac -version' does not say its version: what?",
    ],
  ] as const)(
    'whose tools are missing or too old is skipped, and it is said what it needs: %s %o',
    (language, tools, why) => {
      expect(whySkipped(language, machine(tools))).toBe(why);
    },
  );

  it('whose tool is broken is skipped with what the tool says', () => {
    expect(whySkipped('python', without('python3 -m pip --version'))).toBe(
      "python: skipped. It needs Python's pip; 'python3 -m pip --version' failed: unknown command",
    );
  });
});

it('.NET, which has no program, is said to be skipped, and why', () => {
  expect(whyNoDotnet(machine({}))).toBe(
    "dotnet: skipped: no .NET SDK. It needs the .NET SDK 8.0 or newer (its command 'dotnet' on the PATH), and a program in test/languages/dotnet.",
  );
  expect(whyNoDotnet(machine({ 'dotnet --version': '8.0.404\n' }))).toBe(
    'dotnet: skipped: the .NET SDK 8.0.404 is here, and no program in test/languages/dotnet is yet.',
  );
});

describe('preparing', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tenuto-toolchains-'));
    mkdirSync(join(folder, 'source'));
    writeFileSync(join(folder, 'source', 'requirements.txt'), 'one==1\n');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const ran: Command[] = [];
  const python = (ok: boolean): Command => {
    ran.length = 0;
    const run: Run = (command) => {
      ran.push(command);
      return { found: true, ok, output: 'no such package\n' };
    };
    return prepare('python', join(folder, 'source'), join(folder, 'cache'), run);
  };

  it('installs once for one list of packages, and again for another one', () => {
    const { env } = python(true);
    expect(ran).toHaveLength(1);
    expect(ran[0]?.args).toContain(env.PYTHONPATH);
    expect(python(true).env).toEqual(env);
    expect(ran).toEqual([]);
    writeFileSync(join(folder, 'source', 'requirements.txt'), 'one==2\n');
    expect(python(true).env).not.toEqual(env);
    expect(ran).toHaveLength(1);
  });

  it('that failed is said in the words of the tool, and tried again the next time', () => {
    expect(() => python(false)).toThrow('python: its program could not be made ready:\nno such package');
    python(true);
    expect(ran).toHaveLength(1);
  });
});

it.each(LANGUAGES)('the versions of %s are pinned in the files that decide what is installed', (language) => {
  const source = fileURLToPath(new URL(`./${language}/`, import.meta.url));
  for (const input of TOOLCHAINS[language].inputs) {
    const text = readFileSync(join(source, input), 'utf8');
    expect(text).not.toMatch(/LATEST|RELEASE|>=|~=|\*$/m);
  }
});

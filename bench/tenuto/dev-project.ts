// `tenuto dev` on a project of many modules in a folder of its own: one of them is saved again and again.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { killAtEnd } from '../lib/at-end.ts';
import { newFolder, removeFolder } from '../lib/folders.ts';
import { end } from './node.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MAIN = fileURLToPath(new URL('../../cli/tenuto.js', import.meta.url));
const EXIT_WITH_PARENT = new URL('../../examples/order-fulfillment/supervisor/exit-with-parent.js', import.meta.url);
const PATIENCE_MS = 60_000;
const FUNCTIONS_OF_A_MODULE = 20;

export class DevProject {
  readonly taskQueue = 'dev';
  readonly #folder = newFolder();
  #child: ChildProcess | undefined;
  #said = '';
  #heard: () => void = () => {};

  /** @param modules that the workflow imports; the first of them names the version */
  constructor(modules: number) {
    mkdirSync(join(this.#folder, 'node_modules'));
    symlinkSync(ROOT, join(this.#folder, 'node_modules', 'tenuto'));
    this.save(0);
    const names = Array.from({ length: modules - 1 }, (_, n) => `m${n + 1}`);
    for (const name of names) this.#write(name, moduleText(name));
    const imports = names.map((name) => `import { ${name} } from './${name}';`);
    const all = `const all = [${names.join(', ')}];\nexport const sum = () => all.reduce((n, one) => n + one(1), 0);`;
    this.#write('all', `${imports.join('\n')}\n${all}\n`);
    this.#write(
      'workflows',
      `import { sum } from './all';\nimport { version } from './version';\nexport async function saved() { return sum() > 0 ? version : -1; }\n`,
    );
  }

  /** As an editor does: the file is written anew. */
  save(version: number): void {
    this.#write('version', `export const version = ${version};\n`);
  }

  /** Resolves with where it serves, once its worker runs. */
  async start(): Promise<string> {
    const flags = ['--workflows', join(this.#folder, 'workflows.ts'), '--task-queue', this.taskQueue, '--port', '0'];
    const args = ['--import', EXIT_WITH_PARENT.href, MAIN, 'dev', ...flags];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore', 'ipc'] });
    this.#child = child;
    killAtEnd(child);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
      this.#heard();
    });
    child.once('exit', () => this.#heard());
    const [, address = ''] = await this.#says(/Tenuto is ready on (\S+),/);
    await this.#says(/Worker on task queue/);
    return address;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  /** Resolves when it says that a further version of the workflows is loaded. */
  async loaded(): Promise<void> {
    await this.#says(/workflows loaded in \d+ ms/);
  }

  async stop(): Promise<void> {
    if (this.#child !== undefined) await end(this.#child);
    removeFolder(this.#folder);
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.#folder, `${name}.ts`), text);
  }

  /** What matches and all before it has been heard then. @throws Error when it ends, or says nothing of it within a minute */
  async #says(pattern: RegExp): Promise<RegExpExecArray> {
    const giveUpAtMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const found = pattern.exec(this.#said);
      if (found !== null) {
        this.#said = this.#said.slice(found.index + found[0].length);
        return found;
      }
      if (this.#child?.exitCode != null) throw new Error(`tenuto dev ended: ${this.#said}`);
      const leftMs = giveUpAtMs - performance.now();
      if (leftMs <= 0) throw new Error(`tenuto dev did not say ${pattern} within ${PATIENCE_MS} ms: ${this.#said}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#heard = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

/** Of about 1.5 KB. */
function moduleText(name: string): string {
  const functions = Array.from(
    { length: FUNCTIONS_OF_A_MODULE },
    (_, n) => `export const ${name}_${n} = (value: number): number => (value * ${n + 3}) % 1009;`,
  );
  const calls = Array.from({ length: FUNCTIONS_OF_A_MODULE }, (_, n) => `${name}_${n}(value)`);
  return `${functions.join('\n')}\nexport const ${name} = (value: number): number => ${calls.join(' + ')};\n`;
}

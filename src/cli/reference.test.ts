// docs/reference/cli.md is made from the commands themselves (`npx vitest run src/cli/reference.test.ts --update` writes it), so it has each of them
// with each flag; and whatever the other pages tell readers to type is a command with such flags.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command, Option } from 'commander';
import { beforeAll, describe, expect, it } from 'vitest';
import { ExitCode } from './exit-codes.ts';
import { buildProgram, COMMON, GROUPS } from './program.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const HEAD = `# The command, verb by verb

Every \`tenuto\` command with its flags. This page is made from the commands (\`src/cli\`); do not edit it.
\`tenuto COMMAND --help\` says the same; \`tenuto completion bash|zsh|fish\` lets your shell complete it. Verbs and flags are those of the \`temporal\` CLI where they mean the same.

Exit codes: ${Object.entries(ExitCode)
  .map(([name, code]) => `${code} ${name}`)
  .join(
    ', ',
  )}. FAILED is also a workflow that did not complete well; USAGE, what is wrong with the command line or refused by the server.
`;

const groups = new Map<string, Command>();
beforeAll(async () => {
  for (const name of Object.keys(GROUPS)) {
    const group = (await buildProgram([name])).commands.find((command) => command.name() === name);
    if (group !== undefined) groups.set(name, group);
  }
});

const nameOf = (command: Command): string =>
  command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;

/** A command and all within it that do something, as they were defined. */
const verbsOf = (command: Command): Command[] => {
  const shown = new Set(command.createHelp().visibleCommands(command));
  const within = command.commands.filter((each) => shown.has(each)).flatMap(verbsOf);
  return within.length === 0 || command.options.length > 0 ? [command, ...within] : within;
};

const sameFlags = (options: readonly Option[]): string => options.map(({ flags }) => flags).join();

function flag({ flags, description, argChoices, defaultValue, envVar }: Option): string {
  const said = [
    ...(argChoices === undefined ? [] : [`one of ${argChoices.map((choice) => `\`${choice}\``).join(', ')}`]),
    ...(defaultValue === undefined || defaultValue === false ? [] : [`default \`${String(defaultValue)}\``]),
    ...(envVar === undefined ? [] : [`variable \`${envVar}\``]),
  ];
  return `- \`${flags}\`: ${description}${said.length === 0 ? '' : ` (${said.join('; ')})`}\n`;
}

/** What is shown below the flags: examples. */
function below(command: Command): string {
  let all = '';
  command.configureOutput({ writeOut: (text) => (all += text) }).outputHelp();
  return all.slice(command.helpInformation().length).trim();
}

function section(command: Command): string {
  const own = command.options.filter(({ helpGroupHeading, hidden }) => helpGroupHeading !== COMMON && !hidden);
  const isCommon = own.length < command.options.length;
  // A group that is a command itself has its heading.
  const heading =
    command.parent?.parent === null && command.commands.length === 0
      ? ''
      : `\n### ${nameOf(command)}\n\n${command.description()}${isCommon ? '' : ' (no connection)'}\n`;
  let text = heading;
  const usage = command.usage().replace('[options]', '').replace('[command]', '').trim();
  if (usage !== '') text += `\nArguments: \`${usage}\`\n`;
  if (own.length > 0) text += `\n${own.map(flag).join('')}`;
  const examples = below(command);
  if (examples !== '') text += `\n\`\`\`text\n${examples}\n\`\`\`\n`;
  return text;
}

function page(): string {
  const talking = [...groups.values()].flatMap(verbsOf);
  const common = talking
    .map(({ options }) => options.filter(({ helpGroupHeading }) => helpGroupHeading === COMMON))
    .filter(({ length }) => length > 0);
  // They are told once because they are the same everywhere.
  expect(new Set(common.map(sameFlags)).size).toBe(1);
  let text = `${HEAD}\n## Connection and output\n\nWhat every command takes that talks to a server.\n\n`;
  text += common[0]?.map(flag).join('') ?? '';
  for (const [name, group] of groups) {
    const verbs = verbsOf(group);
    text += `\n## tenuto ${name}\n\n${GROUPS[name]?.description}.\n`;
    // The same under another name.
    if (name !== 'env') text += verbs.map(section).join('');
  }
  return text;
}

it('is documented as it is', async () => {
  await expect(page()).toMatchFileSnapshot('../../docs/reference/cli.md');
});

// ---------------------------------------------------------------- what the pages tell readers to type

const LEADING = /^(?:\$ )?(?:npx )?tenuto /;

function pagesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Lines of code blocks that begin with the command; what continues on the next line belongs to the first. */
function commandsOf(text: string): string[] {
  const blocks = [...text.matchAll(/```(?:sh|bash|text|console)\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  return blocks.flatMap((block) =>
    block
      .replaceAll(/\\\n\s*/g, '')
      .split('\n')
      .filter((line) => LEADING.test(line.trim()))
      .map((line) => line.trim().replace(LEADING, '')),
  );
}

/** Words as a shell has them, up to a comment or what follows the command. */
function wordsOf(line: string): string[] {
  const words: string[] = [];
  for (const [whole, double, single, bare = ''] of line.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"']+)/g)) {
    if (whole === bare && /^(#|\||&&|>|&$|;)/.test(bare)) break;
    words.push(double ?? single ?? bare);
  }
  return words;
}

/** What is wrong with a command line as far as commands and flags go; undefined: nothing. */
function wrongWith(words: readonly string[]): string | undefined {
  const [first = ''] = words;
  if (first.startsWith('-') || first === 'help') return undefined;
  let command = groups.get(first);
  if (command === undefined) return `no command ${first}`;
  for (let i = 1; i < words.length; i += 1) {
    const word = words[i] ?? '';
    if (word.startsWith('-') && word.length > 1 && !/^-\d/.test(word)) {
      const [name = '', value] = word.split('=', 2);
      if (name === '--help' || name === '-h') continue;
      const option: Option | undefined = command.options.find(({ long, short }) => long === name || short === name);
      if (option === undefined) return `${nameOf(command)} has no ${name}`;
      if ((option.required || option.optional) && value === undefined) i += 1;
      continue;
    }
    const within: Command | undefined = command.commands.find((each) =>
      [each.name(), ...each.aliases()].includes(word),
    );
    if (within !== undefined) command = within;
    else if (command.registeredArguments.length === 0) return `${nameOf(command)} takes no ${word}`;
  }
  return undefined;
}

describe('what is to be typed exists', () => {
  const pages = [join(root, 'README.md'), ...pagesIn('docs'), ...pagesIn('examples')].filter(
    (path) => commandsOf(readFileSync(path, 'utf8')).length > 0,
  );

  it.each(pages.map((path) => path.slice(root.length)))('in %s', (path) => {
    const wrong = commandsOf(readFileSync(join(root, path), 'utf8')).flatMap((line) => {
      const why = wrongWith(wordsOf(line));
      return why === undefined ? [] : [`${line}: ${why}`];
    });
    expect(wrong).toEqual([]);
  });

  it('and a flag that is not there is found', () => {
    expect(wrongWith(wordsOf('workflow start --type x --nope 7'))).toBe('tenuto workflow start has no --nope');
    expect(wrongWith(wordsOf("workflow begin -w 'a b'"))).toBe('tenuto workflow takes no begin');
    expect(wrongWith(wordsOf("workflow start --type 'a b' -t q | jq --raw"))).toBeUndefined();
  });
});

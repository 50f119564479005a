import { Command, Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { completions } from './completion.ts';

const program = new Command('tenuto');
const workflow = program.command('workflow');
workflow
  .command('start')
  .option('--type <name>')
  .addOption(new Option('-o, --output <how>').choices(['table', 'json']));
workflow.command('signal').option('--yes');
program.command('server');

describe('completion', () => {
  it.each([
    ['names commands', [''], ['workflow', 'server']],
    ['names those that begin so', ['w'], ['workflow']],
    ['goes down', ['workflow', 's'], ['start', 'signal']],
    ['names options', ['workflow', 'start', '--'], ['--type', '--output', '--help']],
    ['names the values of an option, by either name', ['workflow', 'start', '-o', 'j'], ['json']],
    ['leaves alone what only the user knows', ['workflow', 'start', '--type', ''], []],
    ['takes no value for a command', ['workflow', '--nonsense', 'signal', '--y'], ['--yes']],
    ['goes on behind a value', ['workflow', 'start', '--type', 'signal', '--o'], ['--output']],
    ['has nothing for what is not there', ['workflow', 'start', 'x'], []],
  ] as const)('%s', (_name, words, found) => {
    expect(completions(program, words)).toEqual(found);
  });
});

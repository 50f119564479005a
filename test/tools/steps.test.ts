import { describe, expect, it } from 'vitest';
import type { Run } from '../languages/toolchains.ts';
import { TOOLS, whySkipped } from './programs.ts';
import { fails, ok, words, wrong } from './steps.ts';

describe('a command line', () => {
  it.each([
    ['workflow list', ['workflow', 'list']],
    ["list --query 'A = 1 AND B = 2' -o json", ['list', '--query', 'A = 1 AND B = 2', '-o', 'json']],
    [`start -i '"you"'`, ['start', '-i', '"you"']],
    [`list --query='A = 1'`, ['list', '--query=A = 1']],
  ])('%s', (line, is) => {
    expect(words(line)).toEqual(is);
  });
});

describe('a step', () => {
  it('is as it has to be when it ends so, and says all of it', () => {
    expect(wrong(ok('a', 'one', /t.o/), 0, 'one two')).toBeUndefined();
    expect(wrong(ok('a', 'one', /t.o/), 0, 'one')).toBe('it does not say /t.o/');
    expect(wrong(ok('a'), 1, '')).toBe('it ended with code 1');
    expect(wrong(fails('a', 'no'), 1, 'no')).toBeUndefined();
    expect(wrong(fails('a', 'no'), 0, 'no')).toBe('it ended with code 0');
  });
});

describe('a tool', () => {
  const nothing: Run = () => ({ found: false, ok: false, output: '' });
  const everything: Run = () => ({ found: true, ok: true, output: 'version 1' });
  it.each(TOOLS)('%s is run where all that it needs is there', (tool) => {
    expect(whySkipped(tool, everything)).toBeUndefined();
  });

  it.each([
    ['temporal', 'temporal: skipped. It needs Python 3 with pip, which is not here.'],
    ['grpcurl', 'grpcurl: skipped. It needs Go 1.26 or newer, which is not here.'],
    ['http', undefined],
    ['web-ui', 'web-ui: skipped. It needs Go 1.26 or newer, which is not here.'],
  ] as const)('%s is skipped where it is not, and it is said what it needs', (tool, why) => {
    expect(whySkipped(tool, nothing)).toBe(why);
  });

  it('web-ui needs a browser, too', () => {
    const withGo: Run = (command) => (command.program === 'go' ? everything(command) : nothing(command));
    expect(whySkipped('web-ui', withGo)).toContain('It needs Chromium');
  });
});

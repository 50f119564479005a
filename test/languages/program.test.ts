import { describe, expect, it } from 'vitest';
import { CHECKS, lineOf, type Request } from './contract.ts';
import { runProgram } from './program.ts';

describe('a line of a program', () => {
  it.each([
    ['ok hello 12 ms', { kind: 'passed', check: 'hello', tookMs: 12 }],
    ['failed ids: expected 1: found 2', { kind: 'failed', check: 'ids', why: 'expected 1: found 2' }],
    ['> kill', { kind: 'asks', request: 'kill' }],
    ['> serve', { kind: 'asks', request: 'serve' }],
    ['> rm', { kind: 'noise', text: '> rm' }],
    ['ok', { kind: 'noise', text: 'ok' }],
    ['WARN something ok 12 ms', { kind: 'noise', text: 'WARN something ok 12 ms' }],
  ])('%s', (text, line) => {
    expect(lineOf(text)).toEqual(line);
  });
});

/** A program in JavaScript, told how its check `restart` went. */
async function run(code: string, does: (request: Request) => Promise<void> = async () => {}) {
  const said: string[] = [];
  const command = { program: process.execPath, args: ['-e', code], cwd: process.cwd(), env: {} };
  const outcome = await runProgram(command, [], { does, say: (line) => said.push(line) });
  return { outcome, said };
}

const all = `for (const check of ${JSON.stringify(CHECKS)}) console.log('ok ' + check + ' 1 ms');`;

describe('a program', () => {
  it('that makes every check has passed', async () => {
    expect(await run(all)).toMatchObject({ outcome: { passed: CHECKS.length, failed: 0 } });
  });

  it('gets what it asks for, and an answer', async () => {
    const asked: Request[] = [];
    const code = `console.log('> kill'); process.stdin.once('data', (word) => { console.log('failed restart: was told ' + word); process.exit(1); });`;
    const { outcome, said } = await run(code, async (request) => void asked.push(request));
    expect(asked).toEqual(['kill']);
    expect(said[0]).toBe('FAILED  restart: was told restarted');
    expect(outcome).toEqual({ passed: 0, failed: CHECKS.length });
  });

  it('that leaves a check out has failed it', async () => {
    const { outcome, said } = await run(all.replace('"replay"', '"something"'));
    expect(said.at(-1)).toBe('FAILED  replay: its program made no such check');
    expect(outcome).toEqual({ passed: CHECKS.length, failed: 1 });
  });

  it('that dies has failed, whatever it said before', async () => {
    expect((await run(`${all} process.exit(3);`)).said.at(-1)).toBe('FAILED  its program ended with code 3');
    expect((await run(`${all} process.kill(process.pid, 'SIGKILL');`)).said.at(-1)).toBe(
      'FAILED  its program was ended by SIGKILL',
    );
  });

  it('whose wish failed has failed, and is answered all the same', async () => {
    const code = `console.log('> serve'); process.stdin.once('data', () => { ${all} process.exit(); });`;
    const { outcome, said } = await run(code, async () => Promise.reject(new Error('nobody came')));
    expect(said.at(-1)).toBe('FAILED  serve: nobody came');
    expect(outcome).toEqual({ passed: CHECKS.length, failed: 1 });
  });
});

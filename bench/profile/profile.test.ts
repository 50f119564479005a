// Recorded profiles read: sums that are right, names that cannot break the page, and files that are none refused.
import { describe, expect, it } from 'vitest';
import { parseFlags, UsageError } from '../lib/flags.ts';
import { byFolder, byFunction, folderOf, readCpuProfile } from './call-tree.ts';
import { mustBeOfAProfile, takeOut } from './flags.ts';
import { boxesOf } from './flame.ts';
import { readHeapProfile } from './heap.ts';
import { renderProfile } from './page.ts';

const ROOT = '/project';
const frame = (functionName: string, file: string, lineNumber = 0) => ({
  functionName,
  url: file === '' ? '' : `file://${ROOT}/${file}`,
  lineNumber,
});

/** main calls work twice over (from two nodes, as V8 has them), work calls ws; and it was idle. */
const recorded = JSON.stringify({
  nodes: [
    { id: 1, callFrame: frame('(root)', ''), children: [2, 5, 6] },
    { id: 2, callFrame: frame('main', 'dist/a.js', 4), children: [3, 7] },
    { id: 3, callFrame: frame('work', 'dist/b/c.js'), children: [4] },
    { id: 4, callFrame: frame('', 'node_modules/ws/lib/sender.js') },
    { id: 5, callFrame: frame('(idle)', '') },
    { id: 6, callFrame: frame('(garbage collector)', '') },
    { id: 7, callFrame: frame('work', 'dist/b/c.js') },
  ],
  samples: [2, 3, 4, 5, 6, 7, 2],
  // Of each sample since the one before: the first stands for 1 ms, and so on.
  timeDeltas: [50, 1_000, 2_000, 3_000, 10_000, 4_000, 5_000],
});

describe('a CPU profile', () => {
  const { root, idleMs } = readCpuProfile(recorded, ROOT);

  it('is a tree in which a call from one place is one box, whatever V8 made of it', () => {
    const [main, collector] = root.children.values();
    expect(main).toMatchObject({ name: 'main', where: 'dist/a.js:5', selfMs: 1, totalMs: 11 });
    expect([...(main?.children.values() ?? [])].map(({ name, selfMs, totalMs }) => [name, selfMs, totalMs])).toEqual([
      ['work', 7, 10],
    ]);
    expect(collector).toMatchObject({ name: '(garbage collector)', where: '', totalMs: 4 });
  });

  it('has idle time apart', () => {
    expect([root.totalMs, idleMs]).toEqual([15, 10]);
  });

  it('sums up by function and by folder', () => {
    expect(byFunction(root).map(({ name, selfMs }) => [name, selfMs])).toEqual([
      ['work', 7],
      ['(garbage collector)', 4],
      ['(anonymous)', 3],
      ['main', 1],
    ]);
    expect(byFolder(root).map(({ name, selfMs }) => [name, selfMs])).toEqual([
      ['dist/b', 7],
      ['(garbage collector)', 4],
      ['node_modules/ws', 3],
      ['dist', 1],
    ]);
    expect(folderOf({ name: 'x', where: 'node:internal/timers:5' })).toBe('node:internal');
    expect(folderOf({ name: 'x', where: 'a/node_modules/@b/c/d.js:1' })).toBe('node_modules/@b/c');
  });

  it('is a flame graph whose boxes lie below those that called them, and beside each other', () => {
    const boxes = boxesOf(root).map(({ call, depth, left, width }) => [call.name, depth, left * 15, width * 15]);
    expect(boxes).toEqual([
      ['main', 0, 0, 11],
      ['work', 1, 0, 10],
      ['(anonymous)', 2, 0, 3],
      ['(garbage collector)', 0, 11, 4],
    ]);
  });

  it('of another kind is refused', () => {
    expect(() => readCpuProfile('{"nodes":1}', ROOT)).toThrow();
    expect(() => readCpuProfile('', ROOT)).toThrow();
  });
});

describe('a heap profile', () => {
  it('says who allocated what is held, most first', () => {
    const node = (name: string, selfSize: number, ...children: object[]): object => ({
      callFrame: frame(name, 'dist/a.js'),
      selfSize,
      children,
    });
    const text = JSON.stringify({ head: node('(root)', 0, node('a', 10, node('b', 30)), node('a', 5)) });
    expect(readHeapProfile(text, ROOT).map(({ name, bytes }) => [name, bytes])).toEqual([
      ['b', 30],
      ['a', 15],
    ]);
    expect(() => readHeapProfile('{}', ROOT)).toThrow();
  });
});

describe('the page', () => {
  it('has each thread, and nothing that a name could break out of', () => {
    const cpu = readCpuProfile(recorded.replaceAll('work', '</script><b>work'), ROOT);
    const thread = { role: 'node', pid: 7, thread: 0, cpu, heap: [] } as const;
    const page = renderProfile('<orders>', 'today', [thread, { ...thread, role: 'worker', thread: 2 }]);
    expect(page).toContain('<h2>node (process 7), main thread</h2>');
    expect(page).toContain('<h2>worker (process 7), thread 2</h2>');
    expect(page).toContain('Profile of &lt;orders&gt;');
    expect(page).not.toContain('<b>work');
    expect(page.match(/<\/script>/g)).toHaveLength(1);
    expect(page).not.toMatch(/https?:/);
  });

  it('of a thread that did nothing is one too', () => {
    const cpu = { root: { name: '', where: '', selfMs: 0, totalMs: 0, children: new Map() }, idleMs: 5 };
    expect(renderProfile('x', 'today', [{ role: 'node', pid: 1, thread: 0, cpu, heap: [] }])).not.toContain('NaN');
  });
});

describe('--out', () => {
  it.each([
    [['hot'], undefined, ['hot']],
    [['hot', '--out', 'a', '--quick'], 'a', ['hot', '--quick']],
    [['--out=a', 'hot'], 'a', ['hot']],
  ])('of %j', (args, out, rest) => {
    expect(takeOut(args)).toEqual({ out, rest });
  });

  it.each([[['hot', '--out']], [['--out', '--quick']], [['--out=']]])('is refused without a folder: %j', (args) => {
    expect(() => takeOut(args)).toThrow(UsageError);
  });
});

describe('options that are of the bench alone', () => {
  const parse = (...args: string[]) => parseFlags(args, { scenarios: [] });

  it('are refused by name, since they would be passed over', () => {
    const given = parse('--peer', 'restate', '--json', 'a.json', '--html', 'a.html', '--baseline', 'b.json');
    expect(() => mustBeOfAProfile(given)).toThrow(
      new UsageError('--peer and --json and --html and --baseline: of the bench, not of a profile; --help lists those'),
    );
    mustBeOfAProfile(parse('--quick', '--duration', '3s', '--clients', '2'));
  });
});

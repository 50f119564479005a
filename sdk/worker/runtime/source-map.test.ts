import { expect, test } from 'vitest';
import { SourceMap, StackMapper } from './source-map.ts';

// Line 1 of the generated code: column 0 → a.ts 1:1, column 10 → a.ts 3:5; line 3: column 4 → b.ts 2:2.
const MAP = JSON.stringify({ version: 3, sources: ['a.ts', 'b.ts'], names: [], mappings: 'AAAA,UAEI;;ICDH' });

test.each([
  [1, 1, { source: 'a.ts', line: 1, column: 1 }],
  [1, 10, { source: 'a.ts', line: 1, column: 1 }],
  [1, 11, { source: 'a.ts', line: 3, column: 5 }],
  [1, 500, { source: 'a.ts', line: 3, column: 5 }],
  [2, 1, undefined],
  [3, 4, undefined],
  [3, 5, { source: 'b.ts', line: 2, column: 2 }],
  [99, 1, undefined],
])('line %i column %i', (line, column, position) => {
  expect(new SourceMap(MAP, 0).find(line, column)).toEqual(position);
  expect(new SourceMap(MAP, 2).find(line + 2, column)).toEqual(position);
});

test('a bundle without a map has no positions', () => {
  expect(new SourceMap('', 0).find(1, 1)).toBeUndefined();
});

test('a stack keeps its message and the frames of the sources', () => {
  const mapper = new StackMapper('bundle.js', new SourceMap(MAP, 0));
  const stack = [
    'Error: at home',
    '    at work (bundle.js:1:11)',
    '    at async bundle.js:3:5',
    '    at sdk (bundle.js:9:1)',
    '    at Script.runInContext (node:vm:1:1)',
  ].join('\n');
  expect(mapper.map(stack)).toBe('Error: at home\n    at work (a.ts:3:5)\n    at async b.ts:2:2');
  expect(mapper.top(stack)).toEqual({ source: 'a.ts', line: 3, column: 5 });
});

// What one execution writes no other sees, in one realm, warm or replayed; and nothing of the machine is visible.

import { beforeAll, describe, expect, test } from 'vitest';
import { HostDriver } from './host-driver.test-support.ts';
import type { Realm } from './realm.ts';
import { realmOf, TestRun } from './test-run.test-support.ts';

const WORKFLOWS = `
import { sleep, condition, defineSignal, setHandler, ApplicationFailure, CancellationScope } from 'tenuto/workflow';
import { sloppy } from './sloppy.cjs';
let counter = 0;
export const go = defineSignal('go');
export async function count() { counter++; await sleep(1000); return counter; }
export async function write(name) {
  const before = globalThis[name];
  globalThis[name] = 'mine';
  await sleep(1000);
  return [before, globalThis[name], name in globalThis];
}
export async function writeSymbol() {
  const key = Symbol.for('shared');
  const before = globalThis[key];
  globalThis[key] = 1;
  await sleep(1000);
  return [before, globalThis[key]];
}
export async function bareWrite() { const first = sloppy(); await sleep(1000); return [first, sloppy()]; }
export async function define() {
  const before = typeof globalThis.defined;
  Object.defineProperty(globalThis, 'defined', { value: 1 });
  await sleep(1000);
  return [before, globalThis.defined];
}
const ways = {
  assigned: () => { globalThis.added = 1; },
  copied: () => { Object.assign(globalThis, { added: 1 }); },
  defined: () => { Object.defineProperty(globalThis, 'added', { value: 1 }); },
  definedBesides: () => { Object.defineProperties(globalThis, { added: { value: 1 } }); },
  reflected: () => { Reflect.defineProperty(globalThis, 'added', { get: () => 1 }); },
  getter: () => { globalThis.__defineGetter__('added', () => 1); },
  hiddenLater: () => { globalThis.added = 1; Object.defineProperty(globalThis, 'added', { enumerable: false }); },
  evaluated: () => { (0, eval)('var added = 1'); },
  evaluatedFunction: () => { (0, eval)('function added() {}'); },
};
export async function add(way) {
  const before = 'added' in globalThis;
  ways[way]();
  await sleep(1000);
  return [before, 'added' in globalThis];
}
const tries = {
  arrayPrototype: () => { Array.prototype.leak = 1; },
  objectPrototype: () => { Object.prototype.leak = 1; },
  promise: () => { Promise.prototype.then = () => 1; },
  dateNow: () => { Date.now = () => 0; },
  mathRandom: () => { Math.random = () => 0; },
  json: () => { JSON.stringify = () => 'x'; },
  iterator: () => { Object.getPrototypeOf([][Symbol.iterator]()).next = () => 1; },
  asyncFunction: () => { Object.getPrototypeOf(async () => {}).leak = 1; },
  sdkClass: () => { ApplicationFailure.prototype.leak = 1; },
  sdkStatic: () => { CancellationScope.current = () => 1; },
  globalArray: () => { globalThis.Array = 1; },
  redefinedGlobal: () => { Object.defineProperty(globalThis, 'Map', { value: 1 }); },
  freezeGlobal: () => { Object.freeze(globalThis); },
  prototypeOfGlobal: () => { Object.setPrototypeOf(globalThis, { evil: 1 }); },
  protoOfGlobal: () => { globalThis.__proto__ = { evil: 1 }; },
  globalsPrototype: () => { Object.getPrototypeOf(globalThis).leak = 1; },
  strictBareWrite: () => { undeclaredName = 1; },
};
export async function tamper() {
  const outcomes = {};
  for (const [name, attempt] of Object.entries(tries)) {
    try { attempt(); outcomes[name] = 'done'; } catch (error) { outcomes[name] = error.name; }
  }
  return outcomes;
}
export async function tampered() {
  return ['leak' in [], 'leak' in {}, 'evil' in globalThis, typeof Array, typeof globalThis.undeclaredName];
}
export async function overrides() {
  class Own extends Error { constructor(m) { super(m); this.name = 'Own'; this.message = 'set'; } }
  function Old() {} Old.prototype = Object.create(Error.prototype); Old.prototype.constructor = Old; Old.prototype.name = 'Old';
  const plain = {}; plain.toString = () => 'text'; plain.constructor = 1; plain.valueOf = () => 2;
  return [new Own('x').name, new Own('x').message, new Old().name, String(plain), plain.constructor, Object.keys(plain)];
}
export async function surroundings() {
  const names = ['process', 'require', 'Buffer', 'fetch', 'setImmediate', 'setInterval', 'performance', 'SharedArrayBuffer',
    'Atomics', 'WebAssembly', 'crypto', 'structuredClone', 'module'];
  const visible = names.filter((name) => typeof globalThis[name] !== 'undefined');
  let imported;
  try { await import(['node', 'fs'].join(':')); imported = 'yes'; } catch { imported = 'no'; }
  let weak; try { new WeakRef({}); weak = 'yes' } catch (error) { weak = error.name }
  let registry; try { new FinalizationRegistry(() => {}); registry = 'yes' } catch (error) { registry = error.name }
  return { visible, imported, weak, registry, escaped: Function('return typeof process')(),
    viaConstructor: (() => {}).constructor('return typeof process')() };
}
export async function typo() { return undeclaredAnywhere; }
`;
const SLOPPY = `exports.sloppy = function () { tally = (typeof tally === 'undefined' ? 0 : tally) + 1; return tally; };`;

let realm: Realm;
/** Modules only: a CommonJS file that is not strict makes the whole bundle sloppy. */
let strict: Realm;
beforeAll(async () => {
  realm = await realmOf({ 'workflows.ts': WORKFLOWS, 'sloppy.cjs': SLOPPY });
  strict = await realmOf({
    'workflows.ts': WORKFLOWS.replace('./sloppy.cjs', './none.ts'),
    'none.ts': 'export const sloppy = 1',
  });
});

/** Two runs in one host, their tasks interleaved. */
function interleaved(type: string, args: unknown[] = [], options: { cold?: true } = {}): [unknown, unknown] {
  const driver = new HostDriver(realm);
  const first = new TestRun(driver, type, args, options);
  const second = new TestRun(driver, type, args, options);
  first.task();
  second.task();
  first.fire('1');
  first.task();
  second.fire('1');
  second.task();
  return [first.result, second.result];
}

describe.each([
  ['warm', {}],
  ['replayed for every task', { cold: true }],
] as const)('%s', (_, options) => {
  test('a counter in a module reads 1 in each of two executions', () => {
    expect(interleaved('count', [], options)).toEqual([1, 1]);
  });

  test('properties of globalThis are kept for their execution', () => {
    const own = [null, 'mine', true];
    expect(interleaved('write', ['something'], options)).toEqual([own, own]);
  });

  test.each([
    ...['assigned', 'copied', 'defined', 'definedBesides', 'reflected', 'getter', 'hiddenLater', 'evaluated'],
    ...['evaluatedFunction'],
  ])('a property of globalThis that was %s is kept for its execution', (way) => {
    const own = [false, true];
    expect(interleaved('add', [way], options)).toEqual([own, own]);
  });

  test('properties of globalThis under symbols too', () => {
    expect(interleaved('writeSymbol', [], options)).toEqual([
      [null, 1],
      [null, 1],
    ]);
  });

  test('assignments to undeclared names in sloppy code too', () => {
    expect(interleaved('bareWrite', [], options)).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test('properties defined as permanent too', () => {
    expect(interleaved('define', [], options)).toEqual([
      ['undefined', 1],
      ['undefined', 1],
    ]);
  });
});

test('what executions share cannot be changed', () => {
  const run = new TestRun(strict, 'tamper');
  run.task();
  const outcomes = Object.entries(run.result as Record<string, string>);
  const expected = (name: string) => (name === 'strictBareWrite' ? 'ReferenceError' : 'TypeError');
  expect(outcomes.filter(([name, outcome]) => outcome !== expected(name))).toEqual([]);
});

test('attempts to change it from sloppy code have no effect', () => {
  const first = new TestRun(realm, 'tamper');
  first.task();
  expect(interleaved('count')).toEqual([1, 1]);
  const second = new TestRun(realm, 'tampered');
  second.task();
  expect(second.result).toEqual([false, false, false, 'function', 'undefined']);
});

test('frozen prototypes do not get in the way of ordinary assignments', () => {
  const run = new TestRun(realm, 'overrides');
  run.task();
  expect(run.result).toEqual(['Own', 'set', 'Old', 'text', 1, ['toString', 'constructor', 'valueOf']]);
});

test('nothing of the machine is visible', () => {
  const run = new TestRun(realm, 'surroundings');
  run.task();
  expect(run.result).toEqual({
    visible: [],
    imported: 'no',
    weak: 'DeterminismViolationError',
    registry: 'DeterminismViolationError',
    escaped: 'undefined',
    viaConstructor: 'undefined',
  });
});

test('a name that is declared nowhere is an error', () => {
  expect(new TestRun(realm, 'typo').failingTask().message).toBe('undeclaredAnywhere is not defined');
});

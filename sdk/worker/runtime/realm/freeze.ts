// Freezes everything that executions share: intrinsics, globals and the SDK's own objects, so that nothing one execution writes is
// seen by another. What remains writable is the global object itself, whose additions the engine keeps apart.

import { guardGlobalObject } from './guard.ts';

/** Properties that code assigns on instances or subclasses while a frozen prototype has them: made settable there. */
const ASSIGNED_ON_INSTANCES: ReadonlySet<PropertyKey> = new Set([
  'name',
  'message',
  'stack',
  'toString',
  'constructor',
]);

/**
 * A frozen prototype's data property would refuse `instance.name = …` (the language's "override mistake"). An accessor that defines
 * the property on the receiver does not.
 */
function allowOverride(prototype: object, key: PropertyKey): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, key);
  if (descriptor === undefined || !('value' in descriptor) || !descriptor.configurable) return;
  const { value, enumerable } = descriptor;
  Object.defineProperty(prototype, key, {
    get: () => value,
    set(this: unknown, next: unknown) {
      if (this === prototype)
        throw new TypeError(`Cannot assign to read only property '${String(key)}' of a shared object`);
      if ((typeof this !== 'object' && typeof this !== 'function') || this === null) return;
      if (Object.hasOwn(this, key)) Reflect.set(this, key, next);
      else Object.defineProperty(this, key, { value: next, writable: true, enumerable: true, configurable: true });
    },
    enumerable: enumerable ?? false,
    configurable: true,
  });
}

/** Objects that no property of the global object leads to. */
function hiddenIntrinsics(): unknown[] {
  const asyncGenerator = (async function* () {})();
  return [
    Object.getPrototypeOf(async () => undefined),
    Object.getPrototypeOf(function* () {}),
    Object.getPrototypeOf(async function* () {}),
    Object.getPrototypeOf(Object.getPrototypeOf(asyncGenerator)),
    Object.getPrototypeOf([][Symbol.iterator]()),
    Object.getPrototypeOf(new Map()[Symbol.iterator]()),
    Object.getPrototypeOf(new Set()[Symbol.iterator]()),
    Object.getPrototypeOf(''[Symbol.iterator]()),
    Object.getPrototypeOf('a'.matchAll(/a/g)),
    Object.getPrototypeOf(Uint8Array),
    Object.getPrototypeOf(globalThis),
  ];
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** Everything reachable from `roots` through properties, accessors and prototypes, the global object left out. */
function reachable(roots: readonly unknown[]): Set<object> {
  const seen = new Set<object>();
  const queue = roots.filter(isObject);
  for (let object = queue.pop(); object !== undefined; object = queue.pop()) {
    if (object === globalThis || seen.has(object)) continue;
    seen.add(object);
    const prototype: unknown = Object.getPrototypeOf(object);
    if (isObject(prototype)) queue.push(prototype);
    // Elements of typed arrays cannot be frozen, nor need they be walked.
    if (ArrayBuffer.isView(object)) continue;
    for (const key of Reflect.ownKeys(object)) {
      const descriptor = Reflect.getOwnPropertyDescriptor(object, key);
      for (const next of [descriptor?.value, descriptor?.get, descriptor?.set]) if (isObject(next)) queue.push(next);
    }
  }
  return seen;
}

/** Freezes the realm and what `roots` reach; `globalDefined`: see guard.ts. Run once, after the SDK was loaded and before any workflow code. */
export function freezeRealm(roots: readonly unknown[], globalDefined: () => void): void {
  const { freeze, defineProperty } = Object;
  guardGlobalObject(globalDefined);
  const globals = Object.getOwnPropertyNames(globalThis).map((name) => Reflect.get(globalThis, name));
  const shared = reachable([...globals, ...hiddenIntrinsics(), ...roots]);
  for (const object of shared) {
    const isErrorPrototype = object === Error.prototype || Object.prototype.isPrototypeOf.call(Error.prototype, object);
    if (object === Object.prototype) {
      for (const key of Object.getOwnPropertyNames(object)) if (key !== '__proto__') allowOverride(object, key);
    } else if (isErrorPrototype || object === Function.prototype) {
      for (const key of ASSIGNED_ON_INSTANCES) allowOverride(object, key);
    }
  }
  // Accessors made above are new objects.
  for (const object of reachable([...shared])) if (!ArrayBuffer.isView(object)) freeze(object);
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
    if (descriptor === undefined || !descriptor.configurable) continue;
    // With the unguarded method: what is shared must not be deletable.
    defineProperty(globalThis, name, { ...descriptor, writable: false, configurable: false });
  }
}

// Guards the global object, the one thing executions share that stays writable: what they add to it must be removable again.

/**
 * Keeps the global object deletable and extensible: no execution may lock it for the others. `defined` is called whenever code defines a property
 * of it by a descriptor: the one way to a property that is not enumerable, which is costly to look for.
 */
export function guardGlobalObject(defined: () => void): void {
  // Read once: every look at a global of a vm context costs as much as a property definition.
  const globalObject: unknown = globalThis;
  const refuse = (what: string): never => {
    throw new TypeError(`The global object of a workflow cannot be ${what}: executions share it`);
  };
  const deletable = (descriptor: PropertyDescriptor): PropertyDescriptor => {
    defined();
    return { ...descriptor, configurable: true };
  };
  const original = {
    defineProperty: Object.defineProperty,
    defineProperties: Object.defineProperties,
    reflectDefine: Reflect.defineProperty,
  };
  Object.defineProperty = function defineProperty<T>(target: T, key: PropertyKey, descriptor: PropertyDescriptor): T {
    return original.defineProperty(target, key, target === globalObject ? deletable(descriptor) : descriptor);
  };
  Object.defineProperties = function defineProperties<T>(target: T, descriptors: PropertyDescriptorMap): T {
    if (target !== globalObject) return original.defineProperties(target, descriptors);
    for (const [key, descriptor] of Object.entries(descriptors)) {
      original.defineProperty(target, key, deletable(descriptor));
    }
    return target;
  };
  Reflect.defineProperty = function defineProperty(target, key, descriptor) {
    return original.reflectDefine(target, key, target === globalObject ? deletable(descriptor) : descriptor);
  };
  const guard = (owner: object, name: string, what: string) => {
    const method: unknown = Reflect.get(owner, name);
    if (typeof method !== 'function') return;
    const guarded = (target: unknown, ...rest: unknown[]): unknown =>
      target === globalObject ? refuse(what) : Reflect.apply(method, owner, [target, ...rest]);
    original.defineProperty(guarded, 'name', { value: name });
    original.defineProperty(owner, name, { value: guarded, writable: true, enumerable: false, configurable: true });
  };
  guard(Object, 'freeze', 'frozen');
  guard(Object, 'seal', 'sealed');
  guard(Object, 'preventExtensions', 'made non-extensible');
  guard(Reflect, 'preventExtensions', 'made non-extensible');
  guard(Object, 'setPrototypeOf', 'given another prototype');
  guard(Reflect, 'setPrototypeOf', 'given another prototype');
  const proto = Object.getOwnPropertyDescriptor(Object.prototype, '__proto__');
  original.defineProperty(Object.prototype, '__proto__', {
    get(this: unknown) {
      return proto?.get?.call(this);
    },
    set(this: unknown, next: unknown) {
      if (this === globalObject) refuse('given another prototype');
      proto?.set?.call(this, next);
    },
    enumerable: false,
    configurable: true,
  });
}

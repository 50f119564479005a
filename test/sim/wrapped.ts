// A part of the real thing with some of its methods replaced: how the simulators listen in, delay, and plant bugs, from outside.

/** What `inner` is, but for what `replaced` has. Methods are looked up once: replacing them on `inner` later changes nothing here. */
export function wrapped<T extends object>(inner: T, replaced: Partial<T>): T {
  const methods = new Map<string | symbol, unknown>();
  return new Proxy(inner, {
    get(target, name) {
      const known = methods.get(name);
      if (known !== undefined) return known;
      const own: unknown = Reflect.get(replaced, name);
      const value: unknown = own ?? Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const method: unknown = own ?? value.bind(target);
      methods.set(name, method);
      return method;
    },
  });
}

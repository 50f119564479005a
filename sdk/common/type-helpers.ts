// Small questions about unknown values, and error classes whose `instanceof` works across realms and copies of the package.

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Has what an Error has; true also for errors of another realm. */
export function isError(value: unknown): value is Error {
  return (
    isRecord(value) &&
    typeof value.name === 'string' &&
    typeof value.message === 'string' &&
    (value.stack === undefined || value.stack === null || typeof value.stack === 'string')
  );
}

/** Whether `value` is the error that an aborted fetch, timer or stream throws. */
export function isAbortError(value: unknown): boolean {
  return isError(value) && value.name === 'AbortError';
}

/** `error.message`, a thrown string itself, or undefined. */
export function errorMessage(error: unknown): string | undefined {
  if (isError(error)) return error.message;
  return typeof error === 'string' ? error : undefined;
}

/** `error.code` when it is a string. */
export function errorCode(error: unknown): string | undefined {
  return isRecord(error) && typeof error.code === 'string' ? error.code : undefined;
}

/** Ends an exhaustive switch: does not compile while a case is missing. */
export function assertNever(message: string, value: never): never {
  throw new TypeError(`${message}: ${String(value)}`);
}

/** A Uint8Array (or Buffer) of any realm. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && (value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] === 'Uint8Array';
}

/** A Date of any realm. */
export function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === '[object Date]';
}

/**
 * Gives an error class its `name` and an `instanceof` that recognises instances made in another realm (a workflow's sandbox)
 * or by another copy of this package. A subclass that is not marked itself keeps the ordinary prototype check.
 */
export function markErrorClass(errorClass: { readonly prototype: Error }, name: string): void {
  const marker = Symbol.for(`__tenuto_is${name}`);
  Object.defineProperty(errorClass.prototype, 'name', { value: name, enumerable: true });
  Object.defineProperty(errorClass.prototype, marker, { value: true, enumerable: false });
  Object.defineProperty(errorClass, Symbol.hasInstance, {
    value: function hasInstance(this: { prototype: object }, value: unknown): boolean {
      if (this === errorClass) {
        return typeof value === 'object' && value !== null && Reflect.get(value, marker) === true;
      }
      return typeof value === 'object' && value !== null && Object.prototype.isPrototypeOf.call(this.prototype, value);
    },
  });
}

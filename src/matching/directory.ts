// Task queues and sticky queues by namespace and name. A queue exists while a worker serves it (sticky ones a grace period longer),
// so the directory's size follows the number of workers, never the number of names that clients make up (I9).

export class Directory<Q> {
  readonly #namespaces = new Map<string, Map<string, Q>>();

  get(namespace: string, name: string): Q | undefined {
    return this.#namespaces.get(namespace)?.get(name);
  }

  set(namespace: string, name: string, queue: Q): void {
    let names = this.#namespaces.get(namespace);
    if (names === undefined) {
      names = new Map();
      this.#namespaces.set(namespace, names);
    }
    names.set(name, queue);
  }

  of(namespace: string): Iterable<Q> {
    return this.#namespaces.get(namespace)?.values() ?? [];
  }

  delete(namespace: string, name: string): void {
    const names = this.#namespaces.get(namespace);
    if (names === undefined) return;
    names.delete(name);
    if (names.size === 0) this.#namespaces.delete(namespace);
  }
}

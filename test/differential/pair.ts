// Two servers that get the same requests, and what of their answers is not the same.

import { differencesOf, Normal } from './normal.ts';
import { type Answer, type MethodOf, type Plain, Ref, Side } from './side.ts';

/** ms; some methods wait. */
const TIMEOUT_MS = 4_000;
/** What a prerequisite may take, which the dev server of Temporal writes to SQLite. */
const PATIENCE_MS = 15_000;

export interface Difference {
  readonly method: string;
  /** What is not the same: a code, a text, a detail, or a path in the answer. */
  readonly kind: 'code' | 'text' | 'details' | 'answer';
  readonly path: string;
  readonly reference: unknown;
  readonly ours: unknown;
  readonly sample: string;
}

const CODE = { path: 'code', a: undefined, b: undefined };
const KINDS: Readonly<Record<string, Difference['kind']>> = { code: 'code', message: 'text', details: 'details' };

export class Pair {
  readonly #reference: Side;
  readonly #ours: Side;
  readonly #methods: ReadonlyMap<string, MethodOf>;
  /** Makes names of this run its own on a server that had others. */
  readonly #run = Math.random().toString(36).slice(2, 8);
  #made = 0;
  compared = 0;
  readonly differences: Difference[] = [];

  constructor(reference: string, ours: string, methods: readonly MethodOf[]) {
    this.#reference = new Side(reference);
    this.#ours = new Side(ours);
    this.#methods = new Map(methods.map((method) => [method.name, method]));
  }

  /** An id that nothing has had. */
  fresh(what: string): string {
    this.#made += 1;
    return `${what}-${this.#run}-${this.#made}`;
  }

  /** Calls both, as a prerequisite: a refusal of either is an error of the table. Fields of the answer that are named are kept by reference. */
  async prepare(name: string, request: Plain, keep: readonly string[] = []): Promise<Record<string, Ref>> {
    const [reference, ours] = await this.#both(name, request, PATIENCE_MS);
    for (const [side, answer] of [
      ['the reference', reference],
      ['ours', ours],
    ] as const) {
      if (answer.code !== 0) throw new Error(`${name} ${JSON.stringify(request)}: ${side} refuses: ${answer.message}`);
    }
    return Object.fromEntries(
      keep.map((path) => {
        const ref = new Ref(this.fresh('ref'));
        this.#reference.keep(ref.name, at(reference.body, path));
        this.#ours.keep(ref.name, at(ours.body, path));
        return [path, ref];
      }),
    );
  }

  /** Calls both and compares. Says whether both succeeded. */
  async compare(
    name: string,
    request: Plain,
    sample: string,
    normals = [new Normal(), new Normal()],
  ): Promise<boolean> {
    const [reference, ours] = await this.#both(name, request, TIMEOUT_MS);
    this.compared += 1;
    const [a, b] = [normals[0]?.answer(reference), normals[1]?.answer(ours)];
    for (const { path, a: theirs, b: own } of reference.code === ours.code ? differencesOf(a, b) : [CODE]) {
      const [first = ''] = path.split('.');
      const kind = KINDS[first] ?? 'answer';
      const texts = kind === 'code';
      this.differences.push({
        ...{ method: name, kind, path, sample },
        reference: texts ? `${reference.code} ${a?.message}` : theirs,
        ours: texts ? `${ours.code} ${b?.message}` : own,
      });
    }
    return reference.code === 0 && ours.code === 0;
  }

  close(): void {
    this.#reference.close();
    this.#ours.close();
  }

  #both(name: string, request: Plain, timeoutMs: number): Promise<[Answer, Answer]> {
    const method = this.#methods.get(name);
    if (method === undefined) throw new Error(`there is no method ${name}`);
    return Promise.all([this.#reference.call(method, request, timeoutMs), this.#ours.call(method, request, timeoutMs)]);
  }
}

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((inner, key) => (inner as Plain | undefined)?.[key], value);
}

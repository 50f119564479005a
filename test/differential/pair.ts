// Two servers that get the same requests, and what of their answers is not the same.

import { setTimeout as delay } from 'node:timers/promises';
import { accepted } from './accepted.ts';
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

/** ms that effects of a call may take. */
const SETTLE_MS = 1_500;
const AGAIN_MS = 40;
const TRIES = 4;
export type Again = (answer: Answer) => boolean;
const NEVER: Again = () => false;

const KINDS: Readonly<Record<string, Difference['kind']>> = { code: 'code', message: 'text', details: 'details' };

/** One request for both, or one for each where what they call things is in a key. */
export type Asked = Plain | readonly [Plain, Plain];

/** Of two differences that are the same but for what they are about: the same. */
export function keyOf({ kind, method, path, reference, ours }: Difference): string {
  const said = kind === 'answer' ? [kindOf(reference), kindOf(ours)] : [text(reference), text(ours)];
  return [kind, method, path, ...said]
    .join('\n')
    .replace(/[a-zA-Z]+-[a-z0-9]{6}-\d+/g, 'it')
    .replace(/(?<![a-z])(uuid#\d+|no-such-thing|x{20,})/g, 'it')
    .replace(/\d+/g, '9');
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));
/** Whole messages by their fields, other values as they are. */
const kindOf = (value: unknown): string =>
  typeof value === 'object' && value !== null ? `{${Object.keys(value).join()}}` : text(value);

/** Lists have what others have made: the conditions of some find it. That lists are right is for sequences to find. */
const LISTS = /^(List|Scan|Count)/;
const listless = (method: string, answer: Answer): Answer =>
  LISTS.test(method) && answer.code === 0 ? { ...answer, body: {} } : answer;

export class Pair {
  readonly #reference: Side;
  readonly #ours: Side;
  readonly #methods: ReadonlyMap<string, MethodOf>;
  /** Makes names of this run its own on a server that had others. */
  readonly #run = Math.random().toString(36).slice(2, 8);
  #made = 0;
  compared = 0;
  readonly differences: Difference[] = [];
  readonly #seen = new Set<string>();

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
    const [reference, ours] = await this.ask(name, request, PATIENCE_MS);
    for (const [side, answer] of [
      ['the reference', reference],
      ['ours', ours],
    ] as const) {
      if (answer.code !== 0) throw new Error(`${name} ${JSON.stringify(request)}: ${side} refuses: ${answer.message}`);
    }
    return Object.fromEntries(keep.map((path) => [path, this.keep(at(reference.body, path), at(ours.body, path))]));
  }

  /** One name for what each of the two has. */
  keep(ofReference: unknown, ofOurs: unknown): Ref {
    const ref = new Ref(this.fresh('ref'));
    this.#reference.keep(ref.name, ofReference);
    this.#ours.keep(ref.name, ofOurs);
    return ref;
  }

  /** Calls both and compares. Says whether both succeeded. */
  async compare(
    name: string,
    request: Plain,
    sample: string,
    normals = [new Normal(), new Normal()],
  ): Promise<boolean> {
    const answers = await this.ask(name, request, TIMEOUT_MS);
    this.compared += 1;
    this.differences.push(...this.#unlike(name, answers, sample, normals));
    return answers.every(({ code }) => code === 0);
  }

  /** Reads from both until they say the same, or have had the time that effects may take; what differed before is not waited for. */
  async read(name: string, request: Plain, sample: string, normals: readonly Normal[]): Promise<void> {
    const until = performance.now() + SETTLE_MS;
    this.compared += 1;
    for (;;) {
      const copies = normals.map((normal) => normal.copy());
      const unlike = this.#unlike(name, await this.ask(name, request, TIMEOUT_MS), sample, copies);
      const known = unlike.every((one) => this.#seen.has(keyOf(one)));
      if (!known && performance.now() < until) {
        await delay(AGAIN_MS);
        continue;
      }
      this.differences.push(...unlike);
      for (const one of unlike) this.#seen.add(keyOf(one));
      return;
    }
  }

  #unlike(
    method: string,
    [reference, ours]: readonly Answer[],
    sample: string,
    normals: readonly Normal[],
  ): Difference[] {
    if (reference === undefined || ours === undefined) return [];
    const [a, b] = [normals[0]?.answer(listless(method, reference)), normals[1]?.answer(listless(method, ours))];
    const codes = { path: 'code', a: `${reference.code} ${a?.message ?? ''}`, b: `${ours.code} ${b?.message ?? ''}` };
    return (reference.code === ours.code ? differencesOf(a, b) : [codes])
      .filter((one) => !accepted(method, one))
      .map(({ path, a: theirs, b: own }) => {
        const [first = ''] = path.split('.');
        return { method, kind: KINDS[first] ?? 'answer', path, sample, reference: theirs, ours: own };
      });
  }

  close(): void {
    this.#reference.close();
    this.#ours.close();
  }

  /** The answers of the reference and of ours. */
  ask(name: string, request: Asked, timeoutMs: number, again?: Again): Promise<[Answer, Answer]> {
    return Promise.all(this.each(name, request, timeoutMs, again));
  }

  /** The same, each when it comes. A side whose answer is to be asked for `again` is asked so, a few times. */
  each(name: string, request: Asked, timeoutMs: number, again: Again = NEVER): [Promise<Answer>, Promise<Answer>] {
    const method = this.#methods.get(name);
    if (method === undefined) throw new Error(`there is no method ${name}`);
    const [reference, ours] = Array.isArray(request) ? (request as readonly Plain[]) : [request as Plain, request];
    const asked = async (side: Side, message: Plain): Promise<Answer> => {
      for (let left = TRIES; ; left -= 1) {
        const answer = await side.call(method, message, timeoutMs);
        if (left === 1 || !again(answer)) return answer;
      }
    };
    return [asked(this.#reference, reference ?? {}), asked(this.#ours, (ours ?? {}) as Plain)];
  }
}

export function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((inner, key) => (inner as Plain | undefined)?.[key], value);
}

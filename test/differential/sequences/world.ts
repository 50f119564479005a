// What a sequence has come to on both servers, and what of it is compared: each answer as it comes, and after each step what can be read of all that the
// sequence has made. Servers take their time between an answer and its effects, so what is read is read again for a while before it is called different.

import { setTimeout as delay } from 'node:timers/promises';
import { accepted } from '../accepted.ts';
import { differencesOf, Normal, type Unlike } from '../normal.ts';
import { type Again, type Asked, at, type Pair } from '../pair.ts';
import type { Answer, Plain, Ref } from '../side.ts';

export const namespace = 'default';
const CALL_MS = 10_000;
/** How long effects may take. The reference lets the next run of a workflow begin a second after the one before. */
const SETTLE_MS = 4_000;
const AGAIN_MS = 30;
/** After so long either server answers that it still waits. */
const LONG_POLL_MS = 12_000;
/** A call that waits for what a worker says. */
const WAIT_MS = 60_000;

/** What is not the same at one place. */
export interface Finding extends Unlike {
  readonly method: string;
  /** Of the step after which it was seen, from 0. */
  readonly step: number;
  /** The same where and how: the same key. */
  readonly key: string;
}

/** The two have gone different ways: what comes after says nothing. */
export class Parted extends Error {}

const kindOf = (value: unknown): string =>
  typeof value === 'object' && value !== null ? `{${Object.keys(value).join()}}` : JSON.stringify(value ?? null);
/** Without what ids and numbers there are. */
const general = (text: string): string =>
  text.replace(/\b(s|ref|request|job)-[a-z0-9]{6}-\d+/g, 'it').replace(/\d+/g, '9');
const keyOf = (method: string, { path, a, b }: Unlike): string =>
  general([method, path, kindOf(a), kindOf(b)].join(' '));

interface Background {
  readonly name: string;
  readonly answers: Promise<readonly [Answer, Answer]>;
  /** ms. */
  readonly began: number;
  /** How many of the two have answered. */
  answered: number;
  /** Which one has first. */
  first: 'the reference' | 'ours' | undefined;
}

export type Bodies = readonly [Plain, Plain];

export class World {
  readonly pair: Pair;
  /** Begins every id of this play. */
  readonly prefix: string;
  #normals: readonly [Normal, Normal] = [new Normal(), new Normal()];
  readonly #reads = new Map<string, readonly [string, Plain]>();
  readonly #background = new Set<Background>();
  #last = new Map<string, Bodies>();
  compared = 0;
  /** Of the step that is played. */
  step = 0;
  /** By key. What was found once is not waited for again. */
  readonly findings = new Map<string, Finding>();
  /** Methods and paths of them: seen in what is watched after every step. */
  readonly #passed = new Set<string>();

  constructor(pair: Pair) {
    this.pair = pair;
    this.prefix = pair.fresh('s');
  }

  id(kind: string, on: number): string {
    return `${this.prefix}-${kind}${on}`;
  }

  /** Calls both and compares. The two bodies, if both have succeeded. */
  async call(name: string, request: Asked, again?: Again): Promise<Bodies | undefined> {
    const answers = await this.pair.ask(name, request, CALL_MS, again);
    this.#found(name, this.#unlike(name, answers));
    return bodiesOf(answers);
  }

  /** A poll for what both say is there. A busy reference finds it at its next poll, or the one after. */
  poll(name: string, request: Asked): Promise<Bodies | undefined> {
    return this.call(name, request, ({ code, body }) => code === 0 && body.taskToken === undefined);
  }

  /** A call that waits for what later steps do. The reference forgets updates that no worker has accepted when another call fails, and says so: clients ask again. */
  async begin(name: string, request: Plain): Promise<void> {
    const [reference, ours] = this.pair.each(name, request, WAIT_MS, ({ code }) => code === UNAVAILABLE);
    const one: Background = {
      name,
      answers: Promise.all([reference, ours]),
      answered: 0,
      first: undefined,
      began: performance.now(),
    };
    const done = (who: Background['first']) => (): void => {
      one.answered += 1;
      one.first ??= who;
    };
    void reference.then(done('the reference'));
    void ours.then(done('ours'));
    this.#background.add(one);
  }

  /** Whether a call of such methods has not been answered. */
  waitsFor(...methods: string[]): boolean {
    return [...this.#background].some(({ name, answered }) => answered === 0 && methods.includes(name));
  }

  /** From now on read after each step. */
  watch(what: string, name: string, request: Plain): void {
    this.#reads.set(what, [name, request]);
  }

  /** Numbers of those of a kind that are watched. */
  watched(kind: string): number[] {
    return [...this.#reads.keys()]
      .filter((what) => what.startsWith(`${kind} `))
      .map((what) => Number(what.split(' ')[1]));
  }

  /** What the reference has said last of something that is watched, and ours the same. */
  last(what: string): Plain | undefined {
    return this.#last.get(what)?.[0];
  }

  /** The same of both, for ids that each has made. */
  lasts(what: string): Bodies | undefined {
    return this.#last.get(what);
  }

  keep([a, b]: Bodies, path: string): Ref {
    return this.pair.keep(at(a, path), at(b, path));
  }

  /** Reads all that is watched, and what waits. */
  async settle(): Promise<void> {
    const until = performance.now() + SETTLE_MS;
    for (;;) {
      const late = performance.now() > until;
      const same = (await this.#backgrounds(late)) && (await this.#watched(late));
      if (same || late) return;
      await delay(AGAIN_MS);
    }
  }

  /** Reads until both say the same. */
  async eventually(name: string, request: Plain): Promise<void> {
    const until = performance.now() + SETTLE_MS;
    for (;;) {
      const unlike = this.#unlike(name, await this.pair.ask(name, request, CALL_MS));
      if (unlike.length === 0) return;
      if (performance.now() > until) return this.#found(name, unlike);
      await delay(AGAIN_MS);
    }
  }

  /** Waits until all that waits is answered, as long as effects may take. */
  async finish(): Promise<void> {
    const until = performance.now() + SETTLE_MS;
    while (this.#background.size > 0 && performance.now() < until) {
      await this.#backgrounds(false);
      await delay(AGAIN_MS);
    }
    await this.#backgrounds(true);
  }

  /** Ends what was left open, whatever each of the two says to it. */
  async clear(): Promise<void> {
    for (const on of this.watched('describe')) {
      const workflowExecution = { workflowId: this.id('w', on) };
      await this.pair.ask('TerminateWorkflowExecution', { namespace, workflowExecution }, CALL_MS);
    }
    for (const on of this.watched('activity')) {
      await this.pair.ask('TerminateActivityExecution', { namespace, activityId: this.id('a', on) }, CALL_MS);
    }
    for (const on of this.watched('schedule')) {
      await this.pair.ask('DeleteSchedule', { namespace, scheduleId: this.id('schedule', on) }, CALL_MS);
    }
  }

  /** Whether all was the same. @param late it is not going to be, if not now */
  async #watched(late: boolean): Promise<boolean> {
    const last = new Map<string, Bodies>();
    const kept = this.#normals;
    for (const [what, [name, request]] of this.#reads) {
      const answers = await this.pair.ask(name, request, CALL_MS);
      const unlike = this.#unlike(name, answers);
      if (unlike.length > 0 && !late) {
        this.#normals = kept;
        return false;
      }
      this.#found(name, unlike);
      last.set(what, bodiesOf(answers) ?? [{}, {}]);
    }
    this.#last = last;
    return true;
  }

  async #backgrounds(late: boolean): Promise<boolean> {
    for (const one of this.#background) {
      if (one.answered === 0) continue;
      if (one.answered === 2) {
        this.#background.delete(one);
        this.#found(one.name, this.#unlike(one.name, await one.answers));
      } else if (late && performance.now() - one.began > LONG_POLL_MS) {
        // One of the two has said how far it has come, as both do after a while.
        this.#background.delete(one);
      } else if (late) {
        this.#background.delete(one);
        const unlike = { path: 'answered', a: one.first, b: 'not yet' };
        this.#found(one.name, accepted(one.name, unlike) ? [] : [unlike]);
      } else {
        return false;
      }
    }
    return true;
  }

  /** Where two answers are not the same, but for what is accepted and what was found before. What they have made is known from now on, if they are the same. */
  #unlike(name: string, [reference, ours]: readonly [Answer, Answer]): Unlike[] {
    // A machine that is too busy: nothing can be said of what comes after.
    if (reference.code === DEADLINE_EXCEEDED || ours.code === DEADLINE_EXCEEDED) throw new Parted();
    this.compared += 1;
    const normals = [this.#normals[0].copy(), this.#normals[1].copy()] as const;
    const [a, b] = [normals[0].answer(shownOf(reference)), normals[1].answer(shownOf(ours))];
    const said = { path: 'code', a: `${reference.code} ${a.message ?? ''}`, b: `${ours.code} ${b.message ?? ''}` };
    const unlike = (reference.code === ours.code ? differencesOf(a, b) : [said]).filter(
      (one) =>
        // In which words something is refused is for single requests to compare.
        one.path !== 'message' &&
        !accepted(name, one) &&
        !this.findings.has(keyOf(name, one)) &&
        !this.#passed.has(`${name} ${one.path}`),
    );
    if (unlike.length === 0) this.#normals = normals;
    return unlike;
  }

  /** @throws Parted where the codes are not the same */
  #found(method: string, unlike: readonly Unlike[]): void {
    for (const one of unlike) {
      const key = keyOf(method, one);
      this.findings.set(key, { ...one, method, key, step: this.step });
      this.#passed.add(`${method} ${one.path}`);
    }
    if (unlike.some(({ path }) => path === 'code' || path === 'answered')) throw new Parted();
  }
}

/** Which schedule was met is its id; what runs below it is each server's own. */
const shownOf = (answer: Answer): Answer => ({
  ...answer,
  details: answer.details.map(({ runId, ...detail }) =>
    answer.code === ALREADY_EXISTS ? detail : { runId, ...detail },
  ),
});
const ALREADY_EXISTS = 6;
const UNAVAILABLE = 14;
const DEADLINE_EXCEEDED = 4;

const bodiesOf = ([reference, ours]: readonly [Answer, Answer]): Bodies | undefined =>
  reference.code === 0 && ours.code === 0 ? [reference.body, ours.body] : undefined;

// The search attributes of namespaces as this node's door knows them. Asked of the engine when a request names some that are not known here, or were
// looked up too long ago: so what was just registered, on whichever node, is known everywhere at once, and what was removed is forgotten soon.

import { type AttributeTypes, checkAttributes, SYSTEM_ATTRIBUTES, settableType } from '../core/visibility/index.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine, RegisteredAttributes } from '../ports/engine.ts';
import type { SearchAttributes } from '../wire/common.ts';
import type { Status } from '../wire/status.ts';
import { invalid } from './validate/check.ts';

/** How long what was looked up is taken for granted, ms: a removal on another node is not heard of. */
const FRESH_MS = 5_000;
/** Namespaces kept; they come from the configuration, or were checked against it. */
const MAX_KEPT = 10_000;

interface Known {
  readonly types: AttributeTypes;
  readonly atMs: number;
}

export type AttributesDone = (error: Status | undefined, types: AttributeTypes) => void;

export type StampedDone = (error: Status | undefined, attributes: SearchAttributes | undefined) => void;

const NONE: AttributeTypes = new Map();

export class AttributeDirectory {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();
  /** Look-ups under way, and who waits for them. */
  readonly #asked = new Map<string, AttributesDone[]>();

  constructor(engine: Engine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /** @param suffices whether these are enough to go on with; else the namespace's are looked up, once. */
  with(namespace: string, suffices: (types: AttributeTypes) => boolean, done: AttributesDone): void {
    if (suffices(NONE)) {
      done(undefined, NONE);
      return;
    }
    const known = this.#fresh(namespace);
    if (known !== undefined && suffices(known)) done(undefined, known);
    else this.lookUp(namespace, done);
  }

  /** All of a namespace, as of a few seconds ago at most. */
  fresh(namespace: string, done: AttributesDone): void {
    const known = this.#fresh(namespace);
    if (known === undefined) this.lookUp(namespace, done);
    else done(undefined, known);
  }

  #fresh(namespace: string): AttributeTypes | undefined {
    const known = this.#known.get(namespace);
    return known !== undefined && this.#clock.monotonic() - known.atMs < FRESH_MS ? known.types : undefined;
  }

  /** What a start brings along, with its types on it; refused as INVALID_ARGUMENT where one does not fit. */
  stamped(namespace: string, attributes: SearchAttributes | undefined, done: StampedDone): void {
    this.with(namespace, covers(attributes), (error, types) => {
      const stamped = error === undefined ? stamp(namespace, attributes, types) : undefined;
      if (stamped === undefined) done(error, undefined);
      else if ('problem' in stamped) done(invalid(stamped.problem).status, undefined);
      else done(undefined, stamped.attributes);
    });
  }

  lookUp(namespace: string, done: AttributesDone): void {
    const waiting = this.#asked.get(namespace);
    if (waiting !== undefined) {
      waiting.push(done);
      return;
    }
    this.#asked.set(namespace, [done]);
    // As of now: what is registered while it is looked up may be missing.
    const atMs = this.#clock.monotonic();
    this.#engine.searchAttributes(namespace, (error, registered) => {
      const types = registered === undefined ? NONE : this.learn(namespace, registered, atMs);
      const told = this.#asked.get(namespace) ?? [];
      this.#asked.delete(namespace);
      for (const tell of told) tell(error, types);
    });
  }

  learn(namespace: string, registered: RegisteredAttributes, atMs = this.#clock.monotonic()): AttributeTypes {
    const types: AttributeTypes = new Map(Object.entries(registered));
    if (this.#known.size >= MAX_KEPT) this.#known.clear();
    this.#known.set(namespace, { types, atMs });
    return types;
  }
}

/** Whether the types say of each of these whether it may be set. */
export const covers =
  (attributes: SearchAttributes | undefined) =>
  (types: AttributeTypes): boolean =>
    Object.keys(attributes?.indexedFields ?? {}).every(
      (name) => SYSTEM_ATTRIBUTES.has(name) || settableType(types, name) !== undefined,
    );

export type Stamped = { attributes: SearchAttributes | undefined } | { problem: string };

/** The attributes with their types on them, or what is wrong with one. */
export function stamp(namespace: string, attributes: SearchAttributes | undefined, types: AttributeTypes): Stamped {
  if (attributes?.indexedFields === undefined) return { attributes };
  const checked = checkAttributes(namespace, attributes.indexedFields, types);
  return 'problem' in checked ? checked : { attributes: { ...attributes, indexedFields: checked.fields } };
}

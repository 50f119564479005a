// The name of a signal, query or update, given as itself or as its definition. A definition that is undefined is an import that was not there (a
// circle of modules, a misspelt name in JavaScript): it is said so, and which call got it.

const WORDS = {
  signal: ['A signal', 'defineSignal'],
  query: ['A query', 'defineQuery'],
  update: ['An update', 'defineUpdate'],
} as const;

/** @throws TypeError for what is neither a name nor has one. */
export function nameOfDefinition(kind: keyof typeof WORDS, def: string | { name: string }): string {
  // What users' JavaScript gives may be anything.
  const given: unknown = def;
  if (typeof given === 'string' && given !== '') return given;
  const name: unknown = typeof given === 'object' && given !== null ? Reflect.get(given, 'name') : undefined;
  if (typeof name === 'string' && name !== '') return name;
  const got =
    given === ''
      ? 'an empty text'
      : given === null
        ? 'null'
        : typeof given === 'object'
          ? 'an object without a name'
          : typeof given;
  const [a, define] = WORDS[kind];
  throw new TypeError(
    `${a} is meant by its name or by what ${define}() returned, not by ${got}: is it imported from where it is defined?`,
  );
}

// Reads what a package exports from its type declarations, following re-exports into other files and packages. TypeScript 7 has no
// JavaScript API, and declarations are regular enough to be read without one: used by the migration table and its test only.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/**
 * @typedef {'value' | 'type'} Kind `value`: there at run time (a class, a function, an enum, a constant); else a type only.
 * @typedef {{ kind: Kind, deprecated: boolean }} Export
 */

const DECLARATION =
  /^export (?:declare )?(?:abstract )?(class|function|const|let|var|enum|const enum|namespace|interface|type) ([\w$]+)/;
/** Followed by a list, these begin something else than a declaration. */
const STAR = /^export (type )?\* (?:as ([\w$]+) )?from ['"]([^'"]+)['"]/;
const LIST = /^export (type )?\{([^}]*)\}(?: from ['"]([^'"]+)['"])?/;
const IMPORT_LIST = /^import (?:type )?\{([^}]*)\} from ['"]([^'"]+)['"]/gm;
const IMPORT_NAMESPACE = /^import (?:type )?\* as ([\w$]+) from ['"]/gm;
const LOCAL =
  /^(?:declare )?(?:abstract )?(class|function|const|let|var|enum|const enum|namespace|interface|type) ([\w$]+)/gm;

const kindOf = (word) => (word === 'interface' || word === 'type' ? 'type' : 'value');

/** Comments as blanks of one character, so that what they say about deprecation can be asked for by position. */
function withoutComments(source) {
  const comments = [];
  const code = source.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, (comment, at) => {
    comments.push({ end: at + comment.length, deprecated: comment.includes('@deprecated') });
    return comment.replaceAll(/[^\n]/g, ' ');
  });
  return { code, comments };
}

/** What stands right before `at`, white space apart, is a comment that says so. */
function deprecatedBefore(code, comments, at) {
  // Comments are in order: the last that ends before `at`, by halving (the protocol's declarations have 100,000).
  let [low, high] = [0, comments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (comments[middle].end <= at) low = middle + 1;
    else high = middle;
  }
  const last = comments[low - 1];
  return last?.deprecated === true && code.slice(last.end, at).trim() === '';
}

/** `a as b, type c` → [{ name: 'b', original: 'a', type: false, at }, …] with each one's place in the list. */
function names(list) {
  const found = [];
  for (const match of list.matchAll(/(type )?([\w$]+)(?: as ([\w$]+))?\s*(?:,|$)/g)) {
    const [, type, original, renamed] = match;
    found.push({ name: renamed ?? original, original, type: type !== undefined, at: match.index });
  }
  return found;
}

function declarationFile(path) {
  const bare = path.replace(/\.(js|ts)$/, '');
  const candidates = [path, `${bare}.d.ts`, `${path}.d.ts`, join(path, 'index.d.ts')];
  return candidates.find((file) => existsSync(file) && statSync(file).isFile() && file.endsWith('.ts'));
}

/** @returns {string | undefined} The declarations of a package's entry, or of a file in it, looked up from `from`. */
function packageFile(specifier, from) {
  const [name = '', inside] = /^((?:@[^/]+\/)?[^/]+)\/?(.*)$/.exec(specifier)?.slice(1) ?? [];
  for (let folder = from; ; folder = dirname(folder)) {
    const manifest = join(folder, 'node_modules', name, 'package.json');
    if (existsSync(manifest)) {
      const { types, main } = JSON.parse(readFileSync(manifest, 'utf8'));
      return declarationFile(join(dirname(manifest), inside || (types ?? main ?? 'index.d.ts')));
    }
    if (folder === dirname(folder)) return undefined;
  }
}

function target(specifier, file) {
  const from = dirname(file);
  return specifier.startsWith('.') ? declarationFile(resolve(from, specifier)) : packageFile(specifier, from);
}

/**
 * @param {string} file A `.d.ts`.
 * @returns {Map<string, Export>} Every name it exports; `default` is left out.
 */
export function exportsOf(file, cache = new Map()) {
  const known = cache.get(file);
  if (known !== undefined) return known;
  const found = new Map();
  cache.set(file, found);
  const { code, comments } = withoutComments(readFileSync(file, 'utf8'));
  const add = (name, kind, deprecated) => {
    const before = found.get(name);
    // A name may be a value and a type: what is there at run time decides.
    if (before === undefined || (before.kind === 'type' && kind === 'value')) found.set(name, { kind, deprecated });
  };
  const of = (specifier) => {
    const next = target(specifier, file);
    return next === undefined ? new Map() : exportsOf(next, cache);
  };
  for (const { index } of code.matchAll(/^export /gm)) {
    const rest = code.slice(index);
    const deprecated = deprecatedBefore(code, comments, index);
    const [, word, name] = DECLARATION.exec(rest) ?? [];
    if (name !== undefined) {
      add(name, kindOf(word), deprecated);
      continue;
    }
    const star = STAR.exec(rest);
    if (star !== null) {
      const [, type, namespace, specifier] = star;
      if (namespace !== undefined) add(namespace, type === undefined ? 'value' : 'type', deprecated);
      else
        for (const [inner, entry] of of(specifier))
          add(inner, type === undefined ? entry.kind : 'type', entry.deprecated);
      continue;
    }
    const list = LIST.exec(rest);
    if (list === null) continue;
    const [whole, allTypes, inside, specifier] = list;
    const insideAt = index + whole.indexOf('{') + 1;
    const local = specifier === undefined ? localsOf(code, of) : of(specifier);
    for (const item of names(inside)) {
      const origin = local.get(item.original);
      const kind = allTypes !== undefined || item.type ? 'type' : (origin?.kind ?? 'value');
      const itself = deprecatedBefore(code, comments, insideAt + item.at);
      add(item.name, kind, deprecated || itself || origin?.deprecated === true);
    }
  }
  found.delete('default');
  return found;
}

/** What a file declares or imports without exporting it at once. */
function localsOf(code, of) {
  const found = new Map();
  for (const [, word, name] of code.matchAll(LOCAL)) {
    if (found.get(name)?.kind !== 'value') found.set(name, { kind: kindOf(word), deprecated: false });
  }
  for (const [, list, specifier] of code.matchAll(IMPORT_LIST)) {
    for (const { name, original } of names(list)) {
      const origin = of(specifier).get(original);
      if (origin !== undefined) found.set(name, origin);
    }
  }
  for (const [, name] of code.matchAll(IMPORT_NAMESPACE)) found.set(name, { kind: 'value', deprecated: false });
  return found;
}

/** @param {string} root Where `node_modules` is. */
export function exportsOfPackage(name, root, cache = new Map()) {
  const file = packageFile(name, root);
  if (file === undefined) throw new Error(`${name} has no type declarations below ${root}: is it installed?`);
  return exportsOf(file, cache);
}

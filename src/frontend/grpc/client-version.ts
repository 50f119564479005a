// What a client says of itself with each call: its name and version, and which server it wants. One that is mistaken about either is told so by the
// reference server, and so here, in its words; of a client that does not say both name and version nothing is asked.

import { type Status, StatusCode } from '../../wire/status.ts';

/** What is wrong with a text that is no version, or no range of versions. */
class Malformed extends Error {}

interface Version {
  readonly numbers: readonly [number, number, number];
  /** Parts of what comes after a hyphen: such a version comes before the one without. What comes after a plus does not count. */
  readonly before: readonly string[];
}

const PARTS = ['Major', 'Minor', 'Patch'] as const;
const DIGITS = /^\d+$/;
const LABEL = /^[0-9A-Za-z-]+$/;

function numberOf(text: string, part: (typeof PARTS)[number]): number {
  if (!DIGITS.test(text)) throw new Malformed(`Invalid character(s) found in ${part.toLowerCase()} number "${text}"`);
  if (text.length > 1 && text.startsWith('0')) {
    throw new Malformed(`${part} number must not contain leading zeroes "${text}"`);
  }
  return Number(text);
}

/** As semantic versioning has it: neither shorter nor with anything in front. */
function versionOf(text: string): Version {
  const [major, minor, ...rest] = text.split('.');
  if (major === undefined || minor === undefined || rest.length === 0) {
    throw new Malformed('No Major.Minor.Patch elements found');
  }
  const [plain = ''] = rest.join('.').split('+');
  const hyphen = plain.indexOf('-');
  const patch = hyphen < 0 ? plain : plain.slice(0, hyphen);
  const numbers = [numberOf(major, 'Major'), numberOf(minor, 'Minor'), numberOf(patch, 'Patch')] as const;
  const before = hyphen < 0 ? [] : plain.slice(hyphen + 1).split('.');
  const bad = before.find((label) => !LABEL.test(label));
  if (bad === '') throw new Malformed('Prerelease is empty');
  if (bad !== undefined) throw new Malformed(`Invalid character(s) found in prerelease "${bad}"`);
  return { numbers, before };
}

function compareLabels(a: string, b: string): number {
  if (a === b) return 0;
  if (DIGITS.test(a) && DIGITS.test(b)) return Number(a) - Number(b);
  if (DIGITS.test(a) !== DIGITS.test(b)) return DIGITS.test(a) ? -1 : 1;
  return a < b ? -1 : 1;
}

function compare(a: Version, b: Version): number {
  for (const i of [0, 1, 2] as const) if (a.numbers[i] !== b.numbers[i]) return a.numbers[i] - b.numbers[i];
  if (a.before.length === 0 || b.before.length === 0) return b.before.length - a.before.length;
  for (const [i, label] of a.before.entries()) {
    const other = b.before[i];
    const order = other === undefined ? 1 : compareLabels(label, other);
    if (order !== 0) return order;
  }
  return a.before.length - b.before.length;
}

type Range = (version: Version) => boolean;
const COMPARED: Readonly<Record<string, (order: number) => boolean>> = {
  '': (order) => order === 0,
  '=': (order) => order === 0,
  '==': (order) => order === 0,
  '!': (order) => order !== 0,
  '!=': (order) => order !== 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
};

function termOf(term: string): Range {
  const [, operator = '', text = ''] = /^([^\dx*]*)(.*)$/.exec(term) ?? [];
  if (text === '') throw new Malformed(`Could not get version from string: "${term}"`);
  const holds = COMPARED[operator];
  if (holds === undefined) {
    throw new Malformed(`Could not parse Range "${term}": Could not parse comparator "${operator}" in "${term}"`);
  }
  const wildcard = /^(\d+)(?:\.(\d+))?\.x(?:\.x)?$/.exec(text);
  if (wildcard !== null) return wildcardRange(operator, Number(wildcard[1]), wildcard[2]);
  try {
    const wanted = versionOf(text);
    return (version) => holds(compare(version, wanted));
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new Malformed(
      `Could not parse Range "${term}": Could not parse version "${text}" in "${term}": ${error.message}`,
    );
  }
}

/** All versions from the first of these on, before the first of the next. */
function wildcardRange(operator: string, major: number, minor: string | undefined): Range {
  const at = (a: number, b: number): Version => ({ numbers: [a, b, 0], before: [] });
  const from = at(major, Number(minor ?? 0));
  const to = minor === undefined ? at(major + 1, 0) : at(major, Number(minor) + 1);
  const isAfter: Range = (version) => compare(version, to) >= 0;
  const isBefore: Range = (version) => compare(version, from) < 0;
  switch (operator) {
    case '>':
      return isAfter;
    case '>=':
      return (version) => !isBefore(version);
    case '<':
      return isBefore;
    case '<=':
      return (version) => !isAfter(version);
    case '!':
    case '!=':
      return (version) => isBefore(version) || isAfter(version);
    default:
      return (version) => !isBefore(version) && !isAfter(version);
  }
}

/** Alternatives, each of terms that must all hold. */
function rangeOf(text: string): Range {
  const alternatives = text.split('||').map((one) => one.trim());
  if (alternatives[0] === '') throw new Malformed("First element in range is '||'");
  if (alternatives.at(-1) === '') throw new Malformed("Last element in range is '||'");
  const ranges = alternatives.map((one) =>
    // A space may come after what compares.
    one
      .replace(/([<>=!])\s+(?=[\dx*])/g, '$1')
      .split(/\s+/)
      .map(termOf),
  );
  return (version) => ranges.some((terms) => terms.every((term) => term(version)));
}

/** Texts come with each call and are few: what was made of them is kept, up to so many (I9). */
const MAX_KEPT = 200;

export interface ServedVersions {
  /** What this server says it is compatible with. */
  readonly server: string;
  /** By the names of clients, which of their versions are served: others are not asked for theirs. */
  readonly clients: Readonly<Record<string, string>>;
}

/** Says whom to refuse; undefined: it may go on. */
export type ClientRefusal = (header: (name: string) => string | undefined) => Status | undefined;

export function clientRefusals(served: ServedVersions): ClientRefusal {
  const known = new Map<string, Status | undefined>();
  return (header) => {
    const name = header('client-name') ?? '';
    const version = header('client-version') ?? '';
    if (name === '' || version === '') return undefined;
    const wanted = header('supported-server-versions') ?? '';
    // No header has a line's end in it.
    const key = `${name}\n${version}\n${wanted}`;
    const before = known.get(key);
    if (before !== undefined || known.has(key)) return before;
    if (known.size >= MAX_KEPT) known.clear();
    const refusal = refusalOf(served, name, version, wanted);
    known.set(key, refusal);
    return refusal;
  };
}

/** Of what a client says, in a refusal: characters. */
const MAX_SAID = 200;

function refusalOf(served: ServedVersions, name: string, version: string, wanted: string): Status | undefined {
  const of = Object.hasOwn(served.clients, name) ? served.clients[name] : undefined;
  const said = version.slice(0, MAX_SAID);
  if (of !== undefined) {
    const given = understood(() => versionOf(version));
    if (typeof given === 'string') return malformed('client version', given);
    if (!rangeOf(of)(given)) {
      return {
        code: StatusCode.FAILED_PRECONDITION,
        message: `Client version ${said} is not supported. Server supports ${name} versions: ${of}`,
        detail: { kind: 'ClientVersionNotSupported', clientVersion: said, clientName: name, supportedVersions: of },
      };
    }
  }
  if (wanted === '') return undefined;
  const range = understood(() => rangeOf(wanted));
  if (typeof range === 'string') return malformed('supported server versions', range);
  if (range(versionOf(served.server))) return undefined;
  const versions = wanted.slice(0, MAX_SAID);
  return {
    code: StatusCode.FAILED_PRECONDITION,
    message: `Server version ${served.server} is not supported. Client supports server versions: ${versions}`,
    detail: { kind: 'ServerVersionNotSupported', serverVersion: served.server, wanted: versions },
  };
}

/** A text says what is wrong with it. */
function understood<T>(make: () => T): T | string {
  try {
    return make();
  } catch (error) {
    if (error instanceof Malformed) return error.message;
    throw error;
  }
}

const malformed = (what: string, why: string): Status => ({
  code: StatusCode.INVALID_ARGUMENT,
  message: `Unable to parse ${what}: ${why.slice(0, 2 * MAX_SAID)}`,
});

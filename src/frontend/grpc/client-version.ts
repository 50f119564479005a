// What a client says of itself with each call: its name and version, and which server it wants. One that is mistaken about either is told so by the
// reference server, and so here, in its words; of a client that does not say both name and version nothing is asked.

import Range from 'semver/classes/range.js';
import SemVer from 'semver/classes/semver.js';
import { type Status, StatusCode } from '../../wire/status.ts';

/** What is wrong with a text that is no version, or no range of versions. */
class Malformed extends Error {}

const DIGITS = /^\d+$/;
const LABEL = /^[0-9A-Za-z-]+$/;
const hasLeadingZero = (digits: string): boolean => digits.length > 1 && digits.startsWith('0');

function checkNumber(text: string, part: 'Major' | 'Minor' | 'Patch'): void {
  if (!DIGITS.test(text)) throw new Malformed(`Invalid character(s) found in ${part.toLowerCase()} number "${text}"`);
  if (hasLeadingZero(text)) throw new Malformed(`${part} number must not contain leading zeroes "${text}"`);
}

/** Throws Malformed with the first thing that is wrong: `semver` says only that something is, and lets a `v` and spaces pass. */
function checkVersion(text: string): void {
  const [major, minor, ...rest] = text.split('.');
  if (major === undefined || minor === undefined || rest.length === 0) {
    throw new Malformed('No Major.Minor.Patch elements found');
  }
  const [, patch = '', labels, build] = /^([^-+]*)(?:-([^+]*))?(?:\+(.*))?$/s.exec(rest.join('.')) ?? [];
  checkNumber(major, 'Major');
  checkNumber(minor, 'Minor');
  checkNumber(patch, 'Patch');
  for (const label of labels?.split('.') ?? []) {
    if (label === '') throw new Malformed('Prerelease is empty');
    if (!LABEL.test(label)) throw new Malformed(`Invalid character(s) found in prerelease "${label}"`);
    if (DIGITS.test(label) && hasLeadingZero(label)) {
      throw new Malformed(`Numeric PreRelease version must not contain leading zeroes "${label}"`);
    }
  }
  for (const label of build?.split('.') ?? []) {
    if (label === '') throw new Malformed('Build meta data is empty');
    if (!LABEL.test(label)) throw new Malformed(`Invalid character(s) found in build meta data "${label}"`);
  }
}

function versionOf(text: string): SemVer {
  checkVersion(text);
  try {
    return new SemVer(text);
  } catch (error) {
    // Longer than a version may be, or a number larger than one is exact.
    throw new Malformed(error instanceof Error ? error.message : String(error));
  }
}

type Condition = (version: SemVer) => boolean;

/** What may stand before a version in a range, and what `semver` calls it; `!`: that it is not so. */
const OPERATORS: Readonly<Record<string, string>> = {
  ...{ '': '=', '=': '=', '==': '=', '!': '!', '!=': '!' },
  ...{ '>': '>', '>=': '>=', '<': '<', '<=': '<=' },
};
const WILDCARD = /^\d+(?:\.\d+)?\.x(?:\.x)?$/;

function termOf(term: string): Condition {
  const [, operator = '', text = ''] = /^([^\dx*]*)(.*)$/.exec(term) ?? [];
  if (text === '') throw new Malformed(`Could not get version from string: "${term}"`);
  const compared = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  if (compared === undefined) {
    throw new Malformed(`Could not parse Range "${term}": Could not parse comparator "${operator}" in "${term}"`);
  }
  try {
    if (!WILDCARD.test(text)) versionOf(text);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new Malformed(
      `Could not parse Range "${term}": Could not parse version "${text}" in "${term}": ${error.message}`,
    );
  }
  // What has a hyphen is a version like others, wherever it is between them.
  const range = new Range(compared === '!' ? text : `${compared}${text}`, { includePrerelease: true });
  return compared === '!' ? (version) => !range.test(version) : (version) => range.test(version);
}

/** Alternatives, each of terms that must all hold. */
function rangeOf(text: string): Condition {
  if (text.length > MAX_RANGE_LENGTH) {
    throw new Malformed(`Could not parse Range: it has more than ${MAX_RANGE_LENGTH} characters`);
  }
  const alternatives = text.split('||').map((one) => one.trim());
  if (alternatives[0] === '') throw new Malformed("First element in range is '||'");
  if (alternatives.at(-1) === '') throw new Malformed("Last element in range is '||'");
  const conditions = alternatives.map((one) =>
    // A space may come after what compares.
    one
      .replace(/([<>=!])\s+(?=[\dx*])/g, '$1')
      .split(/\s+/)
      .map(termOf),
  );
  return (version) => conditions.some((terms) => terms.every((holds) => holds(version)));
}

/** Of what a client says of servers: each of its terms is read, and a header may have ten thousand. */
const MAX_RANGE_LENGTH = 1_000;

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

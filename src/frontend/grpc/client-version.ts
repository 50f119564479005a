// What a client says of itself with each call: its name and version, and which server it wants. One that is mistaken about either is told so by the
// reference server, and so here.

import { type Status, StatusCode } from '../../wire/status.ts';

/** Not of releases before 1.0 or of branches: what comes after the numbers does not count. */
const VERSION = /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-+].*)?$/;
const TERM = /^(>=|<=|>|<|=|!=)?\s*(v?\d+(?:\.\d+)*(?:[-+]\S*)?)$/;

type Version = readonly [number, number, number];

function parse(text: string): Version | undefined {
  const found = VERSION.exec(text.trim());
  return found === null ? undefined : [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)];
}

function compare(a: Version, b: Version): number {
  for (const i of [0, 1, 2] as const) if (a[i] !== b[i]) return a[i] - b[i];
  return 0;
}

function holds(term: string, version: Version): boolean {
  const found = TERM.exec(term.trim());
  const wanted = found === null ? undefined : parse(found[2] ?? '');
  // What is not understood is no reason to refuse a client.
  if (found === null || wanted === undefined) return true;
  const order = compare(version, wanted);
  switch (found[1]) {
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '<':
      return order < 0;
    case '!=':
      return order !== 0;
    default:
      return order === 0;
  }
}

/** Texts come with each call and are few: what was made of one is kept, up to so many (I9). */
const MAX_KEPT = 200;

function kept<T>(make: (text: string) => T): (text: string) => T {
  const made = new Map<string, T>();
  return (text) => {
    let result = made.get(text);
    if (result === undefined) {
      if (made.size >= MAX_KEPT) made.clear();
      result = make(text);
      made.set(text, result);
    }
    return result;
  };
}

const isVersion = kept((text) => parse(text) !== undefined);

/** Alternatives, each of terms that must all hold; of a server version. */
const rangesOf = kept((wanted) => {
  const terms = wanted
    .split('||')
    .map((range) => range.split(/[\s,]+(?=[<>=!v\d])/).filter((term) => term.trim() !== ''));
  return kept((serverVersion) => {
    const server = parse(serverVersion);
    return server === undefined || terms.some((range) => range.every((term) => holds(term, server)));
  });
});

/** Undefined when it may go on. `serverVersion`: what this server says it is compatible with. */
export function clientRefusal(header: (name: string) => string | undefined, serverVersion: string): Status | undefined {
  const name = header('client-name');
  const given = header('client-version');
  if (name !== undefined && name !== '' && given !== undefined && given !== '' && !isVersion(given)) {
    return { code: StatusCode.INVALID_ARGUMENT, message: `Unable to parse client version: ${given.slice(0, 100)}.` };
  }
  const wanted = header('supported-server-versions');
  if (wanted === undefined || wanted === '' || rangesOf(wanted)(serverVersion)) return undefined;
  const message = `Server version ${serverVersion} is not supported by client. Client supports server versions: ${wanted.slice(0, 200)}.`;
  const detail = { kind: 'ServerVersionNotSupported', serverVersion, wanted } as const;
  return { code: StatusCode.FAILED_PRECONDITION, message, detail };
}

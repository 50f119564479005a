// Tokens of Temporal's list filter. One pass over the text, character by character: linear time whatever the text, no RegExp.

/** From `at` up to `end`, in characters of the query. */
export type Token = { at: number; end: number } & (
  | { kind: 'name'; text: string }
  /** A name in backticks: never a keyword. */
  | { kind: 'quotedName'; text: string }
  | { kind: 'string'; text: string }
  | { kind: 'number'; value: number; text: string }
  | { kind: 'symbol'; text: Symbol }
  | { kind: 'end' }
);

const SYMBOLS = ['<=', '>=', '!=', '<>', '=', '<', '>', '(', ')', ','] as const;
type Symbol = (typeof SYMBOLS)[number];

/** What is wrong with a query, for the person who wrote it. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

/** It is no query at all: whatever the fields are. */
export class QuerySyntaxError extends QueryError {
  /** Of the query, where what is not understood ends: characters before it. */
  readonly end: number;
  /** What is there; undefined: a symbol, or the end. */
  readonly near: string | undefined;

  constructor(message: string, end: number, near?: string) {
    super(message);
    this.end = end;
    this.near = near;
  }
}

export const MAX_QUERY_LENGTH = 64 * 1024;

const isDigit = (c: string): boolean => c >= '0' && c <= '9';
const isSpace = (c: string): boolean => c === ' ' || c === '\t' || c === '\n' || c === '\r';
const isNameStart = (c: string): boolean => (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c === '_';

export function tokenize(text: string): Token[] {
  if (text.length > MAX_QUERY_LENGTH) {
    throw new QueryError(`the query has ${text.length} characters, at most ${MAX_QUERY_LENGTH} are allowed`);
  }
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const c = text.charAt(at);
    if (isSpace(c)) at += 1;
    else if (text.startsWith('--', at)) at = endOf(text, '\n', at);
    else if (text.startsWith('/*', at)) at = endOf(text, '*/', at);
    else {
      const token = read(text, at, c);
      tokens.push(token);
      at = token.end;
    }
  }
  tokens.push({ kind: 'end', at: text.length, end: text.length });
  return tokens;
}

function endOf(text: string, mark: string, from: number): number {
  const end = text.indexOf(mark, from + 2);
  return end === -1 ? text.length : end + mark.length;
}

function read(text: string, at: number, c: string): Token {
  if (c === "'" || c === '"' || c === '`') {
    const [value, end] = quoted(text, at, c);
    return { kind: c === '`' ? 'quotedName' : 'string', text: value, at, end };
  }
  const next = text.charAt(at + 1);
  if (isDigit(c) || (c === '.' && isDigit(next)) || ((c === '-' || c === '+') && (isDigit(next) || next === '.'))) {
    return number(text, at);
  }
  if (isNameStart(c)) {
    let end = at + 1;
    while (end < text.length && (isNameStart(text.charAt(end)) || isDigit(text.charAt(end)))) end += 1;
    return { kind: 'name', text: text.slice(at, end), at, end };
  }
  for (const symbol of SYMBOLS) {
    if (text.startsWith(symbol, at)) return { kind: 'symbol', text: symbol, at, end: at + symbol.length };
  }
  throw new QuerySyntaxError(`unexpected ${JSON.stringify(c)} at position ${at + 1}`, at + 1);
}

/** A doubled quote, or one after a backslash, is part of the text. */
function quoted(text: string, start: number, quote: string): [string, number] {
  const parts: string[] = [];
  let from = start + 1;
  for (let at = from; at < text.length; at += 1) {
    const c = text.charAt(at);
    if (c === '\\' && quote !== '`') {
      parts.push(text.slice(from, at));
      from = at + 1;
      at += 1;
    } else if (c === quote) {
      parts.push(text.slice(from, at));
      if (text.charAt(at + 1) !== quote) return [parts.join(''), at + 1];
      from = at + 1;
      at += 1;
    }
  }
  throw new QuerySyntaxError(`the ${quote} at position ${start + 1} is not closed`, text.length);
}

function number(text: string, at: number): Token {
  let end = at + 1;
  while (end < text.length) {
    const c = text.charAt(end);
    const before = text.charAt(end - 1);
    const signOfExponent = (c === '+' || c === '-') && (before === 'e' || before === 'E');
    if (!isDigit(c) && c !== '.' && c !== 'e' && c !== 'E' && !signOfExponent) break;
    end += 1;
  }
  const literal = text.slice(at, end);
  const value = Number(literal);
  if (Number.isNaN(value)) throw new QuerySyntaxError(`${literal} at position ${at + 1} is not a number`, end, literal);
  return { kind: 'number', value, text: literal, at, end };
}

// Recursive descent over the tokens of a list filter, with bounded nesting. Precedence: NOT, AND, OR.

import type { Value } from './attribute-values.ts';
import { calledBy, coerce, type Field, type FieldType, type Literal, type Schema } from './fields.ts';
import { QueryError, QuerySyntaxError, type Token, tokenize } from './lexer.ts';
import { type Direction, type Order, type OrderTerm, orderBy } from './order.ts';
import type { CompareOp, Condition, Query } from './query.ts';
import { wordsOf } from './words.ts';

/** Parentheses and NOTs within each other. */
export const MAX_NESTING = 256;

const RESERVED = new Set([
  'AND',
  'OR',
  'NOT',
  'IN',
  'BETWEEN',
  'IS',
  'NULL',
  'STARTS_WITH',
  'GROUP',
  'ORDER',
  'BY',
  'TRUE',
  'FALSE',
]);

/** Of other types nearly every execution would be a group of its own, or in several. */
const GROUPED: ReadonlySet<FieldType> = new Set<FieldType>(['keyword', 'status', 'bool', 'int']);

/** Throws QueryError: what was wrong, and where. QuerySyntaxError, if it is no query for whatever fields, counts before all else. */
export function parseQuery(text: string, schema: Schema): Query {
  const parser = new Parser(tokenize(text), schema);
  const query = parser.query();
  if (parser.problem !== undefined) throw parser.problem;
  return query;
}

/** What a query is made of besides its condition, whatever the fields are. Throws QuerySyntaxError, or QueryError where it is too long or too deep. */
export function parseClauses(text: string): { groupBy: string | undefined; isOrdered: boolean } {
  const parser = new Parser(tokenize(text), () => undefined);
  const { groupBy } = parser.query();
  return { groupBy: groupBy?.name, isOrdered: parser.isOrdered };
}

class Parser {
  readonly #tokens: Token[];
  readonly #schema: Schema;
  #at = 0;
  #depth = 0;
  /** The first thing that is wrong with a query that can be read. */
  problem: QueryError | undefined;
  isOrdered = false;

  constructor(tokens: Token[], schema: Schema) {
    this.#tokens = tokens;
    this.#schema = schema;
  }

  query(): Query {
    const first = this.#peek();
    const bare = first.kind === 'end' || this.#isWord('GROUP') || this.#isWord('ORDER');
    const condition = bare ? undefined : this.#or();
    let groupBy: Field | undefined;
    if (this.#word('GROUP')) {
      this.#expectWord('BY');
      groupBy = this.#field();
      if (!GROUPED.has(groupBy.type)) this.#note(notPossible('GROUP BY', groupBy));
      while (this.#symbol(',')) {
        this.#note(new QueryError('GROUP BY takes one attribute'));
        this.#field();
      }
    }
    this.isOrdered = this.#word('ORDER');
    const order = this.isOrdered ? this.#order() : [];
    const rest = this.#peek();
    if (rest.kind !== 'end') throw this.#unexpected('the end of the query');
    return { condition, groupBy, order };
  }

  /** As in SQL: ascending unless said otherwise. */
  #order(): Order {
    this.#expectWord('BY');
    const terms: OrderTerm[] = [];
    do {
      const field = this.#field();
      const direction: Direction = this.#word('DESC') ? 'descending' : 'ascending';
      if (direction === 'ascending') this.#word('ASC');
      terms.push({ field, direction });
    } while (this.#symbol(','));
    return this.#noting(() => orderBy(terms)) ?? [];
  }

  /** The rest is read all the same, in case it cannot be. */
  #note(problem: QueryError): void {
    this.problem ??= problem;
  }

  #noting<T>(part: () => T): T | undefined {
    try {
      return part();
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      this.#note(error);
      return undefined;
    }
  }

  /** Of a problem that was noted nothing is made: the value does not matter. */
  #value(field: Field): Value {
    const literal = this.#literal();
    return this.#noting(() => coerce(field, literal)) ?? '';
  }

  #or(): Condition {
    return this.#chain('or', 'OR', () => this.#chain('and', 'AND', () => this.#not()));
  }

  #chain(kind: 'and' | 'or', word: string, part: () => Condition): Condition {
    const first = part();
    if (!this.#isWord(word)) return first;
    const terms = [first];
    while (this.#word(word)) terms.push(part());
    return { kind, terms };
  }

  #not(): Condition {
    if (this.#word('NOT')) return this.#nested(() => ({ kind: 'not', term: this.#not() }));
    if (!this.#symbol('(')) return this.#comparison();
    return this.#nested(() => {
      const inner = this.#or();
      if (!this.#symbol(')')) throw this.#unexpected('a closing parenthesis');
      return inner;
    });
  }

  #nested(part: () => Condition): Condition {
    this.#depth += 1;
    if (this.#depth > MAX_NESTING) throw new QueryError(`the query nests deeper than ${MAX_NESTING} levels`);
    const condition = part();
    this.#depth -= 1;
    return condition;
  }

  #comparison(): Condition {
    const field = this.#field();
    if (this.#word('IS')) {
      const not = this.#word('NOT');
      this.#expectWord('NULL');
      const isNull: Condition = { kind: 'isNull', field };
      return not ? { kind: 'not', term: isNull } : isNull;
    }
    if (this.#word('NOT')) return { kind: 'not', term: this.#special(field) };
    const op = this.#operator();
    if (op === undefined) return this.#special(field);
    if (!hasOrder(field) && op !== '=' && op !== '!=') this.#note(notPossible(op, field));
    const literal = this.#value(field);
    if (field.type === 'text') {
      const words: Condition = { kind: 'words', field, words: wordsOf(String(literal)) };
      return op === '=' ? words : { kind: 'not', term: words };
    }
    const equals: Condition = { kind: 'compare', field, op: '=', value: literal };
    // Not having a keyword is more than having another one.
    if (field.type === 'keywordList') return op === '=' ? equals : { kind: 'not', term: equals };
    return { kind: 'compare', field, op, value: literal };
  }

  #special(field: Field): Condition {
    if (this.#word('IN')) {
      if (field.type === 'text') this.#note(notPossible('IN', field));
      if (!this.#symbol('(')) throw this.#unexpected('a list in parentheses');
      const values = new Set([this.#value(field)]);
      while (this.#symbol(',')) values.add(this.#value(field));
      if (!this.#symbol(')')) throw this.#unexpected('a closing parenthesis');
      return { kind: 'in', field, values };
    }
    if (this.#word('BETWEEN')) {
      if (!hasOrder(field)) this.#note(notPossible('BETWEEN', field));
      const low = this.#value(field);
      this.#expectWord('AND');
      return { kind: 'between', field, low, high: this.#value(field) };
    }
    if (this.#word('STARTS_WITH')) {
      const literal = this.#literal();
      const isText = literal.kind === 'string';
      if (field.type !== 'keyword' || !isText) this.#note(notPossible('STARTS_WITH', field));
      return { kind: 'startsWith', field, prefix: isText ? literal.text : '' };
    }
    throw this.#unexpected('an operator');
  }

  #operator(): CompareOp | undefined {
    const token = this.#peek();
    if (token.kind !== 'symbol') return undefined;
    switch (token.text) {
      case '<>':
        this.#at += 1;
        return '!=';
      case '=':
      case '!=':
      case '<':
      case '<=':
      case '>':
      case '>=':
        this.#at += 1;
        return token.text;
      default:
        return undefined;
    }
  }

  #field(): Field {
    const token = this.#peek();
    if (token.kind === 'quotedName' || (token.kind === 'name' && !RESERVED.has(token.text.toUpperCase()))) {
      this.#at += 1;
      const field = this.#schema(token.text);
      if (field !== undefined) return field;
      this.#note(new QueryError(`invalid expression: column name '${token.text}' is not a valid search attribute`));
      return { name: token.text, type: 'keyword', attribute: undefined, read: () => undefined };
    }
    throw this.#unexpected('the name of a search attribute');
  }

  #literal(): Literal {
    const token = this.#peek();
    if (token.kind === 'string') {
      this.#at += 1;
      return { kind: 'string', text: token.text };
    }
    if (token.kind === 'number') {
      this.#at += 1;
      return { kind: 'number', value: token.value };
    }
    if (this.#word('TRUE')) return { kind: 'bool', value: true };
    if (this.#word('FALSE')) return { kind: 'bool', value: false };
    throw this.#unexpected('a quoted text or a number');
  }

  #peek(): Token {
    // The list ends with `end`, which is never passed.
    return this.#tokens[this.#at] ?? { kind: 'end', at: 0, end: 0 };
  }

  #isWord(word: string): boolean {
    const token = this.#peek();
    return token.kind === 'name' && token.text.toUpperCase() === word;
  }

  #word(word: string): boolean {
    if (!this.#isWord(word)) return false;
    this.#at += 1;
    return true;
  }

  #expectWord(word: string): void {
    if (!this.#word(word)) throw this.#unexpected(word);
  }

  #symbol(text: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'symbol' || token.text !== text) return false;
    this.#at += 1;
    return true;
  }

  #unexpected(wanted: string): QueryError {
    const token = this.#peek();
    const found =
      token.kind === 'end' ? 'the query ends' : `there is ${JSON.stringify(token.text)} at position ${token.at + 1}`;
    const near = token.kind === 'end' || token.kind === 'symbol' ? undefined : token.text;
    return new QuerySyntaxError(`malformed query: ${wanted} is expected where ${found}`, token.end, near);
  }
}

/** Whether values of the field are less or greater than others. */
const hasOrder = ({ type }: Field): boolean =>
  type !== 'status' && type !== 'bool' && type !== 'text' && type !== 'keywordList';

const notPossible = (what: string, field: Field): QueryError =>
  new QueryError(`invalid expression: operator '${what}' not supported for ${calledBy(field)} of type ${field.type}`);

// Recursive descent over the tokens of a list filter, with bounded nesting. Precedence: NOT, AND, OR.

import { calledBy, coerce, type Field, type FieldType, type Literal, type Schema } from './fields.ts';
import { QueryError, type Token, tokenize } from './lexer.ts';
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

/** Throws QueryError: what was wrong, and where. */
export function parseQuery(text: string, schema: Schema): Query {
  return new Parser(tokenize(text), schema).query();
}

class Parser {
  readonly #tokens: Token[];
  readonly #schema: Schema;
  #at = 0;
  #depth = 0;

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
      if (!GROUPED.has(groupBy.type)) throw notPossible('GROUP BY', groupBy);
      if (this.#symbol(',')) throw new QueryError('GROUP BY takes one attribute');
    }
    const order = this.#word('ORDER') ? this.#order() : [];
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
    return orderBy(terms);
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
    if (!hasOrder(field) && op !== '=' && op !== '!=') {
      throw notPossible(op, field);
    }
    const literal = coerce(field, this.#literal());
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
      if (field.type === 'text') throw notPossible('IN', field);
      if (!this.#symbol('(')) throw this.#unexpected('a list in parentheses');
      const values = new Set([coerce(field, this.#literal())]);
      while (this.#symbol(',')) values.add(coerce(field, this.#literal()));
      if (!this.#symbol(')')) throw this.#unexpected('a closing parenthesis');
      return { kind: 'in', field, values };
    }
    if (this.#word('BETWEEN')) {
      if (!hasOrder(field)) throw notPossible('BETWEEN', field);
      const low = coerce(field, this.#literal());
      this.#expectWord('AND');
      return { kind: 'between', field, low, high: coerce(field, this.#literal()) };
    }
    if (this.#word('STARTS_WITH')) {
      const literal = this.#literal();
      if (field.type !== 'keyword' || literal.kind !== 'string') throw notPossible('STARTS_WITH', field);
      return { kind: 'startsWith', field, prefix: literal.text };
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
      throw new QueryError(`invalid expression: column name '${token.text}' is not a valid search attribute`);
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
    return this.#tokens[this.#at] ?? { kind: 'end', at: 0 };
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
    return new QueryError(`malformed query: ${wanted} is expected where ${found}`);
  }
}

/** Whether values of the field are less or greater than others. */
const hasOrder = ({ type }: Field): boolean =>
  type !== 'status' && type !== 'bool' && type !== 'text' && type !== 'keywordList';

const notPossible = (what: string, field: Field): QueryError =>
  new QueryError(`invalid expression: operator '${what}' not supported for ${calledBy(field)} of type ${field.type}`);

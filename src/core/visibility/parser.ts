// Recursive descent over the tokens of a list filter, with bounded nesting. Precedence: NOT, AND, OR.

import { coerce, type Field, fieldNamed, type Literal } from './fields.ts';
import { QueryError, type Token, tokenize } from './lexer.ts';
import { type Order, orderBy } from './order.ts';
import type { CompareOp, Condition, Query } from './query.ts';

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

/** Throws QueryError: what was wrong, and where. */
export function parseQuery(text: string): Query {
  return new Parser(tokenize(text)).query();
}

class Parser {
  readonly #tokens: Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  query(): Query {
    const first = this.#peek();
    const bare = first.kind === 'end' || this.#isWord('GROUP') || this.#isWord('ORDER');
    const condition = bare ? undefined : this.#or();
    let groupBy: Field | undefined;
    if (this.#word('GROUP')) {
      this.#expectWord('BY');
      groupBy = this.#field();
      if (this.#symbol(',')) throw new QueryError('GROUP BY takes one attribute');
    }
    const order = this.#word('ORDER') ? this.#order() : undefined;
    const rest = this.#peek();
    if (rest.kind !== 'end') throw this.#unexpected('the end of the query');
    return { condition, groupBy, order };
  }

  /** As in SQL: ascending unless said otherwise. */
  #order(): Order {
    this.#expectWord('BY');
    const field = this.#field();
    const order = orderBy(field, this.#word('DESC') ? 'descending' : 'ascending');
    if (order.direction === 'ascending') this.#word('ASC');
    if (this.#symbol(',')) throw new QueryError('ORDER BY takes one attribute');
    return order;
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
    if (field.type === 'status' && op !== '=' && op !== '!=') {
      throw new QueryError(`${field.name} can be compared with = and != only, not with ${op}`);
    }
    return { kind: 'compare', field, op, value: coerce(field, this.#literal()) };
  }

  #special(field: Field): Condition {
    if (this.#word('IN')) {
      if (!this.#symbol('(')) throw this.#unexpected('a list in parentheses');
      const values = new Set([coerce(field, this.#literal())]);
      while (this.#symbol(',')) values.add(coerce(field, this.#literal()));
      if (!this.#symbol(')')) throw this.#unexpected('a closing parenthesis');
      return { kind: 'in', field, values };
    }
    if (this.#word('BETWEEN')) {
      if (field.type === 'status') throw new QueryError(`${field.name} has no order: BETWEEN is not possible`);
      const low = coerce(field, this.#literal());
      this.#expectWord('AND');
      return { kind: 'between', field, low, high: coerce(field, this.#literal()) };
    }
    if (this.#word('STARTS_WITH')) {
      const literal = this.#literal();
      if (field.type !== 'keyword' || literal.kind !== 'string') {
        throw new QueryError(`STARTS_WITH compares texts, but ${field.name} is of type ${field.type}`);
      }
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
      return fieldNamed(token.text);
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
    return new QueryError(`${wanted} is expected where ${found}`);
  }
}

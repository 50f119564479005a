// One execution while a filter looks at it: its attributes are decoded once, and taken apart once, however often the filter names them (linear time).

import { keptUnder } from '../../wire/attribute-field.ts';
import type { IndexedValueType } from '../../wire/enums.ts';
import type { WorkflowExecutionInfo } from '../../wire/execution-info.ts';
import { type AttributeValue, attributeValue } from './attribute-values.ts';
import { wordsOf } from './words.ts';

export class Subject {
  readonly info: WorkflowExecutionInfo;
  #values: Map<string, AttributeValue | undefined> | undefined;
  #items: Map<AttributeValue, ReadonlySet<string>> | undefined;

  constructor(info: WorkflowExecutionInfo) {
    this.info = info;
  }

  /** @param field the name it is kept under. */
  attribute(field: string, type: IndexedValueType): AttributeValue | undefined {
    const fields = this.info.searchAttributes?.indexedFields;
    if (fields === undefined) return undefined;
    this.#values ??= new Map();
    if (this.#values.has(field)) return this.#values.get(field);
    const value = attributeValue(keptUnder(fields, field)?.[1], type);
    this.#values.set(field, value);
    return value;
  }

  /** The words of a text, the keywords of a list. */
  itemsOf(value: string | readonly string[]): ReadonlySet<string> {
    this.#items ??= new Map();
    let items = this.#items.get(value);
    if (items === undefined) {
      items = typeof value === 'string' ? wordsOf(value) : new Set(value);
      this.#items.set(value, items);
    }
    return items;
  }
}

// One execution while a filter looks at it: its attributes are decoded once, however often the filter names them (linear time).

import { keptUnder } from '../../wire/attribute-field.ts';
import type { IndexedValueType } from '../../wire/enums.ts';
import type { WorkflowExecutionInfo } from '../../wire/execution-info.ts';
import { type AttributeValue, attributeValue } from './attribute-values.ts';

export class Subject {
  readonly info: WorkflowExecutionInfo;
  #values: Map<string, AttributeValue | undefined> | undefined;

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
}

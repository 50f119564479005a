// One execution while a filter looks at it: its attributes are decoded once, however often the filter names them (linear time).

import type { WorkflowExecutionInfo } from '../../wire/api.ts';
import type { IndexedValueType } from '../../wire/enums.ts';
import { type AttributeValue, attributeValue } from './attribute-values.ts';

export class Subject {
  readonly info: WorkflowExecutionInfo;
  #values: Map<string, AttributeValue | undefined> | undefined;

  constructor(info: WorkflowExecutionInfo) {
    this.info = info;
  }

  attribute(name: string, type: IndexedValueType): AttributeValue | undefined {
    const fields = this.info.searchAttributes?.indexedFields;
    if (fields === undefined || !Object.hasOwn(fields, name)) return undefined;
    this.#values ??= new Map();
    if (this.#values.has(name)) return this.#values.get(name);
    const value = attributeValue(fields[name], type);
    this.#values.set(name, value);
    return value;
  }
}

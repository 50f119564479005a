// The search attributes of a namespace: registered, removed and listed, as Temporal's OperatorService has them. For who may use the namespace, and for
// operators.

import {
  PREDEFINED_ATTRIBUTES,
  RESERVED_NAME_PREFIX,
  SYSTEM_ATTRIBUTES,
  typeName,
  typeOf,
} from '../../core/visibility/index.ts';
import { utf8Length } from '../../core/workflow/size.ts';
import type { RegisteredAttributes } from '../../ports/engine.ts';
import type { Empty } from '../../wire/common.ts';
import { IndexedValueType } from '../../wire/enums.ts';
import type { Status } from '../../wire/status.ts';
import type { ListSearchAttributesResponse } from '../../wire/visibility.ts';
import { type Call, type Caller, method, type Services } from '../door.ts';
import { defaulted, invalid, list, object, string } from '../validate/check.ts';
import * as common from '../validate/common.ts';
import * as rules from '../validate/rules.ts';

const EMPTY: Empty = Object.freeze({});
/** Bytes of a name: it is part of keys. */
const MAX_NAME_BYTES = 1_024;
const TYPES: ReadonlySet<number> = new Set(Object.values(IndexedValueType).filter((type) => type !== 0));

const isTaken = (name: string): boolean => SYSTEM_ATTRIBUTES.has(name) || PREDEFINED_ATTRIBUTES.has(name);

/** Throws Refused where no attribute may be called so. */
export function checkName(name: string): void {
  if (isTaken(name)) throw invalid(`Search attribute ${name} is reserved by system.`);
  if (name.startsWith(RESERVED_NAME_PREFIX)) {
    throw invalid(`Search attribute ${name} begins with ${RESERVED_NAME_PREFIX}, which is reserved by system.`);
  }
  if (utf8Length(name) > MAX_NAME_BYTES) {
    throw invalid(`Search attribute ${name.slice(0, 32)}… has a name of more than ${MAX_NAME_BYTES} bytes.`);
  }
  if (name === '__proto__') throw invalid('Search attribute __proto__: choose another name.');
}

/** The namespace, for a caller who may change what can be searched in it. */
function administrated(services: Services, caller: Caller, namespace: string): void {
  rules.namespace(services, rules.orOperator(caller), namespace);
}

const changed =
  (services: Services, namespace: string, call: Call) =>
  (error: Status | undefined, registered: RegisteredAttributes | undefined): void => {
    if (registered !== undefined) services.attributes.learn(namespace, registered);
    if (error !== undefined) call.refuse(error);
    else call.reply(EMPTY);
  };

export const addSearchAttributes = method(
  object<{ namespace: string; searchAttributes: Record<string, IndexedValueType> }>({
    namespace: defaulted(string, ''),
    searchAttributes: defaulted(common.attributeTypes, {}),
  }),
  (services, caller, { namespace, searchAttributes }, call) => {
    administrated(services, caller, namespace);
    if (Object.keys(searchAttributes).length === 0) throw invalid('SearchAttributes are not set on request.');
    for (const [name, type] of Object.entries(searchAttributes)) {
      checkName(name);
      if (!TYPES.has(type))
        throw invalid(`Search attribute ${name} has no type, or an unknown one: ${typeName(type)}.`);
    }
    // As on the reference server: a name of no characters is nobody's.
    const { '': _, ...add } = searchAttributes;
    const change = { add, remove: [] };
    services.engine.changeSearchAttributes(namespace, change, changed(services, namespace, call));
  },
);

export const removeSearchAttributes = method(
  object<{ namespace: string; searchAttributes: string[] }>({
    namespace: defaulted(string, ''),
    searchAttributes: defaulted(list(string), []),
  }),
  (services, caller, { namespace, searchAttributes }, call) => {
    administrated(services, caller, namespace);
    if (searchAttributes.length === 0) throw invalid('SearchAttributes are not set on request.');
    for (const name of searchAttributes) {
      if (isTaken(name)) throw invalid(`Unable to remove non-custom search attribute: ${name}.`);
    }
    const change = { add: {}, remove: searchAttributes };
    services.engine.changeSearchAttributes(namespace, change, changed(services, namespace, call));
  },
);

const SYSTEM = Object.fromEntries([...SYSTEM_ATTRIBUTES, ...PREDEFINED_ATTRIBUTES]);

export const listSearchAttributes = method(
  object<{ namespace: string }>({ namespace: defaulted(string, '') }),
  (services, caller, { namespace }, call) => {
    administrated(services, caller, namespace);
    services.attributes.lookUp(namespace, (error, types) => {
      if (error !== undefined) call.refuse(error);
      else {
        const customAttributes = Object.fromEntries([...types].map(([name, type]) => [name, typeOf(type)]));
        call.reply({ customAttributes, systemAttributes: SYSTEM } satisfies ListSearchAttributesResponse);
      }
    });
  },
);

// What search attributes of executions are called in answers: by the names they have now, whatever they were called when they were set. Events keep
// what was written. Namespaces in which nothing was renamed are answered as they are.

import { type AttributeTypes, fieldOf, PREDEFINED_ATTRIBUTES } from '../core/visibility/index.ts';
import { keptAs } from '../wire/attribute-field.ts';
import type { Payload, SearchAttributes } from '../wire/common.ts';
import type { Services } from './door.ts';

export type Naming = (attributes: SearchAttributes | undefined) => SearchAttributes | undefined;

const asTheyAre: Naming = (attributes) => attributes;

/** Where attributes of the namespace are kept, and what they are called: `customSearchAttributeAliases` of the API. */
export const aliasesOf = (types: AttributeTypes): Record<string, string> =>
  Object.fromEntries([...types.keys()].map((name) => [fieldOf(types, name), name]));

export function namingOf(types: AttributeTypes): Naming {
  if (![...types.values()].some((registered) => typeof registered === 'object')) return asTheyAre;
  const names = new Map(Object.entries(aliasesOf(types)));
  return (attributes) => {
    if (attributes?.indexedFields === undefined) return attributes;
    const named: Record<string, Payload> = {};
    const nameless: [string, Payload][] = [];
    for (const [name, payload] of Object.entries(attributes.indexedFields)) {
      const shown = withoutField(payload);
      const now = names.get(keptAs(name, payload));
      if (now === undefined) nameless.push([name, shown]);
      else named[now] = shown;
    }
    // Of those that are registered no more nobody says what they are called.
    for (const [name, payload] of nameless) if (!Object.hasOwn(named, name)) named[name] = payload;
    return { ...attributes, indexedFields: named };
  };
}

function withoutField(payload: Payload): Payload {
  if (payload.metadata?.field === undefined) return payload;
  const { field: _, ...metadata } = payload.metadata;
  return { ...payload, metadata };
}

/** @param shown what is to be answered with them: a namespace is looked up only where something was set. */
export function withNames(
  { attributes: directory }: Services,
  namespace: string,
  shown: readonly (SearchAttributes | undefined)[],
  go: (naming: Naming) => void,
): void {
  const isSet = shown.some((one) =>
    Object.keys(one?.indexedFields ?? {}).some((name) => !PREDEFINED_ATTRIBUTES.has(name)),
  );
  if (!isSet) {
    go(asTheyAre);
    return;
  }
  directory.fresh(namespace, (error, types) => go(error === undefined ? namingOf(types) : asTheyAre));
}

// Types of search attributes as people write them, and what `server start-dev --search-attribute` does with them.

import { IndexedValueType } from '../wire/enums.ts';
import { UsageError } from './exit-codes.ts';

/** `KeywordList` for KEYWORD_LIST, as payloads have it. */
const camel = (name: string): string =>
  name
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('');

const TYPES = new Map(
  Object.entries(IndexedValueType).flatMap(([name, type]) => (type === 0 ? [] : [[camel(name), type] as const])),
);
const NAMES = new Map<number, string>([...TYPES].map(([name, type]) => [type, name]));
export const ALL_TYPES = [...TYPES.keys()].join(', ');

/** `Keyword`, `keyword_list` or `KeywordList`. */
export function typeOf(text: string, flag = '--type'): IndexedValueType {
  const plain = text.toLowerCase().replaceAll('_', '');
  for (const [name, type] of TYPES) if (name.toLowerCase() === plain) return type;
  throw new UsageError(`${flag} ${text} is none of ${ALL_TYPES}`);
}

export const typeName = (type: number): string => NAMES.get(type) ?? String(type);

/** `City=Keyword`, several of them. */
export function attributesOf(pairs: readonly string[]): Record<string, IndexedValueType> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at <= 0) throw new UsageError(`--search-attribute ${pair}: expected Name=Type`);
      return [pair.slice(0, at), typeOf(pair.slice(at + 1), '--search-attribute')];
    }),
  );
}

/** Registers them in each of these namespaces of a server; those that are there already stay. */
export async function registerAttributes(
  address: string,
  namespaces: readonly string[],
  searchAttributes: Record<string, IndexedValueType>,
): Promise<void> {
  const { Connection } = await import('../../sdk/client/index.ts');
  const connection = await Connection.connect({ address });
  try {
    for (const namespace of namespaces)
      await connection.request('addSearchAttributes', { namespace, searchAttributes });
  } finally {
    await connection.close();
  }
}

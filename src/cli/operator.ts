// `tenuto operator …`: what a namespace can be searched by; namespaces and the cluster have files of their own.

import type { Command } from 'commander';
import { withClient } from './connect.ts';
import { UsageError } from './exit-codes.ts';
import { defineOperatorClusterCommands } from './operator-cluster.ts';
import { defineNamespaceCommands } from './operator-namespace.ts';
import { defineNexusCommands } from './operator-nexus.ts';
import { ALL_TYPES, typeName, typeOf } from './search-attributes.ts';

type Wrap = (command: Command) => Command;

const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

export function defineOperatorCommands(operator: Command, withConnection: Wrap): void {
  defineNamespaceCommands(operator, withConnection);
  defineOperatorClusterCommands(operator, withConnection);
  defineNexusCommands(operator, withConnection);
  const group = operator
    .command('search-attribute')
    .description('what workflows of a namespace can be found by')
    .action(() => group.help({ error: true }));
  const define = (name: string, description: string) => withConnection(group.command(name).description(description));

  define('create', 'register search attributes')
    .requiredOption('--name <name>', 'name; repeat it for several (required)', collect)
    .requiredOption('--type <type>', `${ALL_TYPES}: once, or once for each name (required)`, collect)
    .action(
      withClient<{ name: string[]; type: string[] }>(async ({ connection, namespace, output }, { name, type }) => {
        if (type.length !== 1 && type.length !== name.length) {
          throw new UsageError(`${name.length} names and ${type.length} types: give one type, or one for each name`);
        }
        const [first = ''] = type;
        const searchAttributes = Object.fromEntries(name.map((each, i) => [each, typeOf(type[i] ?? first)]));
        await connection.request('addSearchAttributes', { namespace, searchAttributes });
        output.say(`search attributes of ${namespace} registered: ${name.join(', ')}`);
      }),
    );

  define('remove', 'forget search attributes; values that were set stay with their workflows')
    .requiredOption('--name <name>', 'name; repeat it for several (required)', collect)
    .option('-y, --yes', 'for scripts: nothing is asked either way')
    .action(
      withClient<{ name: string[] }>(async ({ connection, namespace, output }, { name }) => {
        await connection.request('removeSearchAttributes', { namespace, searchAttributes: name });
        output.say(`search attributes of ${namespace} removed: ${name.join(', ')}`);
      }),
    );

  define('rename', 'give a search attribute another name; values that were set are found by it')
    .requiredOption('--existing-name <name>', 'its name until now (required)')
    .requiredOption('--new-name <name>', 'its name from now on (required)')
    .action(
      withClient<{ existingName: string; newName: string }>(
        async ({ connection, namespace, output }, { existingName, newName }) => {
          const described = await connection.request('describeNamespace', { namespace });
          const names = described.customSearchAttributeAliases ?? {};
          const [field] = Object.entries(names).find(([, name]) => name === existingName) ?? [];
          if (field === undefined)
            throw new UsageError(`${namespace} has no search attribute ${existingName}: see search-attribute list`);
          const config = { customSearchAttributeAliases: { [field]: newName } };
          await connection.request('updateNamespace', { namespace, config });
          output.say(`search attribute ${existingName} of ${namespace} is ${newName} now`);
        },
      ),
    );

  define('list', 'registered search attributes, and those every namespace has').action(
    withClient<object>(async ({ connection, namespace, output }) => {
      const { customAttributes, systemAttributes } = await connection.request('listSearchAttributes', {
        namespace,
      });
      const rows = (attributes: object, origin: string): { name: string; type: string; origin: string }[] =>
        Object.entries(attributes)
          .map(([name, type]) => ({ name, type: typeName(type), origin }))
          .sort((a, b) => (a.name < b.name ? -1 : 1));
      const all = [...rows(customAttributes, 'registered'), ...rows(systemAttributes, 'system')];
      if (output.format === 'table') output.table(all);
      else output.record({ customAttributes: byName(customAttributes), systemAttributes: byName(systemAttributes) });
    }),
  );
}

const byName = (attributes: object): Record<string, string> =>
  Object.fromEntries(Object.entries(attributes).map(([name, type]) => [name, typeName(type)]));

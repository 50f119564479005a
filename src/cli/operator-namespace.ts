// `tenuto operator namespace …`: the namespaces of a server or cluster.

import type { Command } from 'commander';
import { msToNumber } from '../../sdk/common/index.ts';
import { NamespaceState } from '../wire/enums.ts';
import type { NamespaceDescription } from '../wire/namespace.ts';
import { type Session, withClient } from './connect.ts';
import { UsageError } from './exit-codes.ts';
import { nameOf } from './output.ts';
import { confirm } from './workflow/many.ts';

type Wrap = (command: Command) => Command;

interface ChangeFlags {
  description?: string;
  email?: string;
  data?: string[];
  retention?: string;
}

const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];
const HOUR_MS = 3_600_000;
/** As of servers' configurations. */
const DEFAULT_RETENTION = '72h';

const shown = (namespace: NamespaceDescription): Record<string, unknown> => ({
  name: namespace.name,
  id: namespace.id,
  state: nameOf(NamespaceState, namespace.state),
  retention: `${namespace.workflowExecutionRetentionTtl / HOUR_MS}h`,
  description: namespace.description,
  ownerEmail: namespace.ownerEmail,
  data: namespace.data,
  registeredTime: namespace.registeredTime === undefined ? undefined : new Date(namespace.registeredTime).toISOString(),
});

/** The positional name, or -n of the connection, as people write either. */
const named = (name: string | undefined, { namespace }: Session): string => name ?? namespace;

function dataOf(pairs: readonly string[] | undefined): Record<string, string> | undefined {
  if (pairs === undefined) return undefined;
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at <= 0) throw new UsageError(`--data ${pair}: expected key=value`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

function withChange(command: Command): Command {
  return command
    .option('--description <text>', 'what it is for')
    .option('--email <address>', 'whose it is')
    .option('--data <key=value>', 'a note of your own; repeat for several', collect)
    .option('--retention <duration>', `how long closed workflows are kept, at least 1h`);
}

async function* all({ connection }: Session) {
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await connection.request('listNamespaces', { nextPageToken });
    for (const namespace of page.namespaces) yield shown(namespace);
    ({ nextPageToken } = page);
  } while (nextPageToken !== undefined);
}

export function defineNamespaceCommands(operator: Command, withConnection: Wrap): void {
  const group = operator
    .command('namespace')
    .description('namespaces of a server or cluster')
    .action(() => group.help({ error: true }));
  const define = (name: string, description: string) => withConnection(group.command(name).description(description));
  /** Commander hands positional arguments first. */
  const work =
    <F extends object>(run: (session: Session, name: string, flags: F) => Promise<void>) =>
    (name: string | undefined, flags: F, command: Command) =>
      withClient<F>((session) => run(session, named(name, session), flags))(flags as never, command);

  withChange(define('create [name]', 'register a namespace'))
    .addHelpText(
      'after',
      '\nExample:\n  tenuto operator namespace create billing --retention 7d --email billing@example.com',
    )
    .action(
      work<ChangeFlags>(async ({ connection, output }, namespace, flags) => {
        await connection.request('registerNamespace', {
          namespace,
          workflowExecutionRetentionPeriod: msToNumber(flags.retention ?? DEFAULT_RETENTION),
          ...{ description: flags.description, ownerEmail: flags.email, data: dataOf(flags.data) },
        });
        output.say(`namespace ${namespace} registered`);
      }),
    );

  define('describe [name]', 'what is known of a namespace')
    .option('--namespace-id <id>', 'by its id instead of its name')
    .action(
      work<{ namespaceId?: string }>(async ({ connection, output }, namespace, { namespaceId: id }) =>
        output.record(shown(await connection.request('describeNamespace', id === undefined ? { namespace } : { id }))),
      ),
    );

  define('list', 'namespaces you may use').action(withClient<object>((session) => session.output.list(all(session))));

  withChange(define('update [name]', 'change a namespace; what is left out stays, data is merged')).action(
    work<ChangeFlags>(async ({ connection, output }, namespace, flags) => {
      const { description, email: ownerEmail, data, retention } = flags;
      const updated = await connection.request('updateNamespace', {
        namespace,
        updateInfo: { description, ownerEmail, data: dataOf(data) },
        config: retention === undefined ? undefined : { workflowExecutionRetentionTtl: msToNumber(retention) },
      });
      output.record(shown(updated));
    }),
  );

  define('deprecate [name]', 'take no new workflows; those that run go on').action(
    work<object>(async ({ connection, output }, namespace) => {
      await connection.request('deprecateNamespace', { namespace });
      output.say(`namespace ${namespace} deprecated`);
    }),
  );

  define('delete [name]', 'end and forget everything in a namespace')
    .option('-y, --yes', 'do not ask first')
    .action(
      work<{ yes?: true }>(async ({ connection, output }, namespace, { yes }) => {
        if (yes === undefined) await confirm(`Delete namespace ${namespace} with all its workflows?`);
        await connection.request('deleteNamespace', { namespace });
        output.say(`namespace ${namespace} deleted; its workflows go now`);
      }),
    );
}

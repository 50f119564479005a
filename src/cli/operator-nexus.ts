// `tenuto operator nexus endpoint …`: where operations of Nexus services go, by name.

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { NexusEndpoint, NexusEndpointSpec, NexusEndpointTarget } from '../wire/nexus.ts';
import { type Session, withClient } from './connect.ts';
import { CommandError, ExitCode, UsageError } from './exit-codes.ts';

type Wrap = (command: Command) => Command;

interface TargetFlags {
  targetNamespace?: string;
  targetTaskQueue?: string;
  targetUrl?: string;
  description?: string;
  descriptionFile?: string;
  unsetDescription?: true;
}

const time = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString();

function shown({ id, version, spec, createdTime, lastModifiedTime }: NexusEndpoint): Record<string, unknown> {
  const { worker, external } = spec.target;
  return {
    name: spec.name,
    id,
    version,
    targetNamespace: worker?.namespace,
    targetTaskQueue: worker?.taskQueue,
    targetUrl: external?.url,
    description: textOf(spec),
    createdTime: time(createdTime),
    lastModifiedTime: time(lastModifiedTime),
  };
}

function textOf({ description }: NexusEndpointSpec): string | undefined {
  if (description?.data === undefined) return undefined;
  const text = new TextDecoder().decode(description.data);
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}

const encoder = new TextEncoder();
const payload = (text: string): NexusEndpointSpec['description'] => ({
  metadata: { encoding: encoder.encode('json/plain') },
  data: encoder.encode(JSON.stringify(text)),
});

/** Undefined: no flag says anything of it. */
function descriptionOf({ description, descriptionFile: file }: TargetFlags): NexusEndpointSpec['description'] {
  if (description !== undefined && file !== undefined)
    throw new UsageError('give one of --description and --description-file');
  if (file === undefined) return description === undefined ? undefined : payload(description);
  try {
    return payload(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(
      `--description-file ${file} cannot be read: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** Undefined: no flag says anything of it. */
function targetOf({ targetNamespace, targetTaskQueue, targetUrl }: TargetFlags): NexusEndpointTarget | undefined {
  if (targetUrl !== undefined) {
    if (targetNamespace !== undefined || targetTaskQueue !== undefined) {
      throw new UsageError('--target-url goes without --target-namespace and --target-task-queue');
    }
    return { external: { url: targetUrl } };
  }
  if (targetNamespace === undefined && targetTaskQueue === undefined) return undefined;
  if (targetNamespace === undefined || targetTaskQueue === undefined) {
    throw new UsageError('--target-namespace and --target-task-queue go together');
  }
  return { worker: { namespace: targetNamespace, taskQueue: targetTaskQueue } };
}

async function find({ connection }: Session, name: string): Promise<NexusEndpoint> {
  const { endpoints } = await connection.request('listNexusEndpoints', { name });
  const [endpoint] = endpoints;
  if (endpoint === undefined)
    throw new CommandError(`there is no Nexus endpoint ${name}`, { exitCode: ExitCode.NOT_FOUND });
  return endpoint;
}

async function* all({ connection }: Session) {
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await connection.request('listNexusEndpoints', { nextPageToken });
    for (const endpoint of page.endpoints) yield shown(endpoint);
    ({ nextPageToken } = page);
  } while (nextPageToken !== undefined);
}

const withName = (command: Command): Command => command.requiredOption('--name <name>', 'of the endpoint (required)');

const withTarget = (command: Command): Command =>
  withName(command)
    .option('--target-namespace <name>', 'whose workers handle its operations')
    .option('--target-task-queue <name>', 'where those workers listen')
    .option('--target-url <url>', 'of another system, instead of workers')
    .option('--description <text>', 'what it is for')
    .option('--description-file <file>', 'the same, from a file');

export function defineNexusCommands(operator: Command, withConnection: Wrap): void {
  const nexus = operator
    .command('nexus')
    .description('services that workflows call across namespaces')
    .action(() => nexus.help({ error: true }));
  const group = nexus
    .command('endpoint')
    .description('where operations go, by name')
    .action(() => group.help({ error: true }));
  const define = (name: string, description: string) => withConnection(group.command(name).description(description));

  withTarget(define('create', 'register an endpoint'))
    .addHelpText(
      'after',
      '\nExample:\n  $ tenuto operator nexus endpoint create --name payments --target-namespace billing --target-task-queue nexus',
    )
    .action(
      withClient<TargetFlags & { name: string }>(async ({ connection, output }, flags) => {
        const target = targetOf(flags);
        if (target === undefined)
          throw new UsageError(
            'say where its operations go: --target-namespace and --target-task-queue, or --target-url',
          );
        const description = descriptionOf(flags);
        const spec = { name: flags.name, description, target };
        const { endpoint } = await connection.request('createNexusEndpoint', { spec });
        output.record(shown(endpoint));
      }),
    );

  withName(define('get', 'one endpoint')).action(
    withClient<{ name: string }>(async (session, { name }) => session.output.record(shown(await find(session, name)))),
  );

  define('list', 'all endpoints').action(withClient<object>((session) => session.output.list(all(session))));

  withTarget(define('update', 'change an endpoint; what is left out stays'))
    .option('--unset-description', 'none any more')
    .action(
      withClient<TargetFlags & { name: string }>(async (session, flags) => {
        const said = descriptionOf(flags);
        if (said !== undefined && flags.unsetDescription === true)
          throw new UsageError('--unset-description goes without a description');
        const { id, version, spec } = await find(session, flags.name);
        const description = flags.unsetDescription === true ? undefined : (said ?? spec.description);
        const { endpoint } = await session.connection.request('updateNexusEndpoint', {
          id,
          version,
          spec: { ...spec, description, target: targetOf(flags) ?? spec.target },
        });
        session.output.record(shown(endpoint));
      }),
    );

  withName(define('delete', 'forget an endpoint; operations that have not begun fail')).action(
    withClient<{ name: string }>(async (session, { name }) => {
      const { id, version } = await find(session, name);
      await session.connection.request('deleteNexusEndpoint', { id, version });
      session.output.say(`Nexus endpoint ${name} deleted`);
    }),
  );
}

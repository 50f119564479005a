// Every command there is. Verbs and flags are those of the `temporal` CLI where they mean the same.
// Each group is loaded only when it is used: `server start-dev` must be ready in a fraction of a second.

import { Command, Help, InvalidArgumentError, Option } from 'commander';
import { msToNumber } from '../../sdk/common/time.ts';
import { VERSION } from '../version.ts';

/** Heading of the flags that all commands share. */
export const COMMON = 'Connection and output:';

/** A command's own flags first, those that all have behind them. */
class OwnFirstHelp extends Help {
  override visibleOptions(command: Command): Option[] {
    const options = super.visibleOptions(command);
    const common = (option: Option): boolean => option.helpGroupHeading === COMMON;
    return [...options.filter((option) => !common(option)), ...options.filter(common)];
  }

  /** Groups in the order in which they are shown, not in that of their definition. */
  override groupItems<T extends Command | Option>(
    _defined: T[],
    visible: T[],
    getGroup: (item: T) => string,
  ): Map<string, T[]> {
    return super.groupItems(visible, visible, getGroup);
  }
}

/** Flags of every command that talks to a server. */
function withConnection(command: Command): Command {
  command.createHelp = () => Object.assign(new OwnFirstHelp(), command.configureHelp());
  const flags = command.options.length;
  addConnection(command);
  for (const option of command.options.slice(flags)) option.helpGroup(COMMON);
  return command;
}

function addConnection(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--address <host:port>',
        'server to talk to; of a cluster any node, or several with commas between (default "127.0.0.1:7280")',
      ).env('TENUTO_ADDRESS'),
    )
    .addOption(new Option('-n, --namespace <name>', 'namespace (default "default")').env('TENUTO_NAMESPACE'))
    .addOption(new Option('--token <token>', 'bearer token of the namespace, or of an operator').env('TENUTO_TOKEN'))
    .addOption(new Option('--tls-ca <file>', 'trust this certificate authority').env('TENUTO_TLS_CA'))
    .addOption(new Option('--profile <name>', 'profile of the config file to use').env('TENUTO_PROFILE'))
    .addOption(
      new Option('--config-file <file>', 'config file (default: tenuto/config.yaml in the config directory)').env(
        'TENUTO_CONFIG_FILE',
      ),
    )
    .addOption(
      new Option('--codec-endpoint <url>', 'codec server that decodes what is shown and encodes what is sent').env(
        'TENUTO_CODEC_ENDPOINT',
      ),
    )
    .addOption(new Option('--codec-auth <value>', 'Authorization header for it').env('TENUTO_CODEC_AUTH'))
    .addOption(
      new Option('--codec-header <name=value>', 'other header for it; repeat for several').argParser(
        (text: string, before: string[] = []) => [...before, text],
      ),
    )
    .addOption(
      new Option('-o, --output <format>', 'how to print').choices(['table', 'json', 'jsonl', 'none']).default('table'),
    )
    .addOption(new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'))
    .addOption(new Option('--command-timeout <duration>', 'give up after this long, e.g. 30s (default: no limit)'));
}

interface Group {
  description: string;
  define(group: Command): Promise<void>;
}

export const GROUPS: Readonly<Record<string, Group>> = {
  server: {
    description: 'run a server',
    define: async (group) => (await import('./server.ts')).defineServerCommands(group),
  },
  dev: {
    description: 'work on workflows: a server and a worker that runs what you save',
    define: async (group) => (await import('./dev.ts')).defineDev(group, withConnection),
  },
  workflow: {
    description: 'start workflows, talk to them, look at them',
    define: async (group) => (await import('./workflow/index.ts')).defineWorkflowCommands(group, withConnection),
  },
  activity: {
    description: 'run activities without a workflow; complete, pause, reset and change those of workflows',
    define: async (group) => (await import('./activity.ts')).defineActivityCommands(group, withConnection),
  },
  batch: {
    description: 'look at jobs that do one thing to many workflows, stop them',
    define: async (group) => (await import('./batch.ts')).defineBatchCommands(group, withConnection),
  },
  schedule: {
    description: 'start workflows at given times',
    define: async (group) => (await import('./schedule/index.ts')).defineScheduleCommands(group, withConnection),
  },
  'flow-control': {
    description: 'look at keys of flow control, set their limits',
    define: async (group) => (await import('./flow-control.ts')).defineFlowControlCommands(group, withConnection),
  },
  'task-queue': {
    description: 'look at task queues and their workers',
    define: async (group) => (await import('./task-queue.ts')).defineTaskQueueCommands(group, withConnection),
  },
  worker: {
    description: 'look at workers, and at versions of them; say which version new work goes to',
    define: async (group) => (await import('./worker.ts')).defineWorkerCommands(group, withConnection),
  },
  operator: {
    description: 'namespaces, what workflows can be found by, what a server is',
    define: async (group) => (await import('./operator.ts')).defineOperatorCommands(group, withConnection),
  },
  cluster: {
    description: 'look at a cluster, drain and replace its nodes',
    define: async (group) => (await import('./cluster/index.ts')).defineClusterCommands(group, withConnection),
  },
  data: {
    description: 'check, measure, back up and restore a data directory; make the tables of a database',
    define: async (group) => (await import('./data.ts')).defineDataCommands(group),
  },
  config: {
    description: 'profiles: which servers there are, and how to reach them',
    define: async (group) => (await import('./config.ts')).defineConfigCommands(group),
  },
  env: {
    description: 'the same as config',
    define: async (group) => (await import('./config.ts')).defineConfigCommands(group),
  },
  completion: {
    description: 'let your shell complete this command',
    define: async (group) => (await import('./completion.ts')).defineCompletion(group),
  },
};

/** A duration that is none is refused under the name of its flag, before anybody is asked. */
function checkDurations(command: Command): void {
  for (const option of command.options) {
    if (option.flags.endsWith('<duration>')) option.argParser(duration);
  }
  for (const within of command.commands) checkDurations(within);
}

function duration(text: string): string {
  try {
    msToNumber(text);
  } catch {
    throw new InvalidArgumentError("It takes a duration, e.g. '30s', '5m' or '1h'.");
  }
  return text;
}

/** The program with the commands of the group that `args` name; the others are there by name only. */
export async function buildProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('tenuto')
    .description('Durable workflows: run a server, start workflows and look at them.')
    .version(VERSION, '-v, --version')
    .showHelpAfterError('(see --help)')
    .exitOverride();
  // `tenuto help workflow` names its group second.
  const wanted = args.filter((arg) => arg in GROUPS)[0];
  for (const [name, { description, define }] of Object.entries(GROUPS)) {
    const group = program.command(name).description(description);
    if (name !== wanted) continue;
    await define(group);
    checkDurations(group);
  }
  return program;
}

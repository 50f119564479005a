// `tenuto workflow fix-history-json`: a history file of any Temporal tool, written again in today's spelling. Needs no server.

import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { historyFromJSON, historyToJSON } from '../../../sdk/common/history-json.ts';
import { CommandError, UsageError } from '../exit-codes.ts';
import { toJson } from '../output.ts';

export function defineFixHistoryCommand(workflow: Command): void {
  workflow
    .command('fix-history-json')
    .description('write the JSON of an event history again, as tools of today read it')
    .requiredOption('-s, --source <file>', 'the history (required)')
    .option('-t, --target <file>', 'where to write it (default: standard output)')
    .action(({ source, target }: { source: string; target?: string }) => {
      const fixed = `${toJson(historyToJSON(historyFromJSON(read(source))), 2)}\n`;
      if (target === undefined) process.stdout.write(fixed);
      else write(target, fixed);
    });
}

const why = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read --source ${file}: ${why(error)}`);
  }
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CommandError(`cannot write --target ${file}: ${why(error)}`, { cause: error });
  }
}

// Search attributes in the commands of a workflow task: each payload is stamped with the type its name is registered with. What is wrong with one goes
// along with the completion and fails the task when its command's turn comes, so that deciding needs no registry.

import type { AttributeTypes } from '../../core/visibility/index.ts';
import type { AttributeProblem } from '../../core/workflow/message.ts';
import type { Command } from '../../wire/command.ts';
import type { SearchAttributes } from '../../wire/common.ts';
import { CommandType } from '../../wire/enums.ts';
import type { Status } from '../../wire/status.ts';
import type { Services } from '../door.ts';
import { covers, stamp } from '../search-attributes.ts';

type Done = (error: Status | undefined, commands: Command[], problems: AttributeProblem[] | undefined) => void;

/** The attributes a command sets, and the namespace it sets them in. */
function attributesOf(
  command: Command,
  own: string,
): { namespace: string; attributes: SearchAttributes | undefined } | undefined {
  switch (command.commandType) {
    case CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
    case CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
      return { namespace: own, attributes: command.attributes?.searchAttributes };
    case CommandType.START_CHILD_WORKFLOW_EXECUTION:
      return { namespace: command.attributes?.namespace || own, attributes: command.attributes?.searchAttributes };
    default:
      return undefined;
  }
}

function withAttributes(command: Command, searchAttributes: SearchAttributes): Command {
  switch (command.commandType) {
    case CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
      return { ...command, attributes: { ...command.attributes, searchAttributes } };
    case CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
      return { ...command, attributes: { ...command.attributes, searchAttributes } };
    case CommandType.START_CHILD_WORKFLOW_EXECUTION:
      return { ...command, attributes: { ...command.attributes, searchAttributes } };
    default:
      return command;
  }
}

/** Every answer to a workflow task comes by here, and nearly none sets an attribute: those cost nothing. */
export function withStampedAttributes(services: Services, own: string, commands: Command[], done: Done): void {
  if (!commands.some((command) => attributesOf(command, own)?.attributes?.indexedFields !== undefined)) {
    done(undefined, commands, undefined);
    return;
  }
  const set = commands.map((command) => attributesOf(command, own));
  const names = new Set(
    set.flatMap((found) => (found?.attributes?.indexedFields === undefined ? [] : found.namespace)),
  );
  typesOf(services, [...names], set, (error, types) => {
    const problems: AttributeProblem[] = [];
    const stamped = commands.map((command, i) => {
      const found = set[i];
      if (found?.attributes === undefined) return command;
      const result = stamp(found.namespace, found.attributes, types.get(found.namespace) ?? new Map());
      if ('problem' in result) problems.push({ command: i, problem: result.problem });
      return 'problem' in result || result.attributes === undefined
        ? command
        : withAttributes(command, result.attributes);
    });
    done(error, stamped, problems.length === 0 ? undefined : problems);
  });
}

/** One namespace after the other; nearly always there is one. */
function typesOf(
  services: Services,
  names: readonly string[],
  set: readonly ReturnType<typeof attributesOf>[],
  done: (error: Status | undefined, types: Map<string, AttributeTypes>) => void,
): void {
  const found = new Map<string, AttributeTypes>();
  const next = (at: number): void => {
    const namespace = names[at];
    if (namespace === undefined) {
      done(undefined, found);
      return;
    }
    const mine = set.filter((one) => one?.namespace === namespace);
    services.attributes.with(
      namespace,
      (types) => mine.every((one) => covers(one?.attributes)(types)),
      (error, types) => {
        if (error !== undefined) {
          done(error, found);
          return;
        }
        found.set(namespace, types);
        next(at + 1);
      },
    );
  };
  next(0);
}

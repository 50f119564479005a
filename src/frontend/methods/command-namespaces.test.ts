import { describe, expect, it } from 'vitest';
import type { Command } from '../../wire/command.ts';
import { CommandType, WorkflowTaskFailedCause } from '../../wire/enums.ts';
import type { ReferenceWays, Services } from '../door.ts';
import { crossing } from './command-namespaces.ts';

// Nothing else of them is asked for.
const door = (reference: ReferenceWays | undefined): Services => ({ reference }) as unknown as Services;
const REFUSING = door({ crossNamespaceCommands: 'refused' });
const signal = (namespace: string): Command =>
  ({ commandType: CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION, attributes: { namespace } }) as Command;
const TIMER = { commandType: CommandType.START_TIMER, attributes: { timerId: 't' } } as Command;

describe('commands into other namespaces', () => {
  it('are what a door refuses whose clients expect it, each with the cause of its kind', () => {
    const child = {
      commandType: CommandType.START_CHILD_WORKFLOW_EXECUTION,
      attributes: { namespace: 'b' },
    } as Command;
    expect(crossing(REFUSING, 'a', [TIMER, signal('b'), child])).toMatchObject([
      { command: 1, cause: WorkflowTaskFailedCause.BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES },
      { command: 2, cause: WorkflowTaskFailedCause.BAD_START_CHILD_EXECUTION_ATTRIBUTES },
    ]);
  });

  it.each([
    ['its own namespace, by name or without', REFUSING, [signal('a'), signal(''), TIMER]],
    ['a door that is set to allow them', door({ crossNamespaceCommands: 'allowed' }), [signal('b')]],
    ['the native door', door(undefined), [signal('b')]],
  ])('are no problem: %s', (_what, services, commands) => {
    expect(crossing(services, 'a', commands)).toBeUndefined();
  });
});

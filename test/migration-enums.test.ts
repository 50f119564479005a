// What Temporal's packages export as enums has the same keys and values here, the deprecated ones with the protocol's prefixes included:
// code that says `WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE` would otherwise ask for nothing, and be told nothing.
import * as theirClient from '@temporalio/client';
import * as theirCommon from '@temporalio/common';
import * as theirWorkflow from '@temporalio/workflow';
import { describe, expect, it } from 'vitest';
import * as ourClient from '../sdk/client/index.ts';
import * as ourCommon from '../sdk/common/index.ts';
import * as ourWorkflow from '../sdk/workflow/index.ts';

/** Enums of features that are not here, or that are here elsewhere. The migration guide says so of each. */
const LEFT_OUT: readonly string[] = [
  'ReachabilityType',
  'NexusOperationIdReusePolicy',
  'NexusOperationIdConflictPolicy',
  'NexusOperationExecutionStatus',
  'PendingNexusOperationState',
  'NexusOperationCancellationState',
];

const isEnum = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).length > 0 &&
  Object.values(value).every((member) => member === undefined || ['string', 'number'].includes(typeof member));

const enumsOf = (module: object): [string, Record<string, unknown>][] =>
  Object.entries(module).filter((entry): entry is [string, Record<string, unknown>] => isEnum(entry[1]));

describe.each<[string, object, object]>([
  ['client', theirClient, ourClient],
  ['workflow', theirWorkflow, ourWorkflow],
  ['common', theirCommon, ourCommon],
])('the enums of %s', (_, theirs, ours) => {
  const shared = enumsOf(theirs).filter(([name]) => !LEFT_OUT.includes(name));

  it('are some', () => expect(shared.length).toBeGreaterThan(3));

  it.each(shared)('%s has their members', (name, members) => {
    const own: unknown = Reflect.get(ours, name);
    expect(own).toMatchObject(members);
    // What is undefined matches what is absent, which code that enumerates the keys tells apart.
    expect(Object.keys(own ?? {})).toEqual(expect.arrayContaining(Object.keys(members)));
  });
});

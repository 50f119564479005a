// What a description shows of versions and of Nexus operations that are not over.

import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import type { WorkflowExecutionDescription } from '../../../sdk/client/index.ts';
import { PendingNexusOperationState, VersioningBehavior } from '../../wire/enums.ts';
import type { Session } from '../connect.ts';
import { Output } from '../output.ts';
import { describeWorkflow } from './describe.ts';

async function described(raw: object, output: 'table' | 'json'): Promise<string> {
  const stream = new PassThrough();
  const session = {
    output: new Output({ output, color: 'never' }, stream as unknown as NodeJS.WriteStream),
  } as Session;
  const info = { workflowId: 'w', runId: 'r', workflowType: 't', taskQueue: 'q', startTime: 1, executionTime: 1 };
  const nothing = {
    pendingActivities: [],
    pendingChildren: [],
    pendingTimers: [],
    callbacks: [],
    pendingNexusOperations: [],
  };
  const all = { workflowExecutionInfo: info, executionConfig: {}, ...nothing, ...raw };
  // Only what a description without attributes and memo has.
  await describeWorkflow(session, { raw: all, status: { name: 'RUNNING' } } as unknown as WorkflowExecutionDescription);
  return String(stream.read());
}

const v = (buildId: string) => ({ deploymentName: 'shop', buildId });
const { PINNED, AUTO_UPGRADE } = VersioningBehavior;

it.each([
  [{ behavior: PINNED, deploymentVersion: v('v1') }, 'PINNED of shop:v1'],
  [
    { behavior: PINNED, deploymentVersion: v('v1'), versioningOverride: { pinned: { version: v('v2') } } },
    'PINNED of shop:v1, overridden: PINNED to shop:v2',
  ],
  [
    { behavior: PINNED, deploymentVersion: v('v1'), versioningOverride: { autoUpgrade: true } },
    'PINNED of shop:v1, overridden: AUTO_UPGRADE',
  ],
  [
    { behavior: AUTO_UPGRADE, deploymentVersion: v('v1'), versionTransition: { version: '' } },
    'AUTO_UPGRADE of shop:v1, on its way to unversioned',
  ],
])('says which version it goes by: %j', async (versioningInfo, said) => {
  expect(await described({ versioningInfo }, 'table')).toMatch(new RegExp(`^versioning +${said}$`, 'm'));
});

it('lists Nexus operations, and why one is blocked', async () => {
  const operation = {
    endpoint: 'e',
    service: 's',
    operation: 'o',
    attempt: 6,
    state: PendingNexusOperationState.BLOCKED,
    blockedReason: 'it is left alone',
  };
  const pendingNexusOperations = [operation];
  expect(await described({ pendingNexusOperations }, 'table')).toMatch(
    /\nPending Nexus operations: 1\n.*\n e +s +o +BLOCKED +6 +it is left alone *\n/,
  );
  expect(JSON.parse(await described({ pendingNexusOperations }, 'json'))).toMatchObject({
    pendingNexusOperations: [{ endpoint: 'e', operation: 'o', attempt: 6, lastFailure: 'it is left alone' }],
  });
});

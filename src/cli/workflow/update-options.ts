// `tenuto workflow update-options`: what holds of one workflow, or of all of a query, instead of what it says of versions, and its priority.

import { type Command, Option } from 'commander';
import { encodeVersioningOverride, type VersioningOverride } from '../../../sdk/common/worker-deployments.ts';
import type { WorkflowExecutionOptions } from '../../wire/execution.ts';
import { withClient } from '../connect.ts';
import { UsageError } from '../exit-codes.ts';
import { type PriorityFlags, priorityChange, withPriority } from '../priority.ts';
import { type ManyFlags, oneOf, startJob, withTargets } from './many.ts';

export interface OptionsFlags extends PriorityFlags {
  versioningOverrideBehavior?: 'pinned' | 'auto_upgrade' | 'unspecified';
  versioningOverrideDeploymentName?: string;
  versioningOverrideBuildId?: string;
}

type Flags = ManyFlags & OptionsFlags;

/** What requests say of it. */
export function optionsChange(flags: OptionsFlags): {
  workflowExecutionOptions: WorkflowExecutionOptions;
  updateMask: string[];
} {
  const priority = priorityChange(flags);
  const { versioningOverrideBehavior: behavior } = flags;
  if (priority === undefined && behavior === undefined)
    throw new UsageError('change what? Say --versioning-override-behavior, --priority-key or another of its flags');
  return {
    workflowExecutionOptions: {
      ...(priority !== undefined && { priority: priority.priority }),
      ...(behavior !== undefined && { versioningOverride: encodeVersioningOverride(overrideOf(behavior, flags)) }),
    },
    updateMask: [...(priority?.updateMask ?? []), ...(behavior === undefined ? [] : ['versioningOverride'])],
  };
}

function overrideOf(
  behavior: NonNullable<OptionsFlags['versioningOverrideBehavior']>,
  { versioningOverrideDeploymentName: deploymentName, versioningOverrideBuildId: buildId }: OptionsFlags,
): VersioningOverride | undefined {
  switch (behavior) {
    case 'unspecified':
      return undefined;
    case 'auto_upgrade':
      return 'AUTO_UPGRADE';
    case 'pinned':
      if (deploymentName !== undefined && buildId !== undefined) return { pinnedTo: { deploymentName, buildId } };
      throw new UsageError(
        'pinned to what? Say --versioning-override-deployment-name and --versioning-override-build-id',
      );
  }
}

export const withOptions = (command: Command): Command =>
  withPriority(
    command
      .addOption(
        new Option('--versioning-override-behavior <how>', 'unspecified: what the workflow says itself').choices([
          'unspecified',
          'pinned',
          'auto_upgrade',
        ]),
      )
      .option('--versioning-override-deployment-name <name>', 'of the version it is pinned to')
      .option('--versioning-override-build-id <id>', 'of the version it is pinned to'),
  );

export function defineUpdateOptionsCommand(define: (name: string, description: string) => Command): void {
  withOptions(
    withTargets(
      define(
        'update-options',
        'change the priority of a workflow, or of all of a query, or pin it to a version of its workers, or let it upgrade',
      ),
    ),
  )
    .addHelpText(
      'after',
      '\nOf a priority, what is not said stays; 0, or an empty key, takes it back.\n\nExamples:\n  tenuto workflow update-options -w order-17 --priority-key 1\n  tenuto workflow update-options -w order-17 --versioning-override-behavior pinned \\\n    --versioning-override-deployment-name shop --versioning-override-build-id v1',
    )
    .action(
      withClient<Flags>(async (session, flags) => {
        const { connection, namespace, output } = session;
        const { identity } = connection;
        const change = optionsChange(flags);
        const one = oneOf(flags);
        if (one === undefined)
          return startJob(session, flags, { updateWorkflowOptionsOperation: { ...change, identity } });
        const { workflowExecutionOptions } = await connection.request('updateWorkflowExecutionOptions', {
          identity: connection.identity,
          ...{ namespace, ...one, ...change },
        });
        output.record({ workflowId: one.workflowId, ...workflowExecutionOptions });
      }),
    );
}

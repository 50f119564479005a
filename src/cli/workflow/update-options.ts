// `tenuto workflow update-options`: what holds of one workflow, or of all of a query, instead of what it says of versions.

import { type Command, Option } from 'commander';
import { encodeVersioningOverride, type VersioningOverride } from '../../../sdk/common/worker-deployments.ts';
import { withClient } from '../connect.ts';
import { UsageError } from '../exit-codes.ts';
import { type ManyFlags, oneOf, startJob, withTargets } from './many.ts';

export interface OverrideFlags {
  versioningOverrideBehavior: 'pinned' | 'auto_upgrade' | 'unspecified';
  versioningOverrideDeploymentName?: string;
  versioningOverrideBuildId?: string;
}

type Flags = ManyFlags & OverrideFlags;

/** What requests say of it. */
export const overrideChange = (flags: OverrideFlags) => ({
  workflowExecutionOptions: { versioningOverride: encodeVersioningOverride(overrideOf(flags)) },
  updateMask: ['versioningOverride'],
});

function overrideOf(flags: OverrideFlags): VersioningOverride | undefined {
  const { versioningOverrideDeploymentName: deploymentName, versioningOverrideBuildId: buildId } = flags;
  switch (flags.versioningOverrideBehavior) {
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

export const withOverride = (command: Command): Command =>
  command
    .addOption(
      new Option('--versioning-override-behavior <how>', 'unspecified: what the workflow says itself (required)')
        .choices(['unspecified', 'pinned', 'auto_upgrade'])
        .makeOptionMandatory(),
    )
    .option('--versioning-override-deployment-name <name>', 'of the version it is pinned to')
    .option('--versioning-override-build-id <id>', 'of the version it is pinned to');

export function defineUpdateOptionsCommand(define: (name: string, description: string) => Command): void {
  withOverride(
    withTargets(
      define('update-options', 'pin a workflow, or all of a query, to a version of its workers, or let it upgrade'),
    ),
  )
    .addHelpText(
      'after',
      '\nExample:\n  tenuto workflow update-options -w order-17 --versioning-override-behavior pinned \\\n    --versioning-override-deployment-name shop --versioning-override-build-id v1',
    )
    .action(
      withClient<Flags>(async (session, flags) => {
        const { connection, namespace, output } = session;
        const { identity } = connection;
        const change = overrideChange(flags);
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

// What `workflowInfo()` says of the workflow task that is worked on: all of it as the history has it, or will have it, so that a replay reads the same.
// Values are made anew: what comes from outside the isolate is not handed to the workflow's code.

import { decodeSuggestContinueAsNewReason } from '../common/enums.ts';
import { convertDeploymentVersion } from '../common/worker-deployments.ts';
import type { Activation } from './activation.ts';
import type { WorkflowInfo } from './interfaces.ts';

type TaskInfo = Pick<
  WorkflowInfo,
  | 'historyLength'
  | 'historySize'
  | 'continueAsNewSuggested'
  | 'suggestedContinueAsNewReasons'
  | 'targetWorkerDeploymentVersionChanged'
  | 'currentBuildId'
  | 'currentDeploymentVersion'
>;

export function taskInfoOf({ historyLength, historySize, continueAsNewSuggested, ...task }: Activation): TaskInfo {
  const { suggestReasons = [], targetVersionChanged = false, buildId, version } = task;
  const reasons = suggestReasons.flatMap((reason) => decodeSuggestContinueAsNewReason(reason) ?? []);
  return {
    ...{ historyLength, historySize, continueAsNewSuggested },
    suggestedContinueAsNewReasons: reasons.length > 0 ? [...reasons] : undefined,
    targetWorkerDeploymentVersionChanged: targetVersionChanged,
    currentBuildId: buildId,
    currentDeploymentVersion: convertDeploymentVersion(version),
  };
}

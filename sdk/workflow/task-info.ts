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

export function taskInfoOf(activation: Activation): TaskInfo {
  const { suggestReasons, targetVersionChanged = false } = activation;
  const reasons = suggestReasons?.flatMap((reason) => decodeSuggestContinueAsNewReason(reason) ?? []);
  return {
    historyLength: activation.historyLength,
    historySize: activation.historySize,
    continueAsNewSuggested: activation.continueAsNewSuggested,
    suggestedContinueAsNewReasons: reasons === undefined || reasons.length === 0 ? undefined : [...reasons],
    targetWorkerDeploymentVersionChanged: targetVersionChanged,
    currentBuildId: activation.buildId,
    currentDeploymentVersion: convertDeploymentVersion(activation.version),
  };
}

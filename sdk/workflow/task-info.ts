// What `workflowInfo()` says of the workflow task that is worked on: all of it as the history has it, or will have it, so that a replay reads the same.
// Values are made anew: what comes from outside the isolate is not handed to the workflow's code.

import { decodeSuggestContinueAsNewReason } from '../common/enums.ts';
import { convertDeploymentVersion } from '../common/worker-deployments.ts';
import type { Activation } from './activation.ts';
import type { WorkflowInfo } from './interfaces.ts';

/** A copy of its own, which every look at it before this task keeps as it was. `info` has all the members: none is added (docs/decisions/0089). */
export function infoDuring(activation: Activation, info: WorkflowInfo): WorkflowInfo {
  const { suggestReasons, targetVersionChanged = false } = activation;
  const reasons = suggestReasons?.flatMap((reason) => decodeSuggestContinueAsNewReason(reason) ?? []);
  const during = { ...info };
  during.historyLength = activation.historyLength;
  during.historySize = activation.historySize;
  during.continueAsNewSuggested = activation.continueAsNewSuggested;
  during.suggestedContinueAsNewReasons = reasons === undefined || reasons.length === 0 ? undefined : [...reasons];
  during.targetWorkerDeploymentVersionChanged = targetVersionChanged;
  during.currentBuildId = activation.buildId;
  during.currentDeploymentVersion = convertDeploymentVersion(activation.version);
  return during;
}

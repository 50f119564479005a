// The jobs: each makes the thumbnail of one picture. Some pictures are broken, one needs a second try.

import { ApplicationFailure, activityInfo, heartbeat } from 'tenuto/activity';

export async function thumbnail(picture: string): Promise<string> {
  const { attempt, inWorkflow } = activityInfo();
  if (inWorkflow) throw new Error('these run without a workflow');
  heartbeat({ picture, attempt });
  if (picture.startsWith('broken')) throw ApplicationFailure.nonRetryable(`${picture} is no picture`, 'Broken');
  if (picture === 'slow-disk' && attempt === 1) throw ApplicationFailure.retryable('the disk did not answer');
  return `${picture}.small.png (attempt ${attempt})`;
}

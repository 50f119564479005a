// What a repeat of a request would do when nobody knows what became of the first: decides whether routing may send it again (I5). Used by operations.ts.

import type { DeploymentAsk } from '../../src/ports/deployments.ts';
import type { AttributesChange } from '../../src/ports/engine.ts';
import type { JobAsk } from '../../src/ports/jobs.ts';
import type { NamespaceAsk } from '../../src/ports/namespaces.ts';
import type { EndpointAsk } from '../../src/ports/nexus-endpoints.ts';
import type { ForwardedMessage } from './message-checks.ts';

/**
 * `nothing`: it changes no rows. `once`: its id makes a repeat the same request. `perhapsTwice`: it has none, so it is repeated only when the first is
 * known not to have been applied: somebody may have made another change meanwhile, which a repeat would undo, or it would be told that it comes too late.
 */
export type Effect = 'nothing' | 'once' | 'perhapsTwice';

export function effectOf(message: ForwardedMessage): Effect {
  switch (message.type) {
    case 'start':
    case 'signal':
    case 'requestCancel':
    case 'terminate':
    case 'reset':
    case 'pauseWorkflow':
    case 'unpauseWorkflow':
    case 'createSchedule':
    case 'updateSchedule':
    case 'patchSchedule':
    case 'deleteSchedule':
      return message.requestId === '' ? 'perhapsTwice' : 'once';
    case 'completeWorkflowTask':
    case 'failWorkflowTask':
    case 'completeActivityTask':
    case 'failActivityTask':
    case 'cancelActivityTask':
    case 'heartbeatActivityTask':
    case 'answerNexusTask':
      return 'perhapsTwice';
    case 'query':
    case 'pollUpdate':
      return 'nothing';
    // Its id makes a repeat the same update.
    case 'update':
      return 'once';
    // A repeat would be told that no query waits, though the first one found it.
    case 'queryAnswered':
    case 'queryLost':
      return 'perhapsTwice';
    // Nor would one that deletes what the first has deleted know it.
    case 'deleteExecution':
      return 'perhapsTwice';
    case 'describeSchedule':
    case 'scheduleTimes':
    case 'describeFlow':
      return 'nothing';
    // A reservation is known by its request id, a permit by its name.
    case 'flowReserve':
    case 'flowRelease':
      return 'once';
    case 'queryAbandoned':
      return 'nothing';
    // Somebody may have done the opposite meanwhile, or the attempt that it asked for may have begun.
    case 'pauseActivity':
    case 'unpauseActivity':
    case 'resetActivity':
    case 'updateActivityOptions':
    case 'updateOptions':
    case 'setFlowLimits':
      return 'perhapsTwice';
  }
}

/** Registering an attribute again is harmless, unless it was removed meanwhile by who wanted that. */
export const effectOfAttributes = ({ remove, rename = {} }: AttributesChange): Effect =>
  remove.length === 0 && Object.keys(rename).length === 0 ? 'once' : 'perhapsTwice';

/** A job has an id. */
export const effectOfJob = ({ type }: JobAsk): Effect => (type === 'describe' || type === 'list' ? 'nothing' : 'once');

/** A record has an id, by which its registration is known again. */
export const effectOfNamespace = ({ type }: NamespaceAsk): Effect =>
  type === 'list' ? 'nothing' : type === 'register' ? 'once' : 'perhapsTwice';

/** A change made for a version is made once; but its repeat finds another version, and says so. */
export const effectOfEndpoint = ({ type }: EndpointAsk): Effect =>
  type === 'list' ? 'nothing' : type === 'create' ? 'once' : 'perhapsTwice';

export function effectOfDeployment(asked: DeploymentAsk): Effect {
  if (asked.type === 'list') return 'nothing';
  const { change } = asked;
  switch (change.type) {
    // What workers and counts say, they say again.
    case 'poll':
    case 'drainage':
      return 'once';
    case 'create':
    case 'createVersion':
      return change.requestId === '' ? 'perhapsTwice' : 'once';
    default:
      return 'perhapsTwice';
  }
}

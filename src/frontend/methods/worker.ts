// How workers come, grant and leave. Their tasks are in workflow-task.ts and activity-task.ts.

import { MAX_CREDIT } from '../../core/matching/lane.ts';
import { MAX_TOKEN } from '../../core/workflow/token.ts';
import { StatusCode } from '../../wire/status.ts';
import type {
  GrantCreditRequest,
  RegisterWorkerRequest,
  ResumeWorkerRequest,
  WithdrawCreditRequest,
  WithdrawCreditResponse,
} from '../../wire/worker-session.ts';
import { method, type Services } from '../door.ts';
import {
  boolean,
  bytes,
  type Check,
  defaulted,
  finite,
  integer,
  invalid,
  list,
  object,
  optional,
  Refused,
  string,
} from '../validate/check.ts';
import * as common from '../validate/common.ts';
import * as rules from '../validate/rules.ts';

const EMPTY = Object.freeze({});
const WORKER = { callClass: 'worker' } as const;
/** Tokens one registration may list: twice what both kinds of credit allow. */
const MAX_HELD_TOKENS = 4 * MAX_CREDIT;

const credit: Check<number> = (value) => {
  const n = integer(value);
  if (n < 0 || n > MAX_CREDIT) throw invalid(`Credit must be between 0 and ${MAX_CREDIT}, not ${n}.`);
  return n;
};

const perSecond: Check<number> = (value) => {
  const rate = finite(value);
  if (rate <= 0) throw invalid(`A rate limit must be above 0 per second, not ${rate}; leave it out for none.`);
  return rate;
};

/** 0: none. */
const perSecondOrNone: Check<number> = (value) => (value === 0 ? 0 : perSecond(value));

function checkHeld(tokens: readonly Uint8Array[]): void {
  if (tokens.length > MAX_HELD_TOKENS) throw invalid(`A worker lists at most ${MAX_HELD_TOKENS} held tokens.`);
  for (const { length } of tokens) {
    if (length > MAX_TOKEN) throw invalid(`A held token has at most ${MAX_TOKEN} bytes, not ${length}.`);
  }
}

function notRegistered(workerId: string): Refused {
  return new Refused({
    code: StatusCode.FAILED_PRECONDITION,
    message: `Worker ${workerId.slice(0, 100)} is not registered on this connection: register it first.`,
  });
}

/** Its version comes to be by it. */
function tellPolls(
  { deployments }: Services,
  { namespace, taskQueue, identity, deploymentVersion: version, ...request }: RegisterWorkerRequest,
): void {
  if (version === undefined || request.nexus === true) return;
  if (request.workflowCredit > 0) deployments.polled(namespace, version, taskQueue, 'workflow', identity);
  if (request.activityCredit > 0) deployments.polled(namespace, version, taskQueue, 'activity', identity);
}

export const registerWorker = method(
  object<RegisterWorkerRequest>({
    workerId: defaulted(string, ''),
    namespace: defaulted(string, ''),
    taskQueue: defaulted(string, ''),
    identity: defaulted(string, ''),
    buildId: optional(string),
    nexus: optional(boolean),
    deploymentVersion: optional(common.deploymentVersion),
    stickyQueue: optional(string),
    stickyScheduleToStartTimeout: optional(integer),
    workflowCredit: defaulted(credit, 0),
    activityCredit: defaulted(credit, 0),
    maxActivitiesPerSecond: optional(perSecond),
    maxTaskQueueActivitiesPerSecond: optional(perSecond),
    heldTokens: defaulted(list(bytes), []),
  }),
  (services, caller, request, call) => {
    const { limits } = services;
    rules.namespace(services, caller, request.namespace);
    rules.present(limits, 'WorkerId', request.workerId);
    rules.taskQueueName(limits, request.taskQueue);
    rules.within(limits, 'Identity', request.identity);
    rules.within(limits, 'BuildId', request.buildId ?? '');
    rules.within(limits, 'StickyQueue', request.stickyQueue ?? '');
    rules.duration('StickyScheduleToStartTimeout', request.stickyScheduleToStartTimeout);
    if (request.stickyQueue === request.taskQueue) {
      throw invalid('A sticky queue must have another name than the task queue.');
    }
    checkHeld(request.heldTokens);
    rules.workerVersion(services.limits, request.deploymentVersion);
    caller.registerWorker(request);
    tellPolls(services, request);
    call.reply(EMPTY);
  },
  WORKER,
);

export const unregisterWorker = method(
  object<{ workerId: string }>({ workerId: defaulted(string, '') }),
  (_services, caller, request, call) => {
    caller.leaveWorker(request.workerId);
    call.reply(EMPTY);
  },
  WORKER,
);

export const grantCredit = method(
  object<GrantCreditRequest>({
    workerId: defaulted(string, ''),
    workflow: optional(credit),
    activity: optional(credit),
    maxActivitiesPerSecond: optional(perSecondOrNone),
  }),
  (_services, caller, { workerId, workflow, activity, maxActivitiesPerSecond: rate }, call) => {
    if (rate !== undefined && !caller.limitActivities(workerId, rate || undefined)) throw notRegistered(workerId);
    if (!caller.grantCredit(workerId, workflow ?? 0, activity ?? 0)) throw notRegistered(workerId);
    call.reply(EMPTY);
  },
  WORKER,
);

export const withdrawCredit = method(
  object<WithdrawCreditRequest>({
    workerId: defaulted(string, ''),
    workflow: optional(credit),
    activity: optional(credit),
  }),
  (_services, caller, { workerId, workflow = 0, activity = 0 }, call) => {
    const taken = {
      workflow: caller.withdrawCredit(workerId, 'workflow', workflow),
      activity: caller.withdrawCredit(workerId, 'activity', activity),
    };
    if (taken.workflow === undefined || taken.activity === undefined) throw notRegistered(workerId);
    call.reply({ workflow: taken.workflow, activity: taken.activity } satisfies WithdrawCreditResponse);
  },
  WORKER,
);

export const resumeWorker = method(
  object<ResumeWorkerRequest>({ workerId: defaulted(string, ''), heldTokens: defaulted(list(bytes), []) }),
  (_services, caller, { workerId, heldTokens }, call) => {
    checkHeld(heldTokens);
    if (!caller.resumeWorker(workerId, heldTokens)) throw notRegistered(workerId);
    call.reply(EMPTY);
  },
  WORKER,
);

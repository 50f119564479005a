// Task queues: described, and configured while they are used; with the errors of the Temporal server.

import { MAX_WEIGHT, MIN_WEIGHT } from '../../core/matching/fairness.ts';
import { MAX_WEIGHT_OVERRIDES } from '../../core/matching/queue-config.ts';
import type { RateLimitUpdate } from '../../wire/task-queue.ts';
import { method } from '../door.ts';
import { describeFamily, unreadable } from '../queue-family.ts';
import { defaulted, invalid, object, string } from '../validate/check.ts';
import * as rules from '../validate/rules.ts';
import { updateTaskQueueConfig as request } from '../validate/task-queue.ts';

export const describeTaskQueue = method(
  object<{ namespace: string; taskQueue: string }>({
    namespace: defaulted(string, ''),
    taskQueue: defaulted(string, ''),
  }),
  (services, caller, { namespace, taskQueue }, call) => {
    rules.namespace(services, caller, namespace);
    rules.taskQueueName(services.limits, taskQueue);
    describeFamily(services, namespace, taskQueue).then(
      (described) => call.reply(described),
      (error: unknown) => call.refuse(unreadable(`task queue ${taskQueue}`, error)),
    );
  },
);

function checkRate(what: string, update: RateLimitUpdate | undefined): void {
  const rate = update?.requestsPerSecond;
  if (rate !== undefined && !(rate >= 0)) throw invalid(`${what} must be 0 or more tasks a second, not ${rate}.`);
  if ((update?.reason?.length ?? 0) > MAX_REASON) throw invalid(`The reason of ${what} is longer than ${MAX_REASON}.`);
}

/** Characters. */
const MAX_REASON = 1_000;

function checkWeights(weights: Record<string, number> = {}, unset: readonly string[] = []): void {
  const keys = Object.keys(weights);
  if (keys.length > MAX_WEIGHT_OVERRIDES || unset.length > MAX_WEIGHT_OVERRIDES) {
    throw invalid(`A task queue has at most ${MAX_WEIGHT_OVERRIDES} fairness weight overrides.`);
  }
  if ([...keys, ...unset].includes('')) throw invalid('fairness weight override key must not be empty');
  for (const key of keys) {
    rules.priority({ fairnessKey: key });
    const weight = weights[key] ?? 0;
    if (weight < MIN_WEIGHT || weight > MAX_WEIGHT) {
      throw invalid(`The weight of fairness key ${key} must be from ${MIN_WEIGHT} to ${MAX_WEIGHT}, not ${weight}.`);
    }
    if (unset.includes(key)) throw invalid(`Fairness key ${key} is both set and unset.`);
  }
}

export const updateTaskQueueConfig = method(request, (services, caller, change, call) => {
  rules.namespace(services, caller, change.namespace);
  if (change.taskQueue !== '') rules.taskQueueName(services.limits, change.taskQueue);
  if (change.kind === 'workflow' && change.updateQueueRateLimit !== undefined) {
    throw invalid('The rate of workflow tasks is not limited: a queue rate limit is for activity task queues.');
  }
  rules.within(services.limits, 'Identity', change.identity ?? '');
  checkRate('the queue rate limit', change.updateQueueRateLimit);
  checkRate('the fairness key rate limit', change.updateFairnessKeyRateLimitDefault);
  checkWeights(change.setFairnessWeightOverrides, change.unsetFairnessWeightOverrides);
  services.engine.namespaces({ type: 'configureQueue', change }, (error, answer) => {
    const queue = answer?.queues?.[0];
    if (queue === undefined) {
      if (error !== undefined) call.refuse(error);
      return;
    }
    // The other nodes hear of it within a second.
    services.directory.learnQueue(queue);
    call.reply({ config: queue.config });
  });
});

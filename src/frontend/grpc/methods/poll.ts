// A long poll: one credit for one answer, until a task comes, its client goes, or a minute is over.

import { versionedQueue, versionKey } from '../../../core/deployment/versioned-queue.ts';
import type { Delivery, TaskKind } from '../../../ports/matching.ts';
import { WorkerVersioningMode } from '../../../wire/deployment.ts';
import { TaskQueueKind } from '../../../wire/enums.ts';
import { StatusCode } from '../../../wire/status.ts';
import { invalid, Refused } from '../../validate/check.ts';
import * as rules from '../../validate/rules.ts';
import { scalingDecision } from '../poller-scaling.ts';
import { type Message, number, part, type Rpc, rpc, text } from '../rpc.ts';

/** An empty answer comes after so long: ms. */
const LONG_POLL_MS = 60_000;
/** A poll that would wait shorter is a mistake, as on the reference server. */
const SHORTEST_POLL_MS = 2_000;

/** Newer workers say it with their deployment's options, others with their capabilities. The checksum of old ones is said with each answer. */
const buildIdOf = (request: Message): string | undefined =>
  text(part(request, 'deploymentOptions'), 'buildId') ||
  text(part(request, 'workerVersionCapabilities'), 'buildId') ||
  undefined;

/** The version whose tasks it polls for. */
function versionOf(request: Message): { deploymentName: string; buildId: string } | undefined {
  const options = part(request, 'deploymentOptions');
  if (number(options, 'workerVersioningMode') !== WorkerVersioningMode.VERSIONED) return undefined;
  return { deploymentName: text(options, 'deploymentName'), buildId: text(options, 'buildId') };
}

/** A worker that wants to be chosen by its version has to say which that is. */
function checkVersioning(request: Message): void {
  const capabilities = part(request, 'workerVersionCapabilities');
  if (capabilities.useVersioning === true && text(capabilities, 'buildId') === '') {
    throw invalid('WorkerVersionStamp must be present if UseVersioning is true.');
  }
  const options = part(request, 'deploymentOptions');
  const complete = text(options, 'buildId') !== '' && text(options, 'deploymentName') !== '';
  if (number(options, 'workerVersioningMode') === WorkerVersioningMode.VERSIONED && !complete) {
    throw invalid('Deployment name and build id must be set together.');
  }
}

/** `answer` makes the response of a task, with the queue that was polled; `queueOf` says where its tasks are, if not under its name: there, for any version. */
/** Of a sticky queue: the workflow's own. Of another it would be understood as something else. */
export function checkNormalName(queue: Message): void {
  const normalName = text(queue, 'normalName');
  if (normalName === '' || number(queue, 'kind') === TaskQueueKind.STICKY) return;
  throw invalid(`only sticky queues can have normal name. tq: ${text(queue, 'name')}, normal name: ${normalName}`);
}

export function poll(
  kind: TaskKind,
  answer: (task: Delivery, queue: Message) => object,
  queueOf?: (name: string) => string,
): Rpc {
  return rpc(
    (services, caller, request, call) => {
      const { limits } = services;
      const namespace = text(request, 'namespace');
      rules.namespace(services, caller, namespace);
      const queue = part(request, 'taskQueue');
      const name = text(queue, 'name');
      rules.present(limits, 'TaskQueue', name);
      rules.within(limits, 'Identity', text(request, 'identity'));
      rules.within(limits, 'TaskQueue', text(queue, 'normalName'));
      checkNormalName(queue);
      if (call.timeoutMs < SHORTEST_POLL_MS) {
        throw new Refused({
          code: StatusCode.FAILED_PRECONDITION,
          message: `A poll needs a deadline of at least ${SHORTEST_POLL_MS} ms, this one has ${Math.round(call.timeoutMs)} ms.`,
        });
      }
      checkVersioning(request);
      const rate = number(part(part(request, 'taskQueueMetadata'), 'maxTasksPerSecond'), 'value');
      const version = versionOf(request);
      rules.workerVersion(limits, version);
      const key = queueOf === undefined ? version && versionKey(version) : undefined;
      const sticky = kind === 'workflow' && number(queue, 'kind') === TaskQueueKind.STICKY;
      const identity = text(request, 'identity');
      if (version !== undefined && key !== undefined && !sticky)
        services.deployments.polled(namespace, version, name, kind, identity);
      const polled = {
        namespace,
        name: queueOf?.(name) ?? (sticky ? name : versionedQueue(name, key)),
        version: key,
        kind,
        sticky,
        identity,
        buildId: buildIdOf(request),
        tasksPerSecond: rate > 0 ? rate : undefined,
      };
      call.atDeadline(() => call.reply({}));
      const { clock } = services;
      const since = clock.monotonic();
      const abandon = services.pollers.add(polled, {
        take: (task) => {
          if (!call.isOpen) return false;
          const pollerScalingDecision = scalingDecision(task, clock.monotonic() - since);
          const answered = answer(task, queue);
          call.reply(pollerScalingDecision === undefined ? answered : { ...answered, pollerScalingDecision });
          return true;
        },
        empty: () => call.reply({}),
      });
      call.waits({ abandon });
    },
    { callClass: 'worker', defaultTimeoutMs: LONG_POLL_MS, softTimeoutMs: LONG_POLL_MS },
  );
}

// Holds tasks to worker versions, by what is durable: a pinned run's tasks go to its version and no other; a workflow task of a run that moves is
// completed by a version that was due since the task was wanted; a version is drained when no open run is pinned to it.

import { RoutingTable } from '../../src/core/deployment/routes.ts';
import { versionKey } from '../../src/core/deployment/versioned-queue.ts';
import { deploymentsPrefix } from '../../src/shard/keys.ts';
import type { Methods } from '../../src/wire/api.ts';
import { decode } from '../../src/wire/codec.ts';
import type { VersioningOverride, WorkerDeploymentVersion } from '../../src/wire/common.ts';
import {
  type DeploymentRecord,
  type DeploymentVersionRequest,
  VersionDrainageStatus,
} from '../../src/wire/deployment.ts';
import { EventType, VersioningBehavior } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { Violation } from './kernel.ts';
import { NAMESPACE, TASK_QUEUE } from './names.ts';
import type { ActorsRow } from './operations/watches.ts';
import type { TrueRun } from './truth.ts';

/** From the turn that offers a task until its entry is durable, on the slowest of disks, ms. */
const HEARD_MS = 1_500;
/** A count of pinned runs is no older, ms. */
const COUNTED_MS = 1_500;
type Described = Methods['describeWorkerDeploymentVersion']['response'];

const nameOf = ({ deploymentName = '', buildId = '' }: WorkerDeploymentVersion): string =>
  `${deploymentName}:${buildId}`;

export class VersionWatch {
  /** Of the world. */
  now: () => number = () => 0;
  readonly seen = new Set<string>();
  readonly #records = new Map<string, DeploymentRecord>();
  /** As they became durable. */
  readonly #tables: { readonly at: number; readonly table: RoutingTable }[] = [];
  readonly #runs = new Map<string, TrueRun>();
  /** When a run's events became durable. */
  readonly #times = new Map<string, number[]>();
  /** By process. */
  readonly #workers = new Map<object, WorkerDeploymentVersion>();
  /** Who was pinned to a version when it was asked about, by request. */
  readonly #asked = new WeakMap<object, readonly string[]>();

  row({ key, value, end, namespace: _all }: ActorsRow): void {
    if (!key.startsWith(deploymentsPrefix(key.slice(1, end)))) return;
    // Written by the registry of deployments alone.
    if (value === undefined) this.#records.delete(key);
    else this.#records.set(key, decode(value) as DeploymentRecord);
    const table = new RoutingTable();
    table.learn(this.#records.values());
    this.#tables.push({ at: this.now(), table });
  }

  event(run: TrueRun, event: HistoryEvent): void {
    if (this.#records.size === 0) return;
    this.#runs.set(run.runId, run);
    const times = this.#times.get(run.runId) ?? [];
    this.#times.set(run.runId, times);
    times[event.eventId] = this.now();
    // Those that a reset took over were held to the routes of their time.
    if (event.eventType !== EventType.WORKFLOW_TASK_COMPLETED || event.eventId <= run.inherited) return;
    const { deploymentVersion, scheduledEventId = 0 } = event.attributes;
    const before = run.events.slice(0, -1);
    const where = `workflow task ${scheduledEventId} of run ${run.runId} of ${run.workflowId}`;
    const pinned = pinOf(before);
    if (pinned !== undefined) {
      this.seen.add('a pinned run went on');
      this.#mustBe(where, pinned, deploymentVersion);
    } else if (deploymentVersion !== undefined)
      this.#mustBeDue(where, run, scheduledEventId, deploymentVersion, before);
  }

  /** A worker process says who it is. */
  registered(worker: object, version: WorkerDeploymentVersion | undefined): void {
    if (version !== undefined) this.#workers.set(worker, version);
  }

  /** A task leaves for it. `shown`: events in the push, which may be newer than the durable ones. */
  pushed(worker: object, runId: string, shown: readonly HistoryEvent[]): void {
    const run = this.#runs.get(runId);
    const version = this.#workers.get(worker);
    if (run === undefined || version === undefined) return;
    const from = shown[0]?.eventId ?? run.events.length + 1;
    // What lies between is not durable, and was pushed before.
    if (from > run.events.length + 1) return;
    const pinned = pinOf([...run.events.slice(0, from - 1), ...shown]);
    if (pinned !== undefined) this.#mustBe(`a task of run ${runId} of ${run.workflowId}`, pinned, version);
  }

  /** A request has come to the node. */
  asked(method: string, body: object): void {
    if (method !== 'describeWorkerDeploymentVersion') return;
    const { deploymentVersion } = body as DeploymentVersionRequest;
    if (deploymentVersion !== undefined) this.#asked.set(body, this.#pinnedTo(deploymentVersion));
  }

  /** The same request is answered. */
  described(body: DeploymentVersionRequest, { workerDeploymentVersionInfo: info }: Described): void {
    const { deploymentVersion: version } = body;
    if (version === undefined || info.drainageInfo?.status !== VersionDrainageStatus.DRAINED) return;
    this.seen.add('a version was drained');
    const now = new Set(this.#pinnedTo(version));
    const left = this.#asked.get(body)?.find((runId) => now.has(runId));
    if (left !== undefined)
      throw new Violation('version', `${nameOf(version)} is said to be drained, and run ${left} is pinned to it`);
  }

  /** Open runs that are pinned to it, since long enough to be counted. */
  #pinnedTo(version: WorkerDeploymentVersion): string[] {
    const long = this.now() - COUNTED_MS;
    return [...this.#runs.values()]
      .filter((run) => run.closed === undefined && this.#isPinned(run, version, long))
      .map(({ runId }) => runId);
  }

  #isPinned(run: TrueRun, version: WorkerDeploymentVersion, until: number): boolean {
    const times = this.#times.get(run.runId) ?? [];
    const then = run.events.filter(({ eventId }) => (times[eventId] ?? 0) <= until);
    const [was, is] = [pinOf(then), pinOf(run.events)];
    return was !== undefined && is !== undefined && nameOf(was) === nameOf(version) && nameOf(is) === nameOf(version);
  }

  #mustBe(where: string, wanted: WorkerDeploymentVersion, found: WorkerDeploymentVersion | undefined): void {
    if (found !== undefined && nameOf(found) === nameOf(wanted)) return;
    throw new Violation(
      'version',
      `${where} went to ${found === undefined ? 'nobody' : nameOf(found)}, and is pinned to ${nameOf(wanted)}`,
    );
  }

  /** By a route that held at some time since what made the task necessary. */
  #mustBeDue(
    where: string,
    run: TrueRun,
    scheduledEventId: number,
    by: WorkerDeploymentVersion,
    before: readonly HistoryEvent[],
  ): void {
    const from = (this.#times.get(run.runId)?.[scheduledEventId - 1] ?? 0) - HEARD_MS;
    const begin = Math.max(
      0,
      this.#tables.findLastIndex(({ at }) => at <= from),
    );
    const targets = this.#tables
      .slice(begin)
      .map(({ table }) => table.target(NAMESPACE, TASK_QUEUE, 'workflow', run.workflowId));
    if (!targets.includes(versionKey(by)))
      throw new Violation('version', `${where} was completed by ${nameOf(by)}, which was not due`);
    const last = before.findLast(({ eventType }) => eventType === EventType.WORKFLOW_TASK_COMPLETED);
    const other = last?.eventType === EventType.WORKFLOW_TASK_COMPLETED ? last.attributes.deploymentVersion : undefined;
    if (other !== undefined && nameOf(other) !== nameOf(by)) this.seen.add('a run moved to another version');
  }
}

/** The version that a run with these events is pinned to. */
function pinOf(events: readonly HistoryEvent[]): WorkerDeploymentVersion | undefined {
  let override: VersioningOverride | undefined;
  let pin: WorkerDeploymentVersion | undefined;
  for (const event of events) {
    switch (event.eventType) {
      case EventType.WORKFLOW_EXECUTION_STARTED:
        override = event.attributes.versioningOverride;
        pin = event.attributes.inheritedPinnedVersion;
        break;
      case EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED:
        if (event.attributes.unsetVersioningOverride) override = undefined;
        else override = event.attributes.versioningOverride ?? override;
        break;
      case EventType.WORKFLOW_TASK_COMPLETED:
        pin =
          event.attributes.versioningBehavior === VersioningBehavior.PINNED
            ? event.attributes.deploymentVersion
            : undefined;
        break;
      default:
    }
  }
  if (override?.autoUpgrade === true) return undefined;
  return override?.pinned?.version ?? pin;
}

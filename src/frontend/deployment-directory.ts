// What this node knows of worker deployments, kept fresh: it asks for changes every second, at once when it has made one itself or is asked about one.
// So a change of routing is heard of everywhere within a second; until then a node routes by what it knew, to workers that know those workflows.
// Versions come to be by their workers' polls: the first one for a queue is told, the others are known to be told already.

import type { RoutedKind, RoutingTable } from '../core/deployment/routes.ts';
import { versionedQueue } from '../core/deployment/versioned-queue.ts';
import type { Cancelable, Scheduler } from '../ports/clock.ts';
import type { DeploymentAnswer, DeploymentAsk } from '../ports/deployments.ts';
import type { Done, Engine } from '../ports/engine.ts';
import type { WorkerDeploymentVersion } from '../wire/common.ts';
import { type DeploymentRecord, TaskQueueType, VersionDrainageStatus } from '../wire/deployment.ts';
import type { TaskQueueVersioningInfo } from '../wire/task-queue.ts';

/** ms between two questions. */
const REFRESH_MS = 1_000;
/** Questions between two counts of the executions that are pinned to versions that drain. */
const DRAINAGE_EVERY = 10;

export interface ChangedRoute {
  namespace: string;
  taskQueue: string;
  kind: RoutedKind;
}

export interface DeploymentDirectoryOptions {
  engine: Pick<Engine, 'deployments' | 'count'>;
  scheduler: Scheduler;
  table: RoutingTable;
  /** Tasks that wait there may belong elsewhere now. */
  onRoutes(changed: readonly ChangedRoute[]): void;
}

const idOf = (namespace: string, name: string): string => `${namespace}\0${name}`;

/** Finds the open executions that are pinned to a version, by the index of their version. */
function pinnedTo(deploymentName: string, buildId: string): string {
  const version = `${deploymentName}:${buildId}`.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
  return `TemporalWorkerDeploymentVersion = '${version}' AND TemporalWorkflowVersioningBehavior = 'Pinned' AND CloseTime IS NULL`;
}

export class DeploymentDirectory {
  readonly #options: DeploymentDirectoryOptions;
  #records = new Map<string, DeploymentRecord>();
  #revision: number | undefined;
  #waiting: (() => void)[] = [];
  #underWay = false;
  /** Polls told of and not heard of yet. */
  readonly #telling = new Set<string>();
  #timer: Cancelable | undefined;
  #isStopped = false;
  #asked = 0;

  constructor(options: DeploymentDirectoryOptions) {
    this.#options = options;
  }

  start(): void {
    const tick = (): void => {
      if (this.#isStopped) return;
      this.lookAgain(() => undefined);
      this.#asked += 1;
      if (this.#asked % DRAINAGE_EVERY === 0) this.#countPinned();
      this.#timer = this.#options.scheduler.after(REFRESH_MS, tick);
    };
    tick();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  get(namespace: string, name: string): DeploymentRecord | undefined {
    return this.#records.get(idOf(namespace, name));
  }

  /** By name. */
  all(namespace: string): DeploymentRecord[] {
    return [...this.#records.values()]
      .filter((record) => record.namespace === namespace)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The queues of a task queue's versions, as matching knows them. */
  versionedQueues(namespace: string, taskQueue: string): string[] {
    return this.#options.table.versions(namespace, taskQueue).map((version) => versionedQueue(taskQueue, version));
  }

  /** As RoutingTable. */
  versioningInfo(namespace: string, taskQueue: string, kind: RoutedKind): TaskQueueVersioningInfo | undefined {
    return this.#options.table.versioningInfo(namespace, taskQueue, kind);
  }

  /** Asks; what was changed anywhere before this call is known when `told` is called. */
  lookAgain(told: () => void): void {
    this.#waiting.push(told);
    if (!this.#underWay) this.#ask();
  }

  change(asked: Extract<DeploymentAsk, { type: 'change' }>, done: Done<DeploymentAnswer>): void {
    this.#options.engine.deployments(asked, (error, answer) => {
      const [record] = answer?.records ?? [];
      if (answer !== undefined) {
        const id = idOf(asked.namespace, asked.name);
        if (record === undefined) this.#records.delete(id);
        else this.#records.set(id, record);
        this.#learned();
      }
      done(error, answer);
    });
  }

  /** A worker of this version polls this queue. */
  polled(
    namespace: string,
    version: WorkerDeploymentVersion,
    taskQueue: string,
    kind: RoutedKind,
    identity: string,
  ): void {
    const { deploymentName = '', buildId = '' } = version;
    const type = kind === 'workflow' ? TaskQueueType.WORKFLOW : TaskQueueType.ACTIVITY;
    const known = this.get(namespace, deploymentName)?.versions.find((one) => one.buildId === buildId);
    if (known?.queues.some((queue) => queue.name === taskQueue && queue.type === type)) return;
    const id = [namespace, deploymentName, buildId, type, taskQueue].join('\0');
    if (this.#telling.has(id)) return;
    this.#telling.add(id);
    const change = { type: 'poll', buildId, queue: { name: taskQueue, type }, identity } as const;
    // Refused (no leader for a while, too many versions): the next poll says it again.
    this.change({ type: 'change', namespace, name: deploymentName, change }, () => this.#telling.delete(id));
  }

  #ask(): void {
    this.#underWay = true;
    const told = this.#waiting;
    this.#waiting = [];
    this.#options.engine.deployments({ type: 'list', since: this.#revision }, (_error, answer) => {
      this.#underWay = false;
      // An error: what is known stays; a second later it is asked again.
      if (answer?.records !== undefined) {
        this.#revision = answer.revision;
        this.#records = new Map(answer.records.map((record) => [idOf(record.namespace, record.name), record]));
        this.#learned();
      }
      for (const tell of told) tell();
      if (this.#waiting.length > 0 && !this.#underWay) this.#ask();
    });
  }

  #learned(): void {
    const changed = this.#options.table.learn(this.#records.values());
    if (changed.length > 0) this.#options.onRoutes(changed);
  }

  #countPinned(): void {
    for (const { namespace, name, versions } of this.#records.values()) {
      for (const { buildId, drainage } of versions) {
        if (drainage?.status === VersionDrainageStatus.DRAINING)
          this.checkDrainage(namespace, name, buildId, () => undefined);
      }
    }
  }

  /** Counts the open executions that are pinned to a version, and says so. */
  checkDrainage(namespace: string, name: string, buildId: string, done: () => void): void {
    const query = pinnedTo(name, buildId);
    this.#options.engine.count({ namespace, query }, (_error, answer) => {
      // Not known now: it is asked again.
      if (answer === undefined) return done();
      const change = { type: 'drainage', buildId, pinned: answer.count } as const;
      this.change({ type: 'change', namespace, name, change }, () => done());
    });
  }
}

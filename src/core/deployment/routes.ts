// Where the tasks of workflows go that are not pinned, by task queue: to the current version, or to the ramping one for the share of workflow ids that
// its percentage says. The same id always falls on the same side of a percentage, so a workflow is not thrown to and fro, and a share that grows
// takes more to what it had. Built from the deployments as a node last heard of them; pure besides.

import { type DeploymentRecord, TaskQueueType } from '../../wire/deployment.ts';
import type { TaskQueueVersioningInfo } from '../../wire/task-queue.ts';
import { type VersionKey, versionKey, versionOfKey } from './versioned-queue.ts';

export type RoutedKind = 'workflow' | 'activity';

/** What deciding asks. Nothing known: everything goes to workers without a version. */
export interface Routes {
  /** Undefined: workers that name no version. */
  target(namespace: string, taskQueue: string, kind: RoutedKind, workflowId: string): VersionKey | undefined;
  /** The version that ramps, if any. */
  ramping(namespace: string, taskQueue: string, kind: RoutedKind): VersionKey | undefined;
  /** Workers of this version have polled this queue. */
  serves(namespace: string, taskQueue: string, kind: RoutedKind, version: VersionKey): boolean;
}

export const NO_ROUTES: Routes = { target: () => undefined, ramping: () => undefined, serves: () => false };

interface Route {
  current: VersionKey | undefined;
  currentAt: number;
  ramping: { version: VersionKey | undefined; percentage: number; at: number } | undefined;
  readonly versions: Set<VersionKey>;
}

const keyOf = (taskQueue: string, kind: RoutedKind): string => `${kind}\0${taskQueue}`;

/** 0 ≤ n < 100, the same for the same text for ever (FNV-1a, then mixed: its high bits alone are poor for short texts). */
export function rampPoint(workflowId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < workflowId.length; i += 1) hash = Math.imul(hash ^ workflowId.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * 100;
}

export class RoutingTable implements Routes {
  #namespaces = new Map<string, Map<string, Route>>();

  /** All deployments there are. Returns the queues whose routes are others than before. */
  learn(records: Iterable<DeploymentRecord>): { namespace: string; taskQueue: string; kind: RoutedKind }[] {
    const before = this.#namespaces;
    this.#namespaces = new Map();
    for (const record of records) this.#add(record);
    const changed: { namespace: string; taskQueue: string; kind: RoutedKind }[] = [];
    const names = new Set([...before.keys(), ...this.#namespaces.keys()]);
    for (const namespace of names) {
      const was = before.get(namespace);
      const is = this.#namespaces.get(namespace);
      for (const key of new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])])) {
        if (sameRoute(was?.get(key), is?.get(key))) continue;
        const at = key.indexOf('\0');
        const kind = key.slice(0, at) === 'workflow' ? 'workflow' : 'activity';
        changed.push({ namespace, taskQueue: key.slice(at + 1), kind });
      }
    }
    return changed;
  }

  target(namespace: string, taskQueue: string, kind: RoutedKind, workflowId: string): VersionKey | undefined {
    if (this.#namespaces.size === 0) return undefined;
    const route = this.#namespaces.get(namespace)?.get(keyOf(taskQueue, kind));
    if (route === undefined) return undefined;
    const { ramping, current } = route;
    return ramping !== undefined && rampPoint(workflowId) < ramping.percentage ? ramping.version : current;
  }

  ramping(namespace: string, taskQueue: string, kind: RoutedKind): VersionKey | undefined {
    return this.#namespaces.get(namespace)?.get(keyOf(taskQueue, kind))?.ramping?.version;
  }

  /** For people to read; undefined where nobody ever said which version is current or ramps. */
  versioningInfo(namespace: string, taskQueue: string, kind: RoutedKind): TaskQueueVersioningInfo | undefined {
    const route = this.#namespaces.get(namespace)?.get(keyOf(taskQueue, kind));
    if (route === undefined) return undefined;
    const { current, currentAt, ramping } = route;
    const updateTime = Math.max(currentAt, ramping?.at ?? 0);
    if (updateTime === 0) return undefined;
    return {
      currentDeploymentVersion: current === undefined ? undefined : versionOfKey(current),
      ramp: ramping && {
        deploymentVersion: ramping.version === undefined ? undefined : versionOfKey(ramping.version),
        percentage: ramping.percentage,
      },
      updateTime,
    };
  }

  serves(namespace: string, taskQueue: string, kind: RoutedKind, version: VersionKey): boolean {
    return this.#namespaces.get(namespace)?.get(keyOf(taskQueue, kind))?.versions.has(version) === true;
  }

  /** Every version whose workers have polled this queue. */
  versions(namespace: string, taskQueue: string): VersionKey[] {
    const queues = this.#namespaces.get(namespace);
    const all = [queues?.get(keyOf(taskQueue, 'workflow')), queues?.get(keyOf(taskQueue, 'activity'))];
    return [...new Set(all.flatMap((route) => [...(route?.versions ?? [])]))];
  }

  /** A queue that several deployments have follows whichever was told last what is current, and what ramps. */
  #add({ namespace, name, routing, versions }: DeploymentRecord): void {
    const { currentBuildId, currentChangedTime = 0, ramping } = routing;
    for (const version of versions) {
      const key = versionKey({ deploymentName: name, buildId: version.buildId });
      for (const queue of version.queues) {
        if (queue.type !== TaskQueueType.WORKFLOW && queue.type !== TaskQueueType.ACTIVITY) continue;
        const kind: RoutedKind = queue.type === TaskQueueType.WORKFLOW ? 'workflow' : 'activity';
        const route = this.#route(namespace, keyOf(queue.name, kind));
        route.versions.add(key);
        const isCurrent = version.buildId === currentBuildId;
        if ((isCurrent || currentBuildId === '') && currentChangedTime > route.currentAt) {
          route.current = isCurrent ? key : undefined;
          route.currentAt = currentChangedTime;
        }
        if (ramping === undefined) continue;
        const isRamping = version.buildId === ramping.buildId;
        const { percentage, percentageChangedTime: at } = ramping;
        if ((isRamping || ramping.buildId === '') && at > (route.ramping?.at ?? -1))
          route.ramping = { version: isRamping ? key : undefined, percentage, at };
      }
    }
  }

  #route(namespace: string, key: string): Route {
    let queues = this.#namespaces.get(namespace);
    if (queues === undefined) {
      queues = new Map();
      this.#namespaces.set(namespace, queues);
    }
    let route = queues.get(key);
    if (route === undefined) {
      route = { current: undefined, currentAt: 0, ramping: undefined, versions: new Set() };
      queues.set(key, route);
    }
    return route;
  }
}

function sameRoute(a: Route | undefined, b: Route | undefined): boolean {
  return (
    a?.current === b?.current &&
    a?.ramping?.version === b?.ramping?.version &&
    a?.ramping?.percentage === b?.ramping?.percentage
  );
}

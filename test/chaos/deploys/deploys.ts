// A rolling deploy of workers over a cluster under load, while something is done to the nodes: v2 takes a tenth of what is new, then all that is not
// pinned; v1 drains; a worker of v2 is killed with work in its hands. What must hold is checked as it goes; figures are returned.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from 'tenuto/client';
import { rampPoint } from '../../../src/core/deployment/routes.ts';
import { EventType } from '../../../src/wire/enums.ts';
import type { Fleet } from './fleet.ts';
import type { order } from './workflows.ts';

const namespace = 'default';
const DEPLOYMENT = 'shop';
const TASK_QUEUE = 'shop';
/** Versions as the example's workflows see them, and as they follow each other. */
const OLD = 'v1';
const NEW = 'v2';
type Version = typeof OLD | typeof NEW;
const RAMP_PERCENT = 10;
/** "Within three points." */
const POINTS = 3;
/** VERSION_DRAINAGE_STATUS_DRAINED */
const DRAINED = 2;
/** Every node routes by a change within a second. */
const HEARD_MS = 1_500;
const PATIENCE_MS = 120_000;
/** The bound: the registry knows of a killed worker by then. */
const KNOWN_DEAD_MS = 60_000;
/** Of each version: one of the new ones is killed. */
const WORKERS = { [OLD]: 1, [NEW]: 2 } as const;
const VISITS_AT_ONCE = 16;
const PIECES = 4;

export interface DeployOptions {
  readonly client: Client;
  readonly fleet: Fleet;
  /** New workflows while the new version ramps: by them the share is measured. */
  readonly visits: number;
  /** Pinned and moving ones, each, that run from the beginning on. */
  readonly running: number;
  /** What is done to the nodes while the version ramps, becomes current, and the old one drains. */
  readonly meanwhile: readonly [() => Promise<void>, () => Promise<void>, () => Promise<void>];
  say?(text: string): void;
}

export interface DeployReport {
  /** Of new workflows that began on the ramping version. */
  readonly sharePercent: number;
  /** From SIGKILL until the registry did not list the worker any more. */
  readonly deadKnownAfterMs: number;
  readonly checkedHistories: number;
}

/** @throws Error with what does not hold */
export async function deploy(options: DeployOptions): Promise<DeployReport> {
  return await new Deploy(options).run();
}

class Deploy {
  readonly #options: DeployOptions;
  /** All that was started, but for what a killed worker had. */
  readonly #ids: string[] = [];

  constructor(options: DeployOptions) {
    this.#options = options;
  }

  async run(): Promise<DeployReport> {
    const { fleet, meanwhile, visits, running } = this.#options;
    await this.#startVersion(OLD);
    await this.#setCurrent(OLD);
    const orders = await this.#start('order', running);
    const subscriptions = await this.#start('subscription', running);
    await this.#untilListed(WORKERS[OLD]);

    await this.#startVersion(NEW);
    await this.#ramp();
    const [sharePercent] = await Promise.all([this.#visit('ramping', visits), meanwhile[0]()]);
    this.#say(`${sharePercent.toFixed(1)} % of ${visits} new workflows began on the ramping version`);
    if (Math.abs(sharePercent - RAMP_PERCENT) > POINTS)
      throw new Error(
        `${sharePercent} % of ${visits} new workflows began on the version that ramps at ${RAMP_PERCENT} %`,
      );

    await step([...orders, ...subscriptions]);
    await this.#setCurrent(NEW);
    const [shareAfter] = await Promise.all([this.#visit('current', Math.ceil(visits / 4)), meanwhile[1]()]);
    if (shareAfter !== 100) throw new Error(`${shareAfter} % of new workflows began on the version that is current`);

    const [kept, ...others] = orders;
    if (kept === undefined) throw new Error('a deploy needs running workflows');
    await step([...others, ...subscriptions]);
    const [versionsOfOrders, versionsOfSubscriptions] = await Promise.all([
      results(others),
      results(subscriptions),
      meanwhile[2](),
    ]);
    await this.#mustNotBeDrained();
    await step([kept]);
    for (const versions of [...versionsOfOrders, await kept.result()]) {
      if (versions.some((version) => version !== OLD))
        throw new Error(`a pinned workflow ran on ${versions.join(', ')}`);
    }
    for (const versions of versionsOfSubscriptions) {
      if (versions[0] !== OLD || versions[2] !== NEW)
        throw new Error(`a workflow that moves with each deploy ran on ${versions.join(', ')}`);
    }
    await this.#until(`${OLD} is drained`, async () => (await this.#describe(OLD))?.drainageInfo?.status === DRAINED);
    await fleet.end(OLD);
    await this.#noTimeOuts();

    const deadKnownAfterMs = await this.#killOne(running);
    return { sharePercent, deadKnownAfterMs, checkedHistories: this.#ids.length };
  }

  get #service() {
    return this.#options.client.connection.workflowService;
  }

  #say(text: string): void {
    this.#options.say?.(text);
  }

  async #startVersion(buildId: Version): Promise<void> {
    await this.#options.fleet.start(buildId, WORKERS[buildId]);
    await this.#until(
      `both task queues of ${buildId} are known`,
      async () => (await this.#describe(buildId))?.taskQueueInfos?.length === 2,
    );
  }

  async #describe(buildId: string) {
    const deploymentVersion = { deploymentName: DEPLOYMENT, buildId };
    const described = this.#service.describeWorkerDeploymentVersion({ namespace, deploymentVersion });
    return await described.then(
      ({ workerDeploymentVersionInfo }) => workerDeploymentVersionInfo,
      // Before its first worker has polled.
      () => undefined,
    );
  }

  async #setCurrent(buildId: string): Promise<void> {
    await this.#service.setWorkerDeploymentCurrentVersion({ namespace, deploymentName: DEPLOYMENT, buildId });
    this.#say(`${buildId} is current`);
    await sleep(HEARD_MS);
  }

  async #ramp(): Promise<void> {
    const request = { namespace, deploymentName: DEPLOYMENT, buildId: NEW, percentage: RAMP_PERCENT };
    await this.#service.setWorkerDeploymentRampingVersion(request);
    this.#say(`${NEW} takes ${RAMP_PERCENT} % of what is new`);
    await sleep(HEARD_MS);
  }

  async #untilListed(count: number): Promise<void> {
    const query = `Status = 'Running' AND TaskQueue = '${TASK_QUEUE}'`;
    await this.#until(`${count} workers are listed`, async () => {
      const { workers } = await this.#service.listWorkers({ namespace, query });
      return workers.length === count;
    });
  }

  async #start(workflowType: 'order' | 'subscription', count: number): Promise<WorkflowHandle<typeof order>[]> {
    const ids = Array.from({ length: count }, (_, n) => `${workflowType}-${n}`);
    this.#ids.push(...ids);
    return await Promise.all(
      ids.map((workflowId) =>
        this.#options.client.workflow.start<typeof order>(workflowType, {
          workflowId,
          taskQueue: TASK_QUEUE,
          args: [],
        }),
      ),
    );
  }

  /** The share, in percent, of so many new workflows that began on the new version. Which ones do is a matter of their ids. */
  async #visit(phase: 'ramping' | 'current', count: number): Promise<number> {
    const { workflow } = this.#options.client;
    let begun = 0;
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < count) {
        const workflowId = `visit-${phase}-${next++}`;
        this.#ids.push(workflowId);
        const version: unknown = await workflow.execute('visit', { workflowId, taskQueue: TASK_QUEUE, args: [] });
        const due = phase === 'current' || rampPoint(workflowId) < RAMP_PERCENT ? NEW : OLD;
        if (version !== due) throw new Error(`workflow ${workflowId} began on ${version}, and was to begin on ${due}`);
        if (version === NEW) begun += 1;
      }
    };
    await Promise.all(Array.from({ length: VISITS_AT_ONCE }, lane));
    return (100 * begun) / count;
  }

  /** While a workflow that is pinned to it is open. */
  async #mustNotBeDrained(): Promise<void> {
    const status = (await this.#describe(OLD))?.drainageInfo?.status;
    if (status === DRAINED)
      throw new Error(`${OLD} is said to be drained, and a workflow that is pinned to it is open`);
  }

  async #noTimeOuts(): Promise<void> {
    const late: string[] = [];
    for (let n = 0; n < this.#ids.length; n += VISITS_AT_ONCE) {
      const some = this.#ids.slice(n, n + VISITS_AT_ONCE);
      await Promise.all(
        some.map(async (id) => {
          const { events } = await this.#options.client.workflow.getHandle(id).fetchHistory();
          const timedOut = events.some(
            ({ eventType }) =>
              eventType === EventType.WORKFLOW_TASK_TIMED_OUT || eventType === EventType.ACTIVITY_TASK_TIMED_OUT,
          );
          if (timedOut) late.push(id);
        }),
      );
    }
    if (late.length > 0)
      throw new Error(`tasks of ${late.length} workflows have timed out: ${late.slice(0, 8).join(', ')}`);
  }

  /** With work in its hands, which others do then. Returns how long the registry took to know. */
  async #killOne(count: number): Promise<number> {
    const { client, fleet } = this.#options;
    const handles = await Promise.all(
      Array.from({ length: count }, (_, n) =>
        client.workflow.start('shift', {
          ...{ workflowId: `shift-${n}`, taskQueue: TASK_QUEUE, args: [PIECES] },
          // What the killed worker has is lost only after this.
          workflowTaskTimeout: '3 seconds',
        }),
      ),
    );
    await this.#untilListed(WORKERS[NEW]);
    await fleet.killOne(NEW);
    const killedAtMs = performance.now();
    for (const handle of handles) await handle.signal('goOn');
    await this.#untilListed(WORKERS[NEW] - 1);
    const afterMs = performance.now() - killedAtMs;
    this.#say(`a killed worker was not listed any more after ${Math.round(afterMs)} ms`);
    if (afterMs > KNOWN_DEAD_MS) throw new Error(`a killed worker was listed for ${afterMs} ms`);
    for (const handle of handles) {
      const done: unknown = await handle.result();
      if (done !== PIECES) throw new Error(`workflow ${handle.workflowId} has done ${done} of ${PIECES} pieces`);
    }
    return afterMs;
  }

  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const giveUpAtMs = performance.now() + PATIENCE_MS;
    while (!(await holds())) {
      if (performance.now() > giveUpAtMs) throw new Error(`waited ${PATIENCE_MS} ms until ${what}`);
      await sleep(50);
    }
  }
}

async function step(handles: readonly WorkflowHandle<typeof order>[]): Promise<void> {
  await Promise.all(handles.map((handle) => handle.signal('next')));
}

const results = (handles: readonly WorkflowHandle<typeof order>[]): Promise<string[][]> =>
  Promise.all(handles.map((handle) => handle.result()));

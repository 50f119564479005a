// What can be done at the pages of the web UI: it is done by clicks, and looked for through the client.

import type { Client } from '@temporalio/client';
import type { Visit } from './visit.ts';

const PATIENCE_MS = 20_000;
const LOOK_EVERY_MS = 200;
/** Of the dialog that is open. */
const REASON = 'dialog[open] input';

/** Whether it comes to that; what throws is not there yet. */
async function comesTo(is: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end) {
    if (await is().catch(() => false)) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return false;
}

export async function actions(visit: Visit, client: Client, taskQueue: string): Promise<void> {
  const all = new Actions(visit, client, taskQueue);
  await all.ofNewWorkflows();
  await all.ofWorkflows();
  await all.ofSchedules();
  await all.ofMany();
}

class Actions {
  readonly #visit: Visit;
  readonly #client: Client;
  readonly #taskQueue: string;

  constructor(visit: Visit, client: Client, taskQueue: string) {
    this.#visit = visit;
    this.#client = client;
    this.#taskQueue = taskQueue;
  }

  /** Started by the form, and ended. */
  async ofNewWorkflows(): Promise<void> {
    const visit = this.#visit;
    for (const [workflowId, item, status] of [
      ['by-ui', 'request-cancellation-button', 'CANCELLED'],
      ['by-ui-2', 'terminate-button', 'TERMINATED'],
    ] as const) {
      await visit.goTo('/namespaces/default/workflows/start-workflow');
      await visit.fill('#workflowId', workflowId);
      await visit.fill('#taskQueue', this.#taskQueue);
      await visit.fill('#workflowType', 'counter');
      await visit.click('Start Workflow');
      const isStarted = await this.#becomes(workflowId, 'RUNNING');
      await visit.done(`start ${workflowId}`, isStarted);
      if (!isStarted) continue;
      await this.#pageOf(workflowId);
      await visit.choose(item);
      await visit.confirm();
      await visit.done(`${item} of ${workflowId}`, await this.#becomes(workflowId, status));
    }
  }

  /** Updated, paused, unpaused, reset and signalled. */
  async ofWorkflows(): Promise<void> {
    const visit = this.#visit;
    const workflowId = 'by-ui-3';
    const handle = this.#client.workflow.getHandle(workflowId);
    const how = { taskQueue: this.#taskQueue, workflowId };
    const { firstExecutionRunId } = await this.#client.workflow.start('counter', how);

    await this.#pageOf(workflowId);
    await visit.choose('update-button');
    await visit.select('update-select', 'addUpdate');
    await visit.confirm();
    const isUpdated = async (): Promise<boolean> => {
      const { events } = await handle.fetchHistory();
      return events?.some((event) => event.workflowExecutionUpdateCompletedEventAttributes) === true;
    };
    await visit.done(`update ${workflowId}`, await comesTo(isUpdated));

    await this.#pageOf(workflowId);
    await visit.click('Pause Workflow');
    await visit.fill('#workflow-pause-details', 'a look');
    await visit.confirm();
    await visit.done(`pause ${workflowId}`, await this.#becomes(workflowId, 'PAUSED'));
    await this.#pageOf(workflowId);
    await visit.click('Unpause Workflow');
    await visit.confirm();
    await visit.done(`unpause ${workflowId}`, await this.#becomes(workflowId, 'RUNNING'));

    await this.#pageOf(workflowId);
    await visit.choose('reset-button');
    await visit.select('workflow-reset-event-id-select', '4 - WorkflowTaskCompleted');
    await visit.fill('#reset-reason', 'another try');
    await visit.confirm();
    const isAnother = async (): Promise<boolean> => (await handle.describe()).runId !== firstExecutionRunId;
    await visit.done(`reset ${workflowId}`, await comesTo(isAnother));

    await this.#pageOf(workflowId);
    await visit.choose('signal-button');
    await visit.select('signal-select', 'finish');
    await visit.confirm();
    await visit.done(`signal ${workflowId}`, await this.#becomes(workflowId, 'COMPLETED'));
  }

  /** Made by the form, paused, unpaused, triggered, edited and deleted. */
  async ofSchedules(): Promise<void> {
    const visit = this.#visit;
    const name = 'by-ui-schedule';
    const path = `/namespaces/default/schedules/${name}`;
    const handle = this.#client.schedule.getHandle(name);
    const becomes = async (what: string, is: () => Promise<boolean>): Promise<void> =>
      visit.done(`${what} ${name}`, await comesTo(is));

    await visit.goTo('/namespaces/default/schedules/create');
    await visit.fill('#name', name);
    await visit.fill('#workflowType', 'hello');
    await visit.fill('#workflowId', 'by-ui-scheduled');
    await visit.fill('#taskQueue', this.#taskQueue);
    await visit.fill('[data-testid^=cron-string]', '0 0 1 1 *');
    await visit.press('[data-testid=create-schedule-button]');
    await becomes('create', async () => (await handle.describe()).action.workflowType === 'hello');

    await visit.goTo(path);
    await visit.press('#schedule-actions-primary-button');
    await visit.fill(REASON, 'a look');
    await visit.confirm();
    await becomes('pause', async () => (await handle.describe()).state.paused);

    await visit.goTo(path);
    await visit.press('#schedule-actions-primary-button');
    await visit.fill(REASON, 'seen');
    await visit.confirm();
    await becomes('unpause', async () => !(await handle.describe()).state.paused);

    await visit.goTo(path);
    await visit.choose('trigger-schedule');
    await visit.confirm();
    await becomes('trigger', async () => (await handle.describe()).info.numActionsTaken === 1);

    await visit.goTo(`${path}/edit`);
    await visit.fill('#workflowId', 'by-ui-rescheduled');
    await visit.press('[data-testid=create-schedule-button]');
    await becomes('edit', async () => {
      const { action } = await handle.describe();
      return 'workflowId' in action && action.workflowId === 'by-ui-rescheduled';
    });

    await visit.goTo(path);
    await visit.choose('delete-schedule');
    await visit.confirm();
    await becomes('delete', async () => !(await this.#hasSchedule(name)));
  }

  /** Chosen in the list, and terminated by a batch job. */
  async ofMany(): Promise<void> {
    const visit = this.#visit;
    const ids = ['by-ui-many-1', 'by-ui-many-2'];
    for (const workflowId of ids) {
      await this.#client.workflow.start('counter', { taskQueue: this.#taskQueue, workflowId });
    }
    await visit.goTo(
      `/namespaces/default/workflows?query=${encodeURIComponent('`WorkflowId` STARTS_WITH "by-ui-many"')}`,
    );
    await visit.waitFor(ids);
    await visit.press('#select-visible-workflows');
    await visit.press('[data-testid=bulk-terminate-button]');
    await visit.confirm();
    for (const workflowId of ids) {
      await visit.done(`terminate ${workflowId} with others`, await this.#becomes(workflowId, 'TERMINATED'));
    }
  }

  async #hasSchedule(name: string): Promise<boolean> {
    return this.#client.schedule
      .getHandle(name)
      .describe()
      .then(
        () => true,
        () => false,
      );
  }

  async #becomes(workflowId: string, wanted: string): Promise<boolean> {
    return comesTo(async () => {
      const { status } = await this.#client.workflow.getHandle(workflowId).describe();
      return status.name === wanted;
    });
  }

  async #pageOf(workflowId: string): Promise<void> {
    const { runId } = await this.#client.workflow.getHandle(workflowId).describe();
    await this.#visit.goTo(`/namespaces/default/workflows/${workflowId}/${runId}/history`);
  }
}

// What a client of the official SDK does while nodes and workers die: workflows that are signalled, updated and queried, a child at their end, and a
// schedule. It writes down what was acknowledged, and says in the end what is missing or there twice.

import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, ScheduleOverlapPolicy, type WorkflowHandle } from '@temporalio/client';
import type { FailedCall } from '../cluster/ledger.ts';
import { chainOf } from '../cluster/ledger.ts';
import { finish, note, noted, noteNow, tally, visit } from './workflows.ts';

export const TASK_QUEUE = 'second-door';
const SCHEDULE_ID = 'every-second';
const LANES = 4;
/** Of each workflow: by signal and by update in turn. */
const NOTES = 12;
const EVERY_MS = 50;
/** Longer than a cluster is without a leader: what is not answered by then is lost. */
const PATIENCE_MS = 90_000;
const AGAIN_MS = 200;
const CATCH_UP = '5 minutes';

interface Page {
  readonly handle: WorkflowHandle<typeof tally>;
  /** In the order in which they were sent. */
  readonly acknowledged: string[];
  /** They may have come, once. */
  readonly unknown: string[];
}

export interface SecondDoorReport {
  readonly workflows: number;
  /** Acknowledged, and found. */
  readonly notes: number;
  readonly scheduled: number;
  readonly failed: readonly FailedCall[];
  readonly problems: readonly string[];
}

export class SecondDoorLoad {
  readonly #connection: Connection;
  readonly #client: Client;
  readonly #stop = new AbortController();
  readonly #pages: Page[] = [];
  readonly #failed: FailedCall[] = [];
  readonly #problems: string[] = [];
  readonly #lanes: Promise<void>[];

  private constructor(connection: Connection) {
    this.#connection = connection;
    this.#client = new Client({ connection });
    this.#lanes = Array.from({ length: LANES }, (_, lane) => this.#lane(lane));
  }

  /** @param address of whatever leads to the nodes' doors */
  static async open(address: string): Promise<SecondDoorLoad> {
    const connection = await Connection.connect({ address });
    const load = new SecondDoorLoad(connection);
    await load.#client.schedule.create({
      scheduleId: SCHEDULE_ID,
      spec: { intervals: [{ every: '1 second' }] },
      policies: { overlap: ScheduleOverlapPolicy.ALLOW_ALL, catchupWindow: CATCH_UP },
      action: { type: 'startWorkflow', workflowType: visit, taskQueue: TASK_QUEUE },
    });
    return load;
  }

  /** No more calls; then everything is read and checked. */
  async close(): Promise<SecondDoorReport> {
    this.#stop.abort();
    await Promise.all(this.#lanes);
    const [scheduled] = await Promise.all([this.#checkSchedule(), ...this.#pages.map((page) => this.#check(page))]);
    await this.#connection.close();
    return {
      workflows: this.#pages.length,
      notes: this.#pages.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0),
      ...{ scheduled, failed: this.#failed, problems: this.#problems },
    };
  }

  async #lane(lane: number): Promise<void> {
    for (let n = 0; !this.#stop.signal.aborted; n += 1) {
      const workflowId = `tally-${lane}-${n}`;
      const options = { workflowId, taskQueue: TASK_QUEUE, args: [] } as const;
      const handle = await this.#call(`start of ${workflowId}`, () => this.#client.workflow.start(tally, options));
      if (handle !== undefined) await this.#write({ handle, acknowledged: [], unknown: [] });
    }
  }

  async #write(page: Page): Promise<void> {
    const { handle, acknowledged, unknown } = page;
    this.#pages.push(page);
    for (let n = 0; n < NOTES && !this.#stop.signal.aborted; n += 1) {
      const name = `note-${n}`;
      if (n % 2 === 0) {
        const done = await this.#call(`signal ${name} of ${handle.workflowId}`, async () => {
          await handle.signal(note, name);
          return true;
        });
        (done === undefined ? unknown : acknowledged).push(name);
      } else {
        const place = await this.#insist(`update ${name} of ${handle.workflowId}`, () =>
          handle.executeUpdate(noteNow, { args: [name], updateId: name }),
        );
        acknowledged.push(name);
        // What was not answered may have come meanwhile.
        const least = acknowledged.length - 1;
        if (place === undefined || place < least || place > least + unknown.length)
          this.#problems.push(`${handle.workflowId}: update ${name} was answered with ${place}, not ${least}`);
      }
      const seen = await this.#call(`query of ${handle.workflowId}`, () => handle.query(noted));
      const missing = seen === undefined ? [] : acknowledged.filter((each) => !seen.includes(each));
      if (missing.length > 0)
        this.#problems.push(`${handle.workflowId}: a query did not see what was acknowledged: ${missing.join(' ')}`);
      await sleep(EVERY_MS);
    }
    // An update that is refused leaves nothing behind.
    const refused = handle.executeUpdate(noteNow, { args: [''], updateId: 'refused' });
    await refused.then(
      () => this.#problems.push(`${handle.workflowId}: an update without a name was taken`),
      () => {},
    );
  }

  async #check({ handle, acknowledged, unknown }: Page): Promise<void> {
    const { workflowId } = handle;
    await this.#insist(`the end of ${workflowId}`, () => handle.signal(finish));
    const names = await this.#insist(`the result of ${workflowId}`, () => handle.result());
    const wrong = (what: string): void => void this.#problems.push(`${workflowId}: ${what}`);
    if (names === undefined) return;
    const known = names.filter((name) => acknowledged.includes(name));
    if (known.join() !== acknowledged.join())
      wrong(`acknowledged were ${acknowledged.join(' ')}, and there are ${names.join(' ')}`);
    const odd = names.filter((name, i) => names.indexOf(name) !== i || ![...acknowledged, ...unknown].includes(name));
    if (odd.length > 0) wrong(`too many: ${odd.join(' ')}`);
    const { events } = (await this.#insist(`the history of ${workflowId}`, () => handle.fetchHistory())) ?? {};
    const at = (events ?? []).findIndex(({ eventId }, i) => Number(eventId) !== i + 1);
    if (at >= 0) wrong(`event ${events?.[at]?.eventId} stands where ${at + 1} should`);
    const accepted = (events ?? []).flatMap(
      ({ workflowExecutionUpdateAcceptedEventAttributes: its }) => its?.protocolInstanceId ?? [],
    );
    const updates = acknowledged.filter((_, i) => accepted.includes(acknowledged[i] ?? ''));
    if (accepted.length !== new Set(accepted).size || accepted.length !== updates.length)
      wrong(`updates were accepted that should not be, or twice: ${accepted.join(' ')}`);
  }

  /** Every second of it has one run, and the schedule knows how many there are. */
  async #checkSchedule(): Promise<number> {
    const schedule = this.#client.schedule.getHandle(SCHEDULE_ID);
    await this.#insist('the pause of the schedule', () => schedule.pause('enough'));
    const query = `TemporalScheduledById = '${SCHEDULE_ID}'`;
    const due: number[] = [];
    await this.#insist('the end of all scheduled runs', async () => {
      due.length = 0;
      for await (const { workflowId, status } of this.#client.workflow.list({ query })) {
        if (status.name !== 'COMPLETED') throw new Error(`${workflowId} is ${status.name}`);
        // Ids end with the time for which they were due.
        due.push(Date.parse(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.exec(workflowId)?.[0] ?? ''));
      }
      const { info } = await schedule.describe();
      if (info.numActionsTaken !== due.length)
        throw new Error(`the schedule took ${info.numActionsTaken} actions, and there are ${due.length} runs`);
    });
    due.sort((a, b) => a - b);
    for (const [i, at] of due.entries()) {
      const before = due[i - 1];
      if (before !== undefined && at - before !== 1_000)
        this.#problems.push(
          `the schedule started ${new Date(before).toISOString()} and next ${new Date(at).toISOString()}`,
        );
    }
    return due.length;
  }

  /** Repeated until it is answered; not for what would count twice. */
  async #insist<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
    const giveUpAtMs = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (performance.now() > giveUpAtMs) {
          this.#problems.push(`${what} was not answered: ${chainOf(error)}`);
          return undefined;
        }
        await sleep(AGAIN_MS);
      }
    }
  }

  async #call<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      this.#failed.push({ what, why: chainOf(error) });
      await sleep(AGAIN_MS);
      return undefined;
    }
  }
}

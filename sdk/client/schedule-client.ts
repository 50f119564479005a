// The client of schedules, and a handle to one: `client.schedule`, with `@temporalio/client`'s names.

import type * as wire from '../../src/wire/schedule.ts';
import { decodeMessage, encodeMessage } from '../common/codec.ts';
import { composeInterceptors } from '../common/interceptors.ts';
import type { Workflow } from '../common/interfaces.ts';
import { mapToPayloads } from '../common/payload-converter.ts';
import { RpcError, StatusCode } from '../connection/rpc-error.ts';
import { BaseClient, type BaseClientOptions, type LoadedBaseClientOptions } from './base-client.ts';
import type { CreateScheduleInput, CreateScheduleOutput, ScheduleClientInterceptor } from './interceptors.ts';
import {
  compileAction,
  decodeDescription,
  decodeSummary,
  encodeAttributes,
  encodeBackfill,
  encodeSchedule,
  encodeTrigger,
} from './schedule-codec.ts';
import { rethrowScheduleError, ScheduleAlreadyRunning } from './schedule-errors.ts';
import type {
  Backfill,
  ScheduleDescription,
  ScheduleOptions,
  ScheduleOptionsAction,
  ScheduleOptionsStartWorkflowAction,
  ScheduleOverlapPolicy,
  ScheduleSummary,
  ScheduleUpdatedAction,
  ScheduleUpdateOptions,
} from './schedule-types.ts';
import { newRequestId } from './workflow-requests.ts';

/** Updates that others get in the way of are tried so often. */
const UPDATE_ATTEMPTS = 10;

/** A handle to one schedule. Its calls throw ScheduleNotFoundError when there is none, ServiceError (see its `cause`) for other reasons. */
export interface ScheduleHandle {
  readonly scheduleId: string;
  readonly client: ScheduleClient;
  describe(): Promise<ScheduleDescription>;
  /**
   * Replaces the schedule by what `updateFn` makes of it. Called again, with what the schedule is by then, when another change came in between.
   *
   * @throws TypeError for a spec that cannot be meant.
   */
  update(updateFn: (previous: ScheduleDescription) => ScheduleUpdateOptions<ScheduleUpdatedAction>): Promise<void>;
  /** Deletes the schedule. The workflows it started go on. */
  delete(): Promise<void>;
  /** Acts once, now. @param overlap Default: ALLOW_ALL. */
  trigger(overlap?: ScheduleOverlapPolicy): Promise<void>;
  /** Acts for all times of these ranges, as if they were due now. */
  backfill(options: Backfill | Backfill[]): Promise<void>;
  /** @param note Default: `Paused via TypeScript SDK"`, as the official client has it. */
  pause(note?: string): Promise<void>;
  /** @param note Default: `Unpaused via TypeScript SDK"`. What was due meanwhile is not made up for: see {@link backfill}. */
  unpause(note?: string): Promise<void>;
}

export interface ScheduleClientOptions extends BaseClientOptions {
  /** Around `create`, the first outermost. */
  interceptors?: ScheduleClientInterceptor[] | undefined;
}

export interface LoadedScheduleClientOptions extends LoadedBaseClientOptions {
  readonly interceptors: readonly ScheduleClientInterceptor[];
}

export interface ListScheduleOptions {
  /** Schedules per request, 1 to 1,000. Default 100. */
  pageSize?: number | undefined;
  /** List filter about `ScheduleId`, `TemporalSchedulePaused` and registered search attributes. Default: all. */
  query?: string | undefined;
}

export class ScheduleClient extends BaseClient {
  readonly options: LoadedScheduleClientOptions;
  readonly #create: (input: CreateScheduleInput) => Promise<CreateScheduleOutput>;

  constructor(options: ScheduleClientOptions = {}) {
    super(options);
    const { interceptors = [] } = options;
    this.options = { ...this.base, interceptors };
    this.#create = composeInterceptors(interceptors, 'create', (input) => this.#created(input));
  }

  /**
   * Creates a schedule; resolves once that is durable.
   *
   * @throws ScheduleAlreadyRunning when there is one of this id.
   * @throws TypeError for options that are missing or cannot be meant, NamespaceNotFoundError, ServiceError (see its `cause`).
   */
  create(options: ScheduleOptions): Promise<ScheduleHandle>;
  create<W extends Workflow>(options: ScheduleOptions<ScheduleOptionsStartWorkflowAction<W>>): Promise<ScheduleHandle>;
  async create<W extends Workflow>(
    options: ScheduleOptions<ScheduleOptionsStartWorkflowAction<W>>,
  ): Promise<ScheduleHandle> {
    const { scheduleId } = options;
    if (!scheduleId) throw new TypeError('Missing option scheduleId');
    // Whatever the workflow's parameters are, from here on they are values.
    const action = compileAction(scheduleId, options.action as ScheduleOptionsAction);
    await this.#create({ options: { ...options, action }, headers: {} });
    return this.getHandle(scheduleId);
  }

  /** A handle to a schedule; nothing is checked, nothing is sent. */
  getHandle(scheduleId: string): ScheduleHandle {
    const patch = (patched: wire.SchedulePatch): Promise<void> => this.#patch(scheduleId, patched);
    return {
      client: this,
      scheduleId,
      describe: () => this.#describe(scheduleId),
      update: (updateFn) => this.#update(scheduleId, updateFn),
      delete: () => this.#delete(scheduleId),
      trigger: (overlap) => patch({ triggerImmediately: encodeTrigger(overlap) }),
      backfill: (ranges) => patch({ backfillRequest: (Array.isArray(ranges) ? ranges : [ranges]).map(encodeBackfill) }),
      pause: (note = 'Paused via TypeScript SDK"') => patch({ pause: note }),
      unpause: (note = 'Unpaused via TypeScript SDK"') => patch({ unpause: note }),
    };
  }

  /** Schedules that match a filter, newest first, fetched page by page as they are iterated. @throws ServiceError while iterating. */
  async *list(options: ListScheduleOptions = {}): AsyncGenerator<ScheduleSummary, void, undefined> {
    const { namespace, loadedDataConverter } = this.base;
    const { query, pageSize: maximumPageSize } = options;
    let nextPageToken: Uint8Array | undefined;
    do {
      const request = { namespace, query, maximumPageSize, nextPageToken };
      const page = await this.connection
        .request('listSchedules', request)
        .catch((err) => rethrowScheduleError(err, 'Failed to list schedules'));
      const decoded = await decodeMessage(loadedDataConverter.payloadCodecs, page);
      for (const entry of decoded.schedules) yield decodeSummary(loadedDataConverter, entry);
      nextPageToken = page.nextPageToken;
    } while (nextPageToken !== undefined && nextPageToken.length > 0);
  }

  async #created({ options, headers }: CreateScheduleInput): Promise<CreateScheduleOutput> {
    const { namespace, identity, loadedDataConverter } = this.base;
    const { scheduleId, memo, state } = options;
    const { payloadConverter, payloadCodecs } = loadedDataConverter;
    const request = await encodeMessage<wire.CreateScheduleRequest>(payloadCodecs, {
      namespace,
      scheduleId,
      schedule: encodeSchedule(loadedDataConverter, options, headers),
      initialPatch: {
        triggerImmediately: state?.triggerImmediately ? encodeTrigger(undefined) : undefined,
        backfillRequest: state?.backfill?.map(encodeBackfill),
      },
      memo: memo === undefined ? undefined : { fields: mapToPayloads(payloadConverter, memo) },
      searchAttributes: encodeAttributes(options),
      identity,
      requestId: newRequestId(),
    });
    try {
      return await this.connection.request('createSchedule', request);
    } catch (err) {
      if (err instanceof RpcError && err.code === StatusCode.ALREADY_EXISTS)
        throw new ScheduleAlreadyRunning('Schedule already exists and is running', scheduleId);
      rethrowScheduleError(err, `Failed to create schedule '${scheduleId}'`, scheduleId);
    }
  }

  async #describe(scheduleId: string): Promise<ScheduleDescription> {
    const { namespace, loadedDataConverter } = this.base;
    const raw = await this.connection
      .request('describeSchedule', { namespace, scheduleId })
      .catch((err) => rethrowScheduleError(err, `Failed to describe schedule '${scheduleId}'`, scheduleId));
    return decodeDescription(
      loadedDataConverter,
      scheduleId,
      await decodeMessage(loadedDataConverter.payloadCodecs, raw),
    );
  }

  async #update(scheduleId: string, updateFn: Update): Promise<void> {
    const { namespace, identity, loadedDataConverter } = this.base;
    for (let attempt = 1; ; attempt += 1) {
      const previous = await this.#describe(scheduleId);
      const updated = updateFn(previous);
      const options = { ...updated, action: compileAction(scheduleId, updated.action) };
      const { conflictToken, schedule } = previous.raw;
      const headers = schedule.action?.startWorkflow?.header?.fields ?? {};
      const request = await encodeMessage<wire.UpdateScheduleRequest>(loadedDataConverter.payloadCodecs, {
        namespace,
        scheduleId,
        schedule: encodeSchedule(loadedDataConverter, options, headers),
        searchAttributes: encodeAttributes(options),
        conflictToken,
        identity,
        requestId: newRequestId(),
      });
      try {
        await this.connection.request('updateSchedule', request);
        return;
      } catch (err) {
        const conflicts = err instanceof RpcError && err.code === StatusCode.FAILED_PRECONDITION;
        if (conflicts && attempt < UPDATE_ATTEMPTS) continue;
        rethrowScheduleError(err, `Failed to update schedule '${scheduleId}'`, scheduleId);
      }
    }
  }

  async #delete(scheduleId: string): Promise<void> {
    const { namespace, identity } = this.base;
    await this.connection
      .request('deleteSchedule', { namespace, scheduleId, identity, requestId: newRequestId() })
      .catch((err) => rethrowScheduleError(err, `Failed to delete schedule '${scheduleId}'`, scheduleId));
  }

  async #patch(scheduleId: string, patch: wire.SchedulePatch): Promise<void> {
    const { namespace, identity } = this.base;
    await this.connection
      .request('patchSchedule', { namespace, scheduleId, patch, identity, requestId: newRequestId() })
      .catch((err) => rethrowScheduleError(err, `Failed to patch schedule '${scheduleId}'`, scheduleId));
  }
}

type Update = Parameters<ScheduleHandle['update']>[0];

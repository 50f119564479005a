// What a run has to do with others, within one turn: children, requests to other workflows, Nexus operations, callbacks of its end. The rows are overlaid like all
// that is pending; events determine them (FactSink). The part of RunDraft that knows no events.

import type { Callback } from '../../wire/common.ts';
import { attachCallbacks } from './callbacks.ts';
import type { OperationFacts, OperationRow } from './operation-rows.ts';
import type { Effect, RowChange } from './outcome.ts';
import { PendingRows } from './pending-rows.ts';
import type { ChildRow, ExternalRow, RunRow } from './rows.ts';
import type { RunState } from './state.ts';
import type { Turn } from './turn.ts';

export abstract class RelatedDraft {
  abstract readonly turn: Turn;
  abstract readonly runId: string;
  abstract readonly row: RunRow;
  /** What the run asks of other workflows in this turn. It never leaves if the run closes in the very same turn. */
  protected readonly asked: Extract<Effect, { type: 'send' }>[] = [];
  readonly #related: RunState | undefined;
  #children: PendingRows<ChildRow> | undefined;
  #externals: PendingRows<ExternalRow> | undefined;
  #operations: PendingRows<OperationRow> | undefined;

  constructor(base: RunState | undefined) {
    this.#related = base;
  }

  get children(): PendingRows<ChildRow> {
    this.#children ??= new PendingRows(this.#related?.children);
    return this.#children;
  }

  get externals(): PendingRows<ExternalRow> {
    this.#externals ??= new PendingRows(this.#related?.externals);
    return this.#externals;
  }

  /** A message to another workflow, which may answer. */
  ask(effect: Extract<Effect, { type: 'send' }>): void {
    this.asked.push(effect);
  }

  childInitiated(row: ChildRow): void {
    this.row.counts.child = (this.row.counts.child ?? 0) + 1;
    this.children.set(row.initiatedEventId, row);
  }

  childStarted(initiatedEventId: number, runId: string, eventId: number): void {
    const child = this.children.get(initiatedEventId);
    if (child !== undefined) this.children.set(initiatedEventId, { ...child, runId, startedEventId: eventId });
  }

  childClosed(initiatedEventId: number): void {
    if (this.children.get(initiatedEventId) === undefined) return;
    this.row.counts.child = (this.row.counts.child ?? 0) - 1;
    this.children.set(initiatedEventId, undefined);
  }

  externalRequested(row: ExternalRow): void {
    this.row.counts[row.kind] = (this.row.counts[row.kind] ?? 0) + 1;
    this.externals.set(row.initiatedEventId, row);
  }

  externalAnswered(initiatedEventId: number): void {
    const external = this.externals.get(initiatedEventId);
    if (external === undefined) return;
    this.row.counts[external.kind] = (this.row.counts[external.kind] ?? 0) - 1;
    this.externals.set(initiatedEventId, undefined);
  }

  // ---------------------------------------------------------------- Nexus operations

  get operations(): PendingRows<OperationRow> {
    this.#operations ??= new PendingRows(this.#related?.operations);
    return this.#operations;
  }

  putOperation(row: OperationRow): void {
    this.operations.set(row.facts.scheduledEventId, row);
  }

  operationScheduled(facts: OperationFacts): void {
    this.row.counts.operation = (this.row.counts.operation ?? 0) + 1;
    this.putOperation({ facts });
  }

  operationStarted(scheduledEventId: number, startedTime: number, operationToken: string): void {
    const row = this.operations.get(scheduledEventId);
    if (row === undefined) return;
    const { start: _start, ...rest } = row;
    this.putOperation({ ...rest, facts: { ...row.facts, startedTime, operationToken } });
  }

  operationCancelRequested(scheduledEventId: number, eventId: number, cancelCommandEventId: number): void {
    const row = this.operations.get(scheduledEventId);
    if (row === undefined) return;
    this.putOperation({ ...row, facts: { ...row.facts, cancelRequestedEventId: eventId, cancelCommandEventId } });
  }

  operationCancelAnswered(scheduledEventId: number): void {
    const row = this.operations.get(scheduledEventId);
    if (row === undefined) return;
    const { cancel: _cancel, ...rest } = row;
    this.putOperation({ ...rest, facts: { ...row.facts, cancelAnswered: true } });
  }

  operationClosed(scheduledEventId: number): void {
    if (this.operations.get(scheduledEventId) === undefined) return;
    this.row.counts.operation = (this.row.counts.operation ?? 0) - 1;
    this.operations.set(scheduledEventId, undefined);
  }

  // ---------------------------------------------------------------- the rest

  callbacksAttached(callbacks: readonly Callback[], update?: { updateId: string; requestId: string }): void {
    attachCallbacks(this, callbacks, update);
  }

  protected dropRelated(): void {
    const { child = 0, signal = 0, cancel = 0 } = this.row.counts;
    if (child > 0) for (const { initiatedEventId } of this.children.values()) this.childClosed(initiatedEventId);
    const externals = signal + cancel > 0 ? this.externals.values() : [];
    for (const { initiatedEventId } of externals) this.externalAnswered(initiatedEventId);
    const operations = (this.row.counts.operation ?? 0) > 0 ? this.operations.values() : [];
    for (const { facts } of operations) this.operationClosed(facts.scheduledEventId);
  }

  protected finishRelated(runId: string, rows: RowChange[]): void {
    this.#children?.finish('child', runId, rows);
    this.#externals?.finish('external', runId, rows);
    this.#operations?.finish('operation', runId, rows);
  }
}

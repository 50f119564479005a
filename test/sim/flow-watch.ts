// What the disk says of flow control, entry by entry: at no instant have more chains of runs of a key begun and not ended than its limit, no more
// permits are given than that, and no period of a throttle holds more starts than it may. At the end nobody has a permit, and nobody waits.

import { isFlowAddress } from '../../src/core/flow/address.ts';
import { decode } from '../../src/wire/codec.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import type { GrantedFlowControl } from '../../src/wire/flow-control.ts';
import { Violation } from './kernel.ts';

interface Key {
  /** As starts ask for it; of one key all ask the same. */
  flow: GrantedFlowControl | undefined;
  readonly running: Set<string>;
  /** Ids of rows. */
  readonly rows: Set<string>;
  /** Of the throttle, by row. */
  readonly starts: Map<number, readonly number[]>;
}

export class FlowWatch {
  readonly #keys = new Map<string, Key>();
  /** Runs that have a permit, or wait for one. */
  readonly #runs = new Map<string, GrantedFlowControl>();
  /** Chains that were let begin. */
  granted = 0;

  #key(name: string): Key {
    let key = this.#keys.get(name);
    if (key === undefined) {
      key = { flow: undefined, running: new Set(), rows: new Set(), starts: new Map() };
      this.#keys.set(name, key);
    }
    return key;
  }

  event(runId: string, event: HistoryEvent): void {
    if (event.eventType === EventType.WORKFLOW_EXECUTION_STARTED) {
      const { flowControl } = event.attributes;
      if (flowControl === undefined) return;
      this.#runs.set(runId, flowControl);
      this.#key(flowControl.key).flow = flowControl;
      return;
    }
    const flow = this.#runs.get(runId);
    if (flow === undefined) return;
    const { running } = this.#key(flow.key);
    if (event.eventType === EventType.WORKFLOW_TASK_SCHEDULED && !running.has(flow.permit)) {
      running.add(flow.permit);
      this.granted += 1;
      const { limit = Number.POSITIVE_INFINITY } = flow.concurrency ?? {};
      if (running.size > limit)
        throw new Violation(
          'flow',
          `run ${runId} begins as one of ${running.size} of key ${flow.key}, whose limit is ${limit}`,
        );
    } else if (endsChain(event)) {
      running.delete(flow.permit);
      this.#runs.delete(runId);
    }
  }

  /** `rest`: of a row's key behind the workflow id. */
  row(workflowId: string, rest: string, value: Uint8Array | undefined): void {
    if (!isFlowAddress(workflowId) || !rest.startsWith('c')) return;
    const key = this.#key(workflowId.slice(workflowId.lastIndexOf(':') + 1));
    const id = rest.slice(1);
    if (value === undefined) key.rows.delete(id);
    else key.rows.add(id);
    if (id.startsWith('s')) this.#starts(key, Number(id.slice(1)), value);
  }

  /** Once an entry is applied as a whole. */
  applied(): void {
    for (const [name, { flow, rows }] of this.#keys) {
      const given = [...rows].filter((id) => id.startsWith('p')).length;
      const { limit = Number.POSITIVE_INFINITY } = flow?.concurrency ?? {};
      if (given > limit) throw new Violation('flow', `${given} permits of key ${name} are given, of ${limit}`);
    }
  }

  checkEnds(): void {
    for (const [name, { rows, running }] of this.#keys) {
      const left = [...rows].filter((id) => id.startsWith('p') || id.startsWith('w'));
      if (left.length > 0 || running.size > 0)
        throw new Violation('flow', `of key ${name} these are left: ${left.join(', ')}; ${[...running].join(', ')}`);
    }
  }

  #starts({ starts, flow }: Key, row: number, value: Uint8Array | undefined): void {
    if (value === undefined) {
      starts.delete(row);
      return;
    }
    // Written by the key's own core alone.
    starts.set(row, decode(value) as number[]);
    const times = [...starts].sort(([a], [b]) => a - b).flatMap(([, some]) => some);
    const { throttle } = flow ?? {};
    if (throttle === undefined) return;
    for (let i = throttle.limit; i < times.length; i += 1) {
      const within = (times[i] ?? 0) - (times[i - throttle.limit] ?? 0);
      if (within < throttle.periodMs)
        throw new Violation('flow', `${throttle.limit + 1} starts lie within ${within} ms, of ${throttle.periodMs}`);
    }
  }
}

/** Closed, and no run follows. */
function endsChain(event: HistoryEvent): boolean {
  switch (event.eventType) {
    case EventType.WORKFLOW_EXECUTION_COMPLETED:
    case EventType.WORKFLOW_EXECUTION_FAILED:
    case EventType.WORKFLOW_EXECUTION_TIMED_OUT:
      return event.attributes.newExecutionRunId === undefined;
    case EventType.WORKFLOW_EXECUTION_TERMINATED:
    case EventType.WORKFLOW_EXECUTION_CANCELED:
      return true;
    default:
      return false;
  }
}

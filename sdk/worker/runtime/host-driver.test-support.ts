// Drives a WorkflowHost as the worker's main thread would, in tests: sends tasks, keeps what comes back, hands it out by type.

import { encode } from '../../../src/wire/codec.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { WorkflowQuery, WorkflowTask } from '../../../src/wire/workflow-task.ts';
import type { FromWorkflowThread, LocalActivityResult } from '../thread-protocol.ts';
import { WorkflowHost, type WorkflowHostOptions } from './host.ts';
import type { Realm } from './realm.ts';

export type MessageOf<T extends FromWorkflowThread['type']> = Extract<FromWorkflowThread, { type: T }>;

export interface RunIdentity {
  workflowId: string;
  runId: string;
}

export class HostDriver {
  readonly host: WorkflowHost;
  /** Everything said and not taken, oldest first. */
  readonly said: FromWorkflowThread[] = [];
  #tokens = 0;

  constructor(realm: Realm, options: Partial<WorkflowHostOptions> = {}) {
    this.host = new WorkflowHost(
      {
        realm,
        namespace: 'default',
        taskQueue: 'queue',
        maxCachedWorkflows: 100,
        sdkVersion: '1.2.3',
        ...options,
      },
      (message) => this.said.push(message),
    );
  }

  /** A workflow task with these events, whose last is its WorkflowTaskStarted. */
  task(run: RunIdentity, events: readonly HistoryEvent[], more: Partial<WorkflowTask> = {}): Uint8Array {
    const token = this.#token();
    const last = events.at(-1);
    this.host.handle({
      type: 'task',
      task: {
        workerId: 'worker',
        token,
        namespace: 'default',
        workflowId: run.workflowId,
        runId: run.runId,
        workflowType: '',
        attempt: 1,
        previousStartedEventId: 0,
        startedEventId: last?.eventId ?? 0,
        scheduledTime: last?.eventTime ?? 0,
        startedTime: last?.eventTime ?? 0,
        history: events.length === 0 ? [] : [encode(events)],
        firstEventId: events[0]?.eventId ?? 0,
        ...more,
      },
    });
    return token;
  }

  /** A direct query; `events` is the whole history, or empty as on a sticky queue. */
  query(run: RunIdentity, events: readonly HistoryEvent[], query: string | WorkflowQuery): Uint8Array {
    return this.task(run, events, { query: typeof query === 'string' ? { queryType: query } : query });
  }

  resolveLocally(runId: string, seq: number, result: LocalActivityResult): void {
    this.host.handle({ type: 'localActivityResolved', runId, seq, result });
  }

  /** The oldest message of a type, taken away with all others of its kind left. @throws when there is none. */
  take<T extends FromWorkflowThread['type']>(type: T): MessageOf<T> {
    const index = this.said.findIndex((message) => message.type === type);
    const [message] = index < 0 ? [] : this.said.splice(index, 1);
    if (message === undefined) {
      throw new Error(`No message '${type}' among: ${JSON.stringify(this.said, jsonBytes, 1)}`);
    }
    // Found by its type.
    return message as MessageOf<T>;
  }

  has(type: FromWorkflowThread['type']): boolean {
    return this.said.some((message) => message.type === type);
  }

  #token(): Uint8Array {
    return new TextEncoder().encode(`token ${++this.#tokens}`);
  }
}

function jsonBytes(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : value;
}

// Rows through their lists and MessagePack, as storage would give them back.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../wire/codec.ts';
import type { ResetPointInfo, TaskQueue, WorkerVersionStamp } from '../../wire/common.ts';
import {
  ContinueAsNewVersioningBehavior,
  VersioningBehavior,
  WorkflowExecutionStatus,
  WorkflowTaskFailedCause,
} from '../../wire/enums.ts';
import { packRow, unpackRow } from './row-codec.ts';
import type { ActivityFacts, ActivityRow, ChainRow, RunFacts, RunRow, StartRow, WorkflowTaskRow } from './rows.ts';

const through = (table: 'run' | 'activity' | 'timer' | 'chain', id: string, value: object): object =>
  unpackRow(table, id, decode(encode(packRow(table, id, value))));

/** Every field named, absent ones too: a field that is added to a row fails to compile here until it is generated. */
type Fields<T> = { [K in keyof Required<T>]: fc.Arbitrary<T[K]> };

/** Rows with any of the optional fields absent. */
function rows<T>(fields: Fields<T>, required: readonly (keyof T)[]): fc.Arbitrary<T> {
  // fast-check's types want literal keys; these are the keys of T.
  return fc.record(fields, {
    requiredKeys: [...required] as never[],
    noNullPrototype: true,
  }) as unknown as fc.Arbitrary<T>;
}

const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true });
const number = fc.nat({ max: 2 ** 31 });
const time = fc.integer({ min: 0, max: 2 ** 44 });
const text = fc.string({ maxLength: 12 });
const bytes = fc.uint8Array({ maxLength: 6 }).map((data) => Buffer.from(data));
const payload = record({ metadata: record({ encoding: bytes }), data: bytes });
const payloads = record({ payloads: fc.array(payload, { maxLength: 2 }) });
const startId = record({ term: number, seq: number });
const workerVersion = rows<WorkerVersionStamp>({ buildId: text, useVersioning: fc.boolean() }, []);

const priority = record({ priorityKey: number, fairnessKey: text });

/** What is speculative is in no row. */
const task = rows<Omit<WorkflowTaskRow, 'speculative'>>(
  {
    scheduledEventId: number,
    startedEventId: number,
    attempt: number,
    scheduledTime: time,
    originalScheduledTime: time,
    timeout: number,
    stickyQueue: text,
    stickyUntil: time,
    notBefore: time,
    startId,
    startedTime: time,
    session: text,
    identity: text,
    requestId: text,
    workerVersion,
    takerStickyQueue: text,
    takerStickyTimeout: number,
    warm: fc.constant(true),
    historySizeBytes: number,
    suggestContinueAsNewReasons: fc.constant([1, 2] as WorkflowTaskRow['suggestContinueAsNewReasons']),
    version: text,
    runPriority: priority,
  },
  ['scheduledEventId', 'startedEventId', 'attempt', 'scheduledTime', 'originalScheduledTime', 'timeout'],
);

const facts = rows<RunFacts>(
  {
    status: fc.constantFrom(...Object.values(WorkflowExecutionStatus)),
    closeTime: time,
    nextRunId: text,
    nextEventId: number,
    historyBytes: number,
    memo: record({ fields: record({ note: payload }) }),
    searchAttributes: record({ indexedFields: record({ City: payload }) }),
    state: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.nat(), { noNullPrototype: true }),
    cancelRequested: fc.boolean(),
    signalCount: number,
    previousStartedEventId: number,
    resetPoints: fc.array(
      rows<ResetPointInfo>(
        {
          buildId: text,
          binaryChecksum: text,
          runId: text,
          firstWorkflowTaskCompletedId: number,
          createTime: time,
          expireTime: time,
          resettable: fc.boolean(),
        },
        [],
      ),
      { maxLength: 2 },
    ),
    lastBuildId: text,
    attached: fc.array(record({ requestId: text, eventId: number }), { minLength: 1, maxLength: 2 }),
    builds: fc.array(rows<NonNullable<RunFacts['builds']>[number]>({ buildId: text, binaryChecksum: text }, []), {
      maxLength: 2,
    }),
    priority,
    versioning: rows<NonNullable<RunFacts['versioning']>>(
      {
        behavior: fc.constantFrom(...Object.values(VersioningBehavior)),
        version: record({ deploymentName: text, buildId: text }),
        override: record({ autoUpgrade: fc.constant(true) }),
        initial: fc.constant(ContinueAsNewVersioningBehavior.USE_RAMPING_VERSION),
        used: fc.array(record({ deploymentName: text, buildId: text }), { maxLength: 2 }),
      },
      ['behavior'],
    ),
    pause: rows<NonNullable<RunFacts['pause']>>({ at: time, identity: text, reason: text }, [
      'at',
      'identity',
      'reason',
    ]),
  },
  ['status', 'nextEventId', 'historyBytes', 'cancelRequested', 'signalCount', 'previousStartedEventId', 'resetPoints'],
);

const run = rows<RunRow>(
  {
    facts,
    task,
    taskFailure: rows<NonNullable<RunRow['taskFailure']>>(
      {
        attempt: number,
        at: time,
        cause: fc.constant(WorkflowTaskFailedCause.UNHANDLED_COMMAND),
        message: text,
        identity: text,
        reported: fc.constant(true as const),
      },
      ['attempt', 'at', 'message', 'identity'],
    ),
    nextAttempt: number,
    lastCallback: number,
    pausedTypes: fc.array(text, { minLength: 1, maxLength: 2 }),
    sticky: record({ queue: text, scheduleToStartTimeout: number }),
    firstTaskAt: time,
    runExpiration: time,
    executionExpiration: time,
    bufferedBytes: number,
    nextBufferedId: number,
    counts: rows<RunRow['counts']>(
      {
        activity: number,
        timer: number,
        buffered: number,
        child: number,
        signal: number,
        cancel: number,
        update: number,
        operation: number,
      },
      ['activity', 'timer', 'buffered'],
    ),
    standalone: record({ startDelay: number, heartbeats: number, version: text }),
    transitions: number,
    permit: fc.constantFrom('delayed' as const, 'asked' as const),
  },
  ['facts', 'nextAttempt', 'bufferedBytes', 'nextBufferedId', 'counts', 'transitions'],
);

const activity = rows<ActivityRow>(
  {
    facts: rows<ActivityFacts>(
      {
        scheduledEventId: number,
        scheduledTime: time,
        activityId: text,
        activityType: text,
        taskQueue: text,
        input: payloads,
        header: record({ fields: record({ trace: payload }) }),
        scheduleToCloseTimeout: number,
        scheduleToStartTimeout: number,
        startToCloseTimeout: number,
        heartbeatTimeout: number,
        retryPolicy: record({ initialInterval: number, backoffCoefficient: fc.constant(1.5) }),
        priority: record({ priorityKey: number }),
        cancelRequestedEventId: number,
        flowControl: record({ key: text, concurrency: record({ limit: number }) }),
      },
      [
        ...(['scheduledEventId', 'scheduledTime', 'activityId', 'activityType', 'taskQueue'] as const),
        ...(['scheduleToCloseTimeout', 'scheduleToStartTimeout', 'startToCloseTimeout', 'heartbeatTimeout'] as const),
        'cancelRequestedEventId',
      ],
    ),
    attempt: number,
    permit: record({ id: text, from: text, held: fc.boolean() }),
    runPriority: priority,
    scheduledTime: time,
    inBackoff: fc.boolean(),
    startId,
    startedTime: time,
    lastStartedTime: time,
    session: text,
    identity: text,
    requestId: text,
    workerVersion,
    lastHeartbeatTime: time,
    heartbeatDetails: payloads,
    lastFailure: record({ message: text }),
    lastAttemptCompleteTime: time,
    retryInterval: number,
    apart: fc.constant(true),
    countsFrom: time,
    pause: record({ at: time, identity: text, reason: text, requestId: text }),
    options: fc.constant({
      taskQueue: 'q',
      scheduleToCloseTimeout: 0,
      scheduleToStartTimeout: 1,
      startToCloseTimeout: 2,
      heartbeatTimeout: 3,
    }),
    reset: fc.constantFrom('attempts', 'heartbeats'),
    version: text,
  },
  ['facts', 'attempt', 'scheduledTime', 'inBackoff'],
);

const chain = record<ChainRow>({
  currentRunId: fc.constantFrom('run 1', 'run 2'),
  start: rows<ChainRow['start']>(
    {
      type: fc.constant('start' as const),
      requestId: text,
      runId: fc.constantFrom('run 1', 'run 2'),
      at: time,
      started: fc.boolean(),
      status: fc.constantFrom(WorkflowExecutionStatus.COMPLETED, WorkflowExecutionStatus.FAILED),
    },
    ['type', 'requestId', 'runId', 'at'],
  ),
});

type Started = StartRow['attributes'];
/** Those with a place of their own, and some of the others. */
const started = fc.record(
  {
    workflowType: record({ name: text }),
    taskQueue: rows<TaskQueue>({ name: text, kind: fc.constantFrom(1, 2), normalName: text }, ['name']),
    workflowTaskTimeout: number,
    identity: text,
    attempt: number,
    workflowId: text,
    originalExecutionRunId: fc.constantFrom('run 1', 'run 2'),
    firstExecutionRunId: fc.constantFrom('run 1', 'run 2'),
    input: payloads,
    workflowRunTimeout: number,
    parentWorkflowExecution: record({ workflowId: text, runId: text }),
  } satisfies { [K in keyof Started]?: fc.Arbitrary<Started[K]> },
  { requiredKeys: ['workflowType', 'taskQueue'], noNullPrototype: true },
);
const start = rows<StartRow>(
  {
    attributes: started,
    startTime: time,
    userMetadata: record({ summary: payload }),
    former: fc.constant([{ runId: 'run 0', lastEventId: 3 }]),
    scheduledBy: record({ workflowId: text, incarnation: text, action: number }),
    reportsTo: fc.constantFrom(
      [],
      [{ namespace: 'n', workflowId: 'p', runId: 'r', initiatedEventId: 5, firstRunId: 'f' }],
    ),
  },
  ['attributes', 'startTime'],
);

describe('a row', () => {
  it('of a chain, and of what a run was started with, reads back as it was, whichever fields are there', () => {
    fc.assert(
      fc.property(chain, start, (row, begun) => {
        expect(through('chain', '', row)).toStrictEqual(row);
        expect(through('run', 'start', begun)).toStrictEqual(begun);
      }),
    );
  });

  it('of a run reads back as it was, whichever fields are there', () => {
    fc.assert(
      fc.property(run, (row) => {
        expect(through('run', '', row)).toStrictEqual(row);
      }),
    );
  });

  it('of an activity reads back as it was, whichever fields are there', () => {
    fc.assert(
      fc.property(activity, (row) => {
        expect(through('activity', '5', row)).toStrictEqual(row);
      }),
    );
  });

  it('of another table stays a map', () => {
    const timer = { timerId: '1', startedEventId: 5, fireTime: 9 };
    expect(packRow('timer', '5', timer)).toBe(timer);
    expect(through('timer', '5', timer)).toStrictEqual(timer);
  });

  it('of an older version, whose list ends sooner, reads with the newer fields absent', () => {
    const [row] = fc.sample(run, 1);
    const packed = packRow('run', '', { ...row, runExpiration: 5, executionExpiration: 6 }) as unknown[];
    const older = unpackRow('run', '', packed.slice(0, 12));
    expect(older).not.toHaveProperty('runExpiration');
    expect(older).not.toHaveProperty('executionExpiration');
  });

  it.each([
    ['run', '', { facts: 1 }],
    ['run', '', [1, 2, 3]],
    ['activity', '5', 'text'],
    ['chain', '', null],
  ] as const)('of table %s that holds something else is refused', (table, id, packed) => {
    expect(() => unpackRow(table, id, packed)).toThrow(/holds no/);
  });
});

// What cannot be meant is refused as by Temporal's packages: by an error of the same class that names the same thing. Each case is run with both.
// Theirs are asked first: where they take it and leave the rest to a server, which is not there, ours may say more, and nothing is compared.
import * as theirActivity from '@temporalio/activity';
import * as theirClient from '@temporalio/client';
import * as theirCommon from '@temporalio/common';
import * as theirWorker from '@temporalio/worker';
import * as theirWorkflow from '@temporalio/workflow';
import { beforeAll, expect, it } from 'vitest';
import * as ourActivity from '../sdk/activity/index.ts';
import * as ourClient from '../sdk/client/index.ts';
import * as ourCommon from '../sdk/common/index.ts';
import * as ourWorker from '../sdk/worker/index.ts';
import * as ourWorkflow from '../sdk/workflow/index.ts';

/** What code without types may say: anything. */
// biome-ignore lint/suspicious/noExplicitAny: the cases are mistakes, which no type allows.
type Anything = any;

interface Packages {
  client: Anything;
  Worker: Anything;
  wf: Anything;
  common: Anything;
  activity: Anything;
}

/** Port 1: nobody is there. */
const NOWHERE = '127.0.0.1:1';
let theirs: Packages;
let ours: Packages;
beforeAll(() => {
  theirWorker.Runtime.install({ logger: new theirWorker.DefaultLogger('ERROR', () => {}) });
  ourWorker.Runtime.install({ logger: new ourWorker.DefaultLogger('ERROR', () => {}) });
  theirs = {
    client: new theirClient.Client({ connection: theirClient.Connection.lazy({ address: NOWHERE }) }),
    Worker: theirWorker.Worker,
    ...{ wf: theirWorkflow, common: theirCommon, activity: theirActivity },
  };
  const connection = ourClient.Connection.lazy({ address: NOWHERE, connectTimeout: 100, requestTimeout: 200 });
  ours = {
    client: new ourClient.Client({ connection }),
    Worker: ourWorker.Worker,
    ...{ wf: ourWorkflow, common: ourCommon, activity: ourActivity },
  };
});

type Case = [name: string, run: (packages: Packages) => unknown, says?: RegExp];

const start = (options: object) => (p: Packages) =>
  p.client.workflow.start('wf', { workflowId: 'w', taskQueue: 'q', ...options });
const schedule = (options: object) => (p: Packages) =>
  p.client.schedule.create({
    ...{ scheduleId: 's', spec: { intervals: [{ every: '1h' }] } },
    action: { type: 'startWorkflow', workflowType: 'wf', taskQueue: 'q', args: [] },
    ...options,
  });
const activity = (options: object) => (p: Packages) =>
  p.client.activity.start('act', { id: 'a', taskQueue: 'q', startToCloseTimeout: '1m', ...options });
const worker = (options: object) => (p: Packages) =>
  p.Worker.create({ taskQueue: 'q', activities: { a: async () => 1 }, ...options });
const typed = (type: string, value: unknown) => ({ key: { name: 'A', type }, value });
const slots = { type: 'fixed-size', numSlots: 5 };

const LOCAL: readonly Case[] = [
  ['a start without options', (p) => p.client.workflow.start('wf')],
  ['a start without workflowId', start({ workflowId: undefined }), /workflowId/],
  ['a start with an empty workflowId', start({ workflowId: '' }), /workflowId/],
  ['a start without taskQueue', start({ taskQueue: undefined }), /taskQueue/],
  ['a start of no workflow', (p) => p.client.workflow.start(undefined, { workflowId: 'w', taskQueue: 'q' })],
  ...(['workflowRunTimeout', 'workflowExecutionTimeout', 'workflowTaskTimeout', 'startDelay'] as const).map(
    (name): Case => [`a start with a ${name} that is none`, start({ [name]: 'nonsense' }), /nonsense/],
  ),
  ...[{ maximumAttempts: 0 }, { maximumAttempts: -1 }, { maximumAttempts: 1.5 }].map(
    (retry): Case => [`a retry policy ${JSON.stringify(retry)}`, start({ retry }), /maximumAttempts/],
  ),
  ['a retry policy without an initial interval', start({ retry: { initialInterval: 0 } }), /initialInterval/],
  ['a retry policy without a maximum interval', start({ retry: { maximumInterval: 0 } }), /maximumInterval/],
  [
    'a maximum below the initial interval',
    start({ retry: { initialInterval: 10, maximumInterval: 5 } }),
    /maximumInterval/,
  ],
  ['a backoff coefficient of 0', start({ retry: { backoffCoefficient: 0 } }), /backoffCoefficient/],
  ['an unknown reuse policy', start({ workflowIdReusePolicy: 'NOPE' }), /NOPE/],
  ['an unknown conflict policy', start({ workflowIdConflictPolicy: 'NOPE' }), /NOPE/],
  ['a search attribute of another type', start({ typedSearchAttributes: [typed('INT', 'x')] })],
  ['a search attribute of no type', start({ typedSearchAttributes: [typed('NOPE', 'x')] })],
  ['an argument without a converter', start({ args: [1n] })],
  ['a memo without a converter', start({ memo: { a: 1n } })],
  ['an execution without options', (p) => p.client.workflow.execute('wf')],
  ['a signal with start without options', (p) => p.client.workflow.signalWithStart('wf')],
  [
    'an update to an unknown stage',
    (p) => p.client.workflow.getHandle('w').startUpdate('u', { waitForStage: 'NOPE' }),
    /NOPE/,
  ],
  ['a schedule without options', (p) => p.client.schedule.create()],
  ['a schedule without action', schedule({ action: undefined })],
  ['a schedule of an unknown action', schedule({ action: { type: 'nope' } })],
  ['a schedule without spec', schedule({ spec: undefined })],
  ['an interval that is none', schedule({ spec: { intervals: [{ every: 'nonsense' }] } }), /nonsense/],
  ['an interval of nothing', schedule({ spec: { intervals: [{}] } })],
  ['a jitter that is none', schedule({ spec: { jitter: 'nonsense' } }), /nonsense/],
  ['a month of no year', schedule({ spec: { calendars: [{ month: 'NOPE' }] } }), /month/],
  ['the hour 25', schedule({ spec: { calendars: [{ hour: 25 }] } }), /hour/],
  ['an hour in words', schedule({ spec: { calendars: [{ hour: 'x' }] } }), /hour/],
  ['a day of no week', schedule({ spec: { calendars: [{ dayOfWeek: 'FUNDAY' }] } }), /dayOfWeek/],
  ['an unknown overlap policy', schedule({ policies: { overlap: 'NOPE' } }), /NOPE/],
  ['a catch-up window that is none', schedule({ policies: { catchupWindow: 'nonsense' } }), /nonsense/],
  ['a trigger by an unknown policy', (p) => p.client.schedule.getHandle('s').trigger('NOPE'), /NOPE/],
  ['an activity without options', (p) => p.client.activity.start('act')],
  ['an activity without id', activity({ id: undefined }), /id/],
  ['an activity without taskQueue', activity({ taskQueue: undefined }), /taskQueue/],
  ['an activity without timeout', activity({ startToCloseTimeout: undefined }), /startToCloseTimeout/],
  ['an activity that starts before it does', activity({ startDelay: -1 }), /startDelay/],
  [
    'an activity of no type',
    (p) => p.client.activity.start(undefined, { id: 'a', taskQueue: 'q', startToCloseTimeout: 1 }),
    /activityType/,
  ],
  ['a worker without options', (p) => p.Worker.create()],
  ['a worker without task queue', worker({ taskQueue: undefined }), /[tT]ask ?[qQ]ueue/],
  ['a worker with an empty task queue', worker({ taskQueue: '' }), /[tT]ask ?[qQ]ueue/],
  ['a worker of a reserved task queue', worker({ taskQueue: '__temporal_x' }), /task queue name: '__temporal_x'/],
  [
    'an activity of a reserved name',
    worker({ activities: { __temporal_x: async () => 1 } }),
    /activity name: '__temporal_x'/,
  ],
  [
    'a sink of a reserved name',
    worker({ sinks: { __temporal_x: { f: { fn: () => {} } } } }),
    /sink name: '__temporal_x'/,
  ],
  ['a bundle that is none', worker({ workflowBundle: {} }), /workflowBundle/],
  ['workflows that are not there', worker({ workflowsPath: '/nowhere/workflows.js' }), /nowhere/],
  ...(
    [
      'shutdownGraceTime',
      'shutdownForceTime',
      'stickyQueueScheduleToStartTimeout',
      'maxHeartbeatThrottleInterval',
    ] as const
  ).map((name): Case => [`a worker with a ${name} that is none`, worker({ [name]: 'nonsense' }), /nonsense/]),
  [
    'a worker with a tuner and slots',
    worker({
      tuner: {
        ...{ workflowTaskSlotSupplier: slots, activityTaskSlotSupplier: slots },
        ...{ localActivityTaskSlotSupplier: slots, nexusTaskSlotSupplier: slots },
      },
      maxConcurrentActivityTaskExecutions: 5,
    }),
    /maxConcurrentActivityTaskExecutions/,
  ],
  ['a worker of version sets', worker({ useVersioning: true }), /useVersioning/],
  ['activities without options', (p) => p.wf.proxyActivities()],
  ['activities without timeout', (p) => p.wf.proxyActivities({}), /startToCloseTimeout/],
  ['local activities without options', (p) => p.wf.proxyLocalActivities()],
  ['local activities without timeout', (p) => p.wf.proxyLocalActivities({}), /startToCloseTimeout/],
  ['an activity named by a symbol', (p) => p.wf.proxyActivities({ startToCloseTimeout: 1 })[Symbol('x')]],
  ...Object.entries<(p: Packages) => unknown>({
    sleep: ({ wf }) => wf.sleep(1),
    condition: ({ wf }) => wf.condition(() => true),
    startChild: ({ wf }) => wf.startChild('x'),
    executeChild: ({ wf }) => wf.executeChild('x'),
    continueAsNew: ({ wf }) => wf.continueAsNew(),
    patched: ({ wf }) => wf.patched('x'),
    workflowInfo: ({ wf }) => wf.workflowInfo(),
    setHandler: ({ wf }) => wf.setHandler(wf.defineSignal('x'), () => {}),
    upsertMemo: ({ wf }) => wf.upsertMemo({}),
    getExternalWorkflowHandle: ({ wf }) => wf.getExternalWorkflowHandle('x'),
    proxySinks: ({ wf }) => wf.proxySinks().a.b(),
    createEventGroup: ({ wf }) => wf.createEventGroup('x'),
    'activity.Context.current': (p) => p.activity.Context.current(),
    'activity.heartbeat': (p) => p.activity.heartbeat(),
    'activity.sleep': (p) => p.activity.sleep(1),
  }).map(([name, run]): Case => [`${name} outside of its place`, run]),
  ['external storage without drivers', (p) => new p.common.ExternalStorage({ drivers: [] })],
  [
    'a threshold below 0',
    (p) => new p.common.ExternalStorage({ drivers: [{ name: 'a' }], payloadSizeThreshold: -1 }),
    /payloadSizeThreshold/,
  ],
  [
    'two drivers of a name',
    (p) => new p.common.ExternalStorage({ drivers: [{ name: 'a' }, { name: 'a' }], driverSelector: () => null }),
    /name/,
  ],
  [
    'two drivers without a selector',
    (p) => new p.common.ExternalStorage({ drivers: [{ name: 'a' }, { name: 'b' }] }),
    /driverSelector/,
  ],
  ['a driver without a name', (p) => new p.common.ExternalStorage({ drivers: [{ name: '' }] }), /name/],
  ['a payload of a number without a form', (p) => p.common.defaultPayloadConverter.toPayload(1n)],
  [
    'a payload of an unknown encoding',
    (p) => p.common.defaultPayloadConverter.fromPayload({ metadata: { encoding: new TextEncoder().encode('nope') } }),
    /nope/,
  ],
  ['a payload without encoding', (p) => p.common.defaultPayloadConverter.fromPayload({})],
];

/** ms that theirs may take to find fault. Their connections never give up by themselves. */
const PATIENCE = 3_000;
const refusal = async (run: Case[1], packages: Packages): Promise<Error | undefined> => {
  let timer: NodeJS.Timeout | undefined;
  try {
    const taken = new Promise((resolve) => {
      timer = setTimeout(resolve, PATIENCE);
    });
    await Promise.race([(async () => run(packages))(), taken]);
    return undefined;
  } catch (error) {
    return error as Error;
  } finally {
    clearTimeout(timer);
  }
};

/** Names of an error's class and those it extends. */
function classesOf(error: Error): string[] {
  const names = ['Error'];
  for (let at: unknown = error; at instanceof Error; at = Object.getPrototypeOf(at)) names.push(at.constructor.name);
  return names;
}

it.each(LOCAL)('%s', async (_, run, says) => {
  const [their, our] = [await refusal(run, theirs), await refusal(run, ours)];
  if (their === undefined) throw new Error('theirs takes it: the case belongs to a server');
  if (our === undefined) throw new Error(`ours takes what theirs refuses: ${their.name}: ${their.message}`);
  // A class of ours may be more exact than theirs.
  expect([our.name, ...classesOf(our)]).toContain(their.name);
  if (says === undefined) return;
  expect(their.message + (their.cause ?? '')).toMatch(says);
  expect(our.message + (our.cause ?? '')).toMatch(says);
});

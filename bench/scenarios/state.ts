// Published state and those who watch it: from a change to its arrival at each of many readers. The readers are processes of their own. Latency counts
// from the time of the event that holds the change (so the write to the disk is part of it) to its bytes' arrival, before a client does anything
// with them; what the client costs is told beside it. Each reader must see each change, once.

import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from 'tenuto/client';
import { EventType } from '../../src/wire/enums.ts';
import { LatencyHistogram } from '../lib/histogram.ts';
import type { Scenario, ScenarioContext } from '../lib/model.ts';
import { usageOf } from '../lib/proc.ts';
import type { Measurement } from '../lib/report.ts';
import { ownMeasurement, parameter, withTenuto } from '../lib/scenario.ts';
import { StateReaders } from '../tenuto/state-readers.ts';
import type { RunningTenuto } from '../tenuto/system.ts';

const WORKFLOW_ID = 'published';
/** Not measured: connections, code and caches warm up. */
const WARM_UP = 10;
const LOOK_MS = 10;
const US_PER_S = 1e6;
/** What `connections=0` stands for. */
const EACH_OF = [10, 100, 1_000];
const READERS_BY = { 0: 'sdk', 1: 'parts', 2: 'polls' } as const;

export const state: Scenario = {
  name: 'state',
  shows: 'published state: from a change to each of many readers',
  runs: 'usual',
  parameters: {
    subscribers: { what: 'readers', usual: 1_000, quick: 100 },
    connections: {
      what: `that they share; 0: ${EACH_OF.join(', ')} one after the other`,
      usual: 0,
      quick: 100,
      is: 'a count or 0',
    },
    processes: { what: 'that they are spread over', usual: 1, quick: 1 },
    changes: { what: 'one after the other', usual: 100, quick: 20 },
    pause: { what: 'ms from the last reader of a change to the next change', usual: 50, quick: 50, is: 'a count or 0' },
    lean: {
      what: '0: readers of the SDK, 1: that do next to nothing, 2: the same, polling as older clients',
      usual: 1,
      quick: 1,
      is: 'a count or 0',
      atMost: 2,
    },
  },
  shapes: [],
  needs: 'tenuto',
  run: async (context) => {
    const connections = parameter(context, 'connections');
    const measured: Measurement[] = [];
    for (const n of connections === 0 ? EACH_OF : [connections])
      measured.push(await withTenuto(context, (running) => publish(context, running, n)));
    return measured;
  },
};

async function publish(context: ScenarioContext, running: RunningTenuto, connections: number): Promise<Measurement> {
  const [subscribers, changes, pauseMs] = ['subscribers', 'changes', 'pause'].map((name) =>
    parameter(context, name),
  ) as [number, number, number];
  const by = READERS_BY[parameter(context, 'lean') as keyof typeof READERS_BY] ?? 'parts';
  const { address } = running.node;
  const connection = await Connection.connect({ address });
  const handle = await new Client({ connection }).workflow.start('publisher', {
    ...{ workflowId: WORKFLOW_ID, taskQueue: running.taskQueue, args: [] },
  });
  while ((await handle.state('n')) !== 0) await sleep(LOOK_MS);
  context.progress.say(`${subscribers} readers over ${connections} connections`);
  const readers = await StateReaders.start(parameter(context, 'processes'), {
    ...{ address, workflowId: WORKFLOW_ID, connections, readers: subscribers, by },
  });
  try {
    const seen: (readonly number[])[] = [await readers.seen(0)];
    let nodeCpuS = 0;
    let readersCpuS = 0;
    let beganAtMs = 0;
    for (let n = 1; n <= WARM_UP + changes; n += 1) {
      await sleep(pauseMs);
      if (n === WARM_UP + 1) {
        nodeCpuS = usageOf(running.node.pid)?.cpuS ?? 0;
        readersCpuS = readers.cpuSeconds();
        beganAtMs = performance.now();
      }
      await handle.signal('publish');
      seen.push(await readers.seen(n));
      context.progress.tick(`${n} changes`);
    }
    const seconds = (performance.now() - beganAtMs) / 1000;
    await sleep(pauseMs);
    const each = US_PER_S / (changes * subscribers);
    const figures = [
      {
        name: 'CPU of the node for each reader and change',
        unit: 'µs',
        value: ((usageOf(running.node.pid)?.cpuS ?? 0) - nodeCpuS) * each,
      },
      { name: 'CPU of the readers for the same', unit: 'µs', value: (readers.cpuSeconds() - readersCpuS) * each },
    ];
    const publishedAtMs = await publishedTimes(handle);
    const all = new LatencyHistogram();
    const first = new LatencyHistogram();
    const last = new LatencyHistogram();
    for (let n = WARM_UP + 1; n <= WARM_UP + changes; n += 1) {
      const at = publishedAtMs[n] ?? Number.NaN;
      const latenciesUs = (seen[n] ?? []).map((receivedAtMs) => (receivedAtMs - at) * 1000);
      for (const us of latenciesUs) all.record(us);
      first.record(Math.min(...latenciesUs));
      last.record(Math.max(...latenciesUs));
    }
    await handle.signal('end');
    return ownMeasurement(context, {
      scenario: 'state',
      case: `${subscribers} over ${connections}`,
      operation: 'change seen by a reader',
      done: changes * subscribers,
      seconds,
      latency: all.toLatency(),
      figures: [
        { name: 'changes, each seen by all', value: changes / seconds, unit: '/s' },
        { name: 'to a reader, p50', value: all.atMs(50), unit: 'ms' },
        { name: 'to a reader, p99', value: all.atMs(99), unit: 'ms' },
        { name: 'to the first reader, p50', value: first.atMs(50), unit: 'ms' },
        { name: 'to the last reader, p50', value: last.atMs(50), unit: 'ms' },
        { name: 'to the last reader, p99', value: last.atMs(99), unit: 'ms' },
        ...figures,
      ],
    });
  } finally {
    readers.stop();
    await connection.close();
  }
}

/** Epoch ms of each change, in order. */
async function publishedTimes(handle: {
  fetchHistory(): Promise<{ events: readonly { eventType: EventType; eventTime: number }[] }>;
}): Promise<number[]> {
  const { events } = await handle.fetchHistory();
  return events.filter(({ eventType }) => eventType === EventType.MARKER_RECORDED).map(({ eventTime }) => eventTime);
}

// Mixed business load: the order pipeline of examples/order-fulfillment with its two services, approvals, sagas and deadlines. The shop's audit at
// the end balances money, stock and parcels; a discrepancy fails the run. People think and services take their time, so what counts is the CPU, of
// the node and of the pipeline's worker.

import { Connection } from 'tenuto/client';
import { libraryOf, OWN } from '../../test/chaos/cluster/build.ts';
import { Orders } from '../../test/chaos/cluster/orders.ts';
import { newFolder, removeFolder } from '../lib/folders.ts';
import type { Scenario, ScenarioContext } from '../lib/model.ts';
import type { Measurement } from '../lib/report.ts';
import { ownMeasurement, parameter, withTenuto } from '../lib/scenario.ts';
import { Watch } from '../lib/watch.ts';
import type { RunningTenuto } from '../tenuto/system.ts';

const SEED = 7;
const END_MS = 300_000;

export const orders: Scenario = {
  name: 'orders',
  shows: 'the order pipeline of the demo: activities, signals, queries, timers, sagas; its audit must balance',
  runs: 'usual',
  parameters: {
    orders: { what: 'orders', usual: 300, quick: 40, atMost: 300 },
    concurrency: { what: 'orders under way at once', usual: 100, quick: 40 },
  },
  shapes: [],
  needs: 'tenuto',
  run: async (context) => [await withTenuto(context, (running) => pipeline(context, running))],
};

async function pipeline(context: ScenarioContext, running: RunningTenuto): Promise<Measurement> {
  const directory = newFolder();
  const count = parameter(context, 'orders');
  const load = new Orders({ count, concurrency: parameter(context, 'concurrency'), seed: SEED, directory });
  const connection = await Connection.connect({ address: running.node.address });
  const watch = new Watch(() => [
    ...running.processes().filter(({ role }) => role === 'node'),
    ...(load.workerPid === undefined ? [] : [{ role: 'worker' as const, name: 'worker', pid: load.workerPid }]),
  ]);
  try {
    await load.startServices();
    await load.startWorker([running.node.address]);
    context.progress.say(`orders: ${count}`);
    await watch.begin();
    const begunAtMs = performance.now();
    load.open(connection, await libraryOf(OWN));
    const { ended, problems, repeatedCalls } = await load.close(connection, END_MS);
    const seconds = (performance.now() - begunAtMs) / 1000;
    const rolesOf = await watch.end();
    if (problems.length > 0) throw new Error(`the orders do not balance: ${problems.join('; ')}`);
    const roles = rolesOf(ended);
    return ownMeasurement(context, {
      scenario: 'orders',
      operation: 'order',
      done: ended,
      seconds,
      roles,
      figures: [
        { name: 'orders ended, books balanced', value: ended, unit: '' },
        { name: 'orders', value: ended / seconds, unit: '/s' },
        { name: 'calls repeated', value: repeatedCalls, unit: '' },
        ...(['node', 'worker'] as const).map((role) => ({
          name: `${role} CPU per order`,
          value: roles.find((each) => each.role === role)?.cpuUsPerOperation ?? Number.NaN,
          unit: 'µs',
        })),
      ],
    });
  } finally {
    await connection.close();
    await load.end();
    removeFolder(directory);
  }
}

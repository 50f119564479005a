// The native door on a real socket before a fake engine and a fake cluster: for tests of the CLI that need a cluster's answers, not a cluster.

import type { AddressInfo } from 'node:net';
import { RoutingTable } from '../../src/core/deployment/routes.ts';
import { DEFAULT_LIMITS } from '../../src/core/workflow/limits.ts';
import { Admission } from '../../src/frontend/admission.ts';
import { DeploymentDirectory } from '../../src/frontend/deployment-directory.ts';
import { hostRules } from '../../src/frontend/http/host-rules.ts';
import { makeHttpServer } from '../../src/frontend/http/server.ts';
import { DEFAULT_DOOR_LIMITS } from '../../src/frontend/limits.ts';
import { methods } from '../../src/frontend/methods/index.ts';
import { NamespaceDirectory } from '../../src/frontend/namespace-directory.ts';
import { type AdministrationSetting, Namespaces } from '../../src/frontend/namespaces.ts';
import { AttributeDirectory } from '../../src/frontend/search-attributes.ts';
import { NativeDoor } from '../../src/frontend/websocket/door.ts';
import { listenForWebSockets } from '../../src/frontend/websocket/listener.ts';
import { Matcher } from '../../src/matching/matcher.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import type { ClusterControl } from '../../src/ports/cluster.ts';
import { systemClock, systemRandom, systemScheduler } from '../../src/runtime/index.ts';
import { FakeEngine } from './fake-engine.ts';
import type { AtEnd } from './processes.ts';

/** @returns `host:port` */
export async function serveDoor(
  cluster: ClusterControl | undefined,
  administration: AdministrationSetting,
  atEnd: AtEnd,
): Promise<string> {
  const namespaces = new Namespaces([{ name: 'default', retention: 3_600_000, tokens: [] }], administration);
  const engine = new FakeEngine();
  const matcher = new Matcher({ clock: systemClock, scheduler: systemScheduler, onQueryLost: () => {} });
  const door = new NativeDoor({
    services: {
      engine,
      attributes: new AttributeDirectory(engine, systemClock),
      directory: new NamespaceDirectory({ engine: engine, clock: systemClock, scheduler: systemScheduler, namespaces }),
      workers: matcher,
      queues: matcher,
      namespaces: namespaces.known,
      deployments: new DeploymentDirectory({
        engine: engine,
        scheduler: systemScheduler,
        table: new RoutingTable(),
        onRoutes: () => {},
      }),
      clock: systemClock,
      random: systemRandom,
      limits: DEFAULT_LIMITS,
      info: { version: '0.0.0', nodeId: 'node', shardCount: 4, store: 'memory' },
      ...(cluster && { cluster }),
    },
    namespaces,
    scheduler: systemScheduler,
    admission: new Admission(DEFAULT_DOOR_LIMITS.openCalls, DEFAULT_DOOR_LIMITS.openCallBytes),
    limits: DEFAULT_DOOR_LIMITS,
    methods,
    metrics: new Metrics(),
    onHello: () => {},
    onFault: (error) => {
      throw error;
    },
  });
  const rules = hostRules([], []);
  const notReady = (): undefined => undefined;
  const routes = { notReady, metrics: async () => ({ contentType: 'text/plain', body: '' }), onFault: () => {} };
  const server = await makeHttpServer(routes, rules, undefined, 200);
  listenForWebSockets(server, { door, rules, maxConnections: 100, paths: ['/'], notReady });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(async () => {
    door.closeAll('the test is over');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  // A listening TCP server has an address of this kind.
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

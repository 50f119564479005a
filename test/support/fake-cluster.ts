// A cluster as one of its nodes sees it, changed by the test: for doors and SDK without the composition behind them.

import type { ClientMap, ClientNode, ClusterControl, ClusterStatus, Draining } from '../../src/ports/cluster.ts';

export class FakeCluster implements ClusterControl {
  readonly #self: string;
  readonly #watchers = new Set<() => void>();
  #map: ClientMap;

  constructor(self: string, map: Partial<ClientMap> = {}) {
    this.#self = self;
    this.#map = { version: 1, shardCount: 4, nodes: [], leaders: [], ...map };
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** A newer map; everybody who watches is told. */
  change(over: Partial<ClientMap>): void {
    this.#map = { ...this.#map, ...over, version: this.#map.version + 1 };
    for (const changed of this.#watchers) changed();
  }

  clientMap(): ClientMap {
    return this.#map;
  }

  onClientMap(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  status(): ClusterStatus {
    return {
      clusterId: 'test',
      incarnation: undefined,
      self: this.#self,
      shardCount: this.#map.shardCount,
      store: 'directories',
      replicas: 1,
      planVersion: 1,
      planning: '',
      coordinator: 'ready',
      session: 'held',
      members: [],
    };
  }

  draining(): Draining {
    return this.#map.nodes.some(({ name, draining }) => name === this.#self && draining) ? 'leadership' : 'no';
  }

  shards = unused;
  health = unused;
  drain = unused;
  rebalance = unused;
  replace = unused;
}

function unused(): never {
  throw new Error('Doors do not ask for this');
}

export const node = (name: string, address: string, state: 'up' | 'draining' = 'up'): ClientNode => ({
  name,
  address,
  draining: state === 'draining',
});

// Several fake servers that know of each other, and connections that reach them by their addresses.

import { FrameKind } from '../../src/wire/frame.ts';
import type { ClusterMap } from '../../src/wire/server.ts';
import { encodeLeaders, shardOf } from '../../src/wire/shard.ts';
import { Connection } from './connection.ts';
import { FakeServer, type SeenRequest, VirtualScheduler } from './fake-server.test-support.ts';
import type { ConnectionOptions } from './options.ts';

export const SHARDS = 4;
export const urlOf = (name: string): string => `ws://${name}:1/`;

export class FakeCluster {
  readonly scheduler = new VirtualScheduler();
  readonly servers = new Map<string, FakeServer>();
  /** URLs dialled, in order. */
  readonly dialled: string[] = [];
  readonly draining = new Set<string>();
  /** Names of the nodes that the others speak of. */
  members: string[];
  /** By shard the name of its leader. */
  leaders: string[];
  #version = 1;

  constructor(...names: string[]) {
    this.members = names;
    this.leaders = Array.from({ length: SHARDS }, (_, shard) => names[shard % names.length] ?? '');
    for (const name of names) this.start(name);
  }

  start(name: string): FakeServer {
    const server = new FakeServer();
    server.welcome = { ...server.welcome, capabilities: ['ahead', 'cluster'] } as FakeServer['welcome'];
    server.answer = (request) => (request.method === 'describeCluster' ? this.mapOf(name) : { from: name });
    this.servers.set(name, server);
    return server;
  }

  server(name: string): FakeServer {
    const server = this.servers.get(name);
    if (server === undefined) throw new Error(`there is no server ${name}`);
    return server;
  }

  /** The process is gone: its links break, nobody listens any more. */
  kill(name: string): void {
    const server = this.server(name);
    server.unreachable = new Error(`connect ECONNREFUSED ${name}`);
    for (const link of server.links) link.drop('killed');
  }

  /** Those that live tell everybody who is connected. */
  tell(): void {
    this.#version += 1;
    for (const [name, server] of this.servers) {
      if (server.unreachable !== undefined) continue;
      for (const link of server.links) link.send([FrameKind.PUSH, 'clusterMap', this.mapOf(name)]);
    }
  }

  mapOf(self: string): ClusterMap {
    const names = [...this.members].sort();
    return {
      self,
      version: this.#version,
      shardCount: SHARDS,
      nodes: names.map((name) => ({ name, address: `${name}:1`, draining: this.draining.has(name) })),
      leaders: encodeLeaders(this.leaders.map((name) => names.indexOf(name))),
    };
  }

  /** A connection that was given only the first node. */
  connect(options: ConnectionOptions = {}): Connection {
    return Connection.fromTransport(
      (_timeoutMs, url) => {
        this.dialled.push(url);
        const name = url === '' ? (this.members[0] ?? '') : (/^ws:\/\/(.*):1\/$/.exec(url)?.[1] ?? '');
        return this.server(name).connect();
      },
      { identity: 'me', scheduler: this.scheduler, discovery: 'cluster', ...options },
    );
  }

  /** What a server was asked, without the questions for the map. */
  asked(name: string): SeenRequest[] {
    return this.server(name).requests.filter(({ method }) => method !== 'describeCluster');
  }

  open(name: string): number {
    return this.server(name).links.filter(({ open }) => open).length;
  }

  /** A workflow id whose shard this node leads. */
  workflowOf(name: string): string {
    for (let i = 0; ; i += 1) {
      if (this.leaders[shardOf('default', `w${i}`, SHARDS)] === name) return `w${i}`;
    }
  }
}

// The native door over a fake engine and virtual time, and a client that speaks frames, for tests of the protocol.

import { RoutingTable } from '../../src/core/deployment/routes.ts';
import { DEFAULT_LIMITS } from '../../src/core/workflow/limits.ts';
import { Admission } from '../../src/frontend/admission.ts';
import { DeploymentDirectory } from '../../src/frontend/deployment-directory.ts';
import { DEFAULT_DOOR_LIMITS, type DoorLimits } from '../../src/frontend/limits.ts';
import { methods } from '../../src/frontend/methods/index.ts';
import { NamespaceDirectory } from '../../src/frontend/namespace-directory.ts';
import { type AdministrationSetting, type NamespaceSetting, Namespaces } from '../../src/frontend/namespaces.ts';
import { AttributeDirectory } from '../../src/frontend/search-attributes.ts';
import type { Connection } from '../../src/frontend/websocket/connection.ts';
import { NativeDoor } from '../../src/frontend/websocket/door.ts';
import type { Wire } from '../../src/frontend/websocket/wire.ts';
import { Matcher } from '../../src/matching/matcher.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import type { ClusterControl } from '../../src/ports/cluster.ts';
import { decodeAll, encode } from '../../src/wire/codec.ts';
import { FrameKind } from '../../src/wire/frame.ts';
import type { Status } from '../../src/wire/status.ts';
import { FakeEngine } from './fake-engine.ts';
import { VirtualTime } from './matching-world.ts';

export interface DoorOptions {
  limits?: Partial<DoorLimits>;
  namespaces?: NamespaceSetting[];
  administration?: AdministrationSetting;
  /** Absent: the node stands alone. */
  cluster?: ClusterControl;
}

export class TestDoor {
  readonly time = new VirtualTime();
  readonly engine = new FakeEngine();
  readonly metrics = new Metrics();
  readonly faults: unknown[] = [];
  readonly matcher: Matcher;
  readonly door: NativeDoor;

  constructor(options: DoorOptions = {}) {
    const limits = { ...DEFAULT_DOOR_LIMITS, ...options.limits };
    const namespaces = new Namespaces(
      options.namespaces ?? [{ name: 'default', retention: 72 * 3_600_000, tokens: [] }],
      options.administration,
    );
    this.matcher = new Matcher({
      clock: this.time,
      scheduler: this.time,
      onQueryLost: (to, queryId) => this.engine.submit(to, { type: 'queryLost', queryId }, () => {}),
    });
    let ids = 0;
    this.door = new NativeDoor({
      services: {
        engine: this.engine,
        workers: this.matcher,
        queues: this.matcher,
        namespaces: namespaces.known,
        attributes: new AttributeDirectory(this.engine, this.time),
        directory: new NamespaceDirectory({ engine: this.engine, clock: this.time, scheduler: this.time, namespaces }),
        deployments: new DeploymentDirectory({
          engine: this.engine,
          scheduler: this.time,
          table: new RoutingTable(),
          onRoutes: () => {},
        }),
        clock: this.time,
        random: {
          uuid: () => `00000000-0000-4000-8000-${String((ids += 1)).padStart(12, '0')}`,
          next: () => 0.5,
        },
        limits: DEFAULT_LIMITS,
        info: { version: '0.0.0', nodeId: 'node', shardCount: 4, store: 'memory' },
        ...(options.cluster && { cluster: options.cluster }),
      },
      namespaces,
      scheduler: this.time,
      admission: new Admission(limits.openCalls, limits.openCallBytes),
      limits,
      methods,
      metrics: this.metrics,
      onHello: () => {},
      onFault: (error) => {
        this.faults.push(error);
      },
    });
  }

  /** A wire without a hello yet. */
  open(): TestClient {
    return new TestClient(this);
  }

  /** A connection with the handshake done. */
  connect(hello: object = {}): TestClient {
    const client = this.open();
    client.hello(hello);
    client.take();
    return client;
  }
}

export type Frame = readonly unknown[];

export class TestClient implements Wire {
  readonly peer = 'test';
  readonly connection: Connection;
  closed: { code: number; reason: string } | undefined;
  paused = false;
  pings = 0;
  bufferedAmount = 0;
  /** A peer that reads nothing: what is sent stays buffered. */
  deaf = false;
  readonly #door: TestDoor;
  #received: Frame[] = [];
  #nextId = 1;

  constructor(door: TestDoor) {
    this.#door = door;
    this.connection = door.door.accept(this);
  }

  // Wire, called by the connection.
  send(message: Uint8Array): void {
    if (this.deaf) this.bufferedAmount += message.length;
    for (const frame of decodeAll(message)) if (Array.isArray(frame)) this.#received.push(frame);
  }

  close(code: number, reason: string): void {
    this.closed = { code, reason };
    this.#door.door.ended(this.connection);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  ping(): void {
    this.pings += 1;
  }

  // The client's side.
  bytes(message: Uint8Array): void {
    this.connection.receive(message);
    this.#door.time.settle();
  }

  frames(...frames: unknown[]): void {
    this.bytes(Buffer.concat(frames.map(encode)));
  }

  hello(over: object = {}): void {
    this.frames([0, { protocol: [1, 1], client: 'test/1', identity: 'me', capabilities: [], ...over }]);
  }

  /** Sends without waiting for anything; returns the id. */
  request(method: string, body: unknown, timeoutMs = 0): number {
    const id = this.#nextId;
    this.#nextId += 1;
    this.frames([FrameKind.REQUEST, id, method, timeoutMs, body]);
    return id;
  }

  /** Sends and returns the frame that answered it within the tick. */
  ask(method: string, body: unknown): Frame | undefined {
    const id = this.request(method, body);
    const frames = this.take();
    this.#received = frames.filter((frame) => frame[1] !== id);
    return frames.find((frame) => frame[1] === id);
  }

  /** The refusal of a request, if it was refused at once. */
  refusal(method: string, body: unknown): Status | undefined {
    const answer = this.ask(method, body);
    // Error frames carry a Status.
    return answer?.[0] === FrameKind.ERROR ? (answer[2] as Status) : undefined;
  }

  /** Everything received since the last call. */
  take(): Frame[] {
    const frames = this.#received;
    this.#received = [];
    return frames;
  }

  /** The peer has read everything. */
  drain(): void {
    this.bufferedAmount = 0;
    this.connection.drained();
    this.#door.time.settle();
  }

  drop(): void {
    this.#door.door.ended(this.connection);
    this.#door.time.settle();
  }
}

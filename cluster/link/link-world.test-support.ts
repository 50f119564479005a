// Nodes with links between them over an in-memory network, and time moved by hand: what tests of links share.

import { ManualTime, type TestNode, type TestNodeOptions, testNode } from './link.test-support.ts';
import type { LinkEvent, Links } from './links.ts';
import { MemoryNetwork } from './memory-network.ts';

export class LinkWorld {
  time = new ManualTime();
  network = new MemoryNetwork(this.time, 1);
  readonly #made: Links[] = [];

  /** Anew. The nodes that were made before live on, in a time that nobody moves. */
  begin(latencyMs = 1): void {
    this.time = new ManualTime();
    this.network = new MemoryNetwork(this.time, latencyMs);
  }

  node(name: string, options: TestNodeOptions = {}): TestNode {
    const one = testNode(this.time, this.network, name, options);
    this.keep(one.links);
    return one;
  }

  /** Ends with the world. */
  keep(links: Links): void {
    this.#made.push(links);
  }

  connect(from: TestNode, to: TestNode): void {
    from.links.connect(to.links.identity.nodeName, { host: to.links.identity.nodeName, port: 1 });
  }

  end(): void {
    for (const links of this.#made.splice(0)) links.kill();
  }
}

export const refusals = ({ events }: TestNode): string[] =>
  events.flatMap((event) => (event.type === 'refused' ? [`${event.by} ${event.kind}`] : []));

export const messageOf = ({ events }: TestNode, type: LinkEvent['type']): string => {
  const event = events.find((candidate) => candidate.type === type);
  return event !== undefined && 'message' in event ? event.message : '';
};

export const text = (message: string): Uint8Array => Buffer.from(message);

// The newest ring plan, passed from node to node: to all when it is news, and to who has just been connected. Owned by cluster-node.ts.

import type { Rpc } from '../link/rpc.ts';

export interface PlanNewsOptions {
  readonly rpc: Pick<Rpc, 'serve' | 'call'>;
  /** As plan-codec.ts writes it; '' before the first. */
  newest(): string;
  connected(): readonly string[];
  /** Another node says so. */
  hear(plan: string): void;
}

const METHOD = 'cluster.plan';
const ANSWER_MS = 5_000;

export class PlanNews {
  readonly #options: PlanNewsOptions;

  constructor(options: PlanNewsOptions) {
    this.#options = options;
    options.rpc.serve(METHOD, (call, bytes) => {
      options.hear(Buffer.from(bytes).toString('utf8'));
      call.answer(new Uint8Array(0));
    });
  }

  greet(node: string): void {
    this.#say(node, this.#options.newest());
  }

  tell(plan: string): void {
    for (const node of this.#options.connected()) this.#say(node, plan);
  }

  #say(node: string, plan: string): void {
    if (plan !== '') this.#options.rpc.call(node, METHOD, Buffer.from(plan), ANSWER_MS, () => undefined);
  }
}

// A credit that another node lent, as the shards of this node see it: a claim whose delivery goes over the link and is answered later. Keeps: no task is
// undone that may have been taken, and none is left lying that was not (I6): a delivery without an answer is sent again until it has one, the
// same each time, so that the other node knows a repeat. Used by served-pulls.ts and sessions.ts.

import type { Cancelable, Clock, Scheduler } from '../../src/ports/clock.ts';
import type { Claim, Delivery, LateAnswer, LateDelivery } from '../../src/ports/matching.ts';
import { type Status, StatusCode } from '../../src/wire/status.ts';
import type { Rpc, RpcCall } from '../link/rpc.ts';
import { type DeliveryTarget, encodeDelivery, readAnswer } from './deliveries.ts';
import type { MatchingLimits } from './limits.ts';
import { METHODS, type Taker } from './messages.ts';

export interface DeliveriesOptions {
  rpc: Pick<Rpc, 'call' | 'reaches'>;
  clock: Clock;
  scheduler: Scheduler;
  limits: MatchingLimits;
  /** A worker of this session, connected to that node, has taken a task. */
  taken(session: string, node: string): void;
}

/** The refusal itself proves that the other node did nothing. */
const notApplied = ({ code, detail }: Status): boolean =>
  code === StatusCode.RESOURCE_EXHAUSTED ||
  code === StatusCode.UNIMPLEMENTED ||
  (detail?.kind === 'Unavailable' && detail.applied === 'no');

/** What is on its way to other nodes. */
export class Deliveries {
  readonly options: DeliveriesOptions;
  readonly #open = new Set<OnItsWay>();

  constructor(options: DeliveriesOptions) {
    this.options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  /** False when it was not sent, and will not be. */
  begin(to: string, target: DeliveryTarget, session: string, task: Delivery): LateDelivery | false {
    if (this.#open.size >= this.options.limits.underWay) return false;
    const delivery = new OnItsWay(this, to, session, encodeDelivery(target, task));
    this.#open.add(delivery);
    return delivery.first() ? delivery : false;
  }

  ended(delivery: OnItsWay): void {
    this.#open.delete(delivery);
  }

  /** This node stops: nobody waits for answers any more. */
  close(): void {
    for (const delivery of [...this.#open]) delivery.forget();
  }
}

class OnItsWay implements LateDelivery {
  readonly #all: Deliveries;
  readonly #to: string;
  readonly #session: string;
  readonly #body: Uint8Array;
  readonly #since: number;
  /** The attempt that is not answered yet. */
  #call: RpcCall | undefined;
  #pause: Cancelable | undefined;
  /** An attempt may have arrived. */
  #doubtful = false;
  #over = false;
  #answer: LateAnswer | undefined;
  #heard: ((answer: LateAnswer) => void) | undefined;

  constructor(all: Deliveries, to: string, session: string, body: Uint8Array) {
    this.#all = all;
    this.#to = to;
    this.#session = session;
    this.#body = body;
    this.#since = all.options.clock.monotonic();
  }

  get inDoubt(): boolean {
    return this.#doubtful && this.#call === undefined && this.#answer === undefined;
  }

  whenAnswered(heard: (answer: LateAnswer) => void): void {
    this.#heard = heard;
    if (this.#answer !== undefined) this.#all.options.scheduler.soon(() => this.#tell());
  }

  forget(): void {
    this.#end();
    this.#heard = undefined;
    this.#call?.abandon();
  }

  /** False when the frame was not even queued. */
  first(): boolean {
    this.#attempt();
    return this.#answer !== 'refused';
  }

  #attempt(): void {
    const { rpc, limits } = this.#all.options;
    let ended = false;
    const call = rpc.call(this.#to, METHODS.deliver, this.#body, limits.deliverMs, (error, body) => {
      ended = true;
      this.#call = undefined;
      this.#ended(error, body);
    });
    if (!ended) this.#call = call;
  }

  #ended(error: Status | undefined, body: Uint8Array | undefined): void {
    if (this.#over) return;
    if (error === undefined) {
      this.#settle(body === undefined ? 'unknown' : readAnswer(body));
      return;
    }
    if (notApplied(error)) {
      if (this.#doubtful) this.#again();
      else this.#settle('refused');
    } else if (error.detail?.kind === 'Unavailable') {
      this.#doubtful = true;
      this.#again();
      // It failed over the task: so it would again.
    } else this.#settle('unknown');
  }

  #again(): void {
    const { clock, scheduler, limits, rpc } = this.#all.options;
    if (clock.monotonic() - this.#since >= limits.giveUpMs) {
      this.#settle('unknown');
      return;
    }
    this.#pause = scheduler.after(limits.retryMs, () => {
      if (this.#over) return;
      if (rpc.reaches(this.#to)) this.#attempt();
      else this.#again();
    });
  }

  #settle(answer: LateAnswer): void {
    this.#end();
    this.#answer = answer;
    if (answer === 'taken') this.#all.options.taken(this.#session, this.#to);
    if (this.#heard !== undefined) this.#tell();
  }

  #tell(): void {
    const heard = this.#heard;
    this.#heard = undefined;
    if (heard !== undefined && this.#answer !== undefined) heard(this.#answer);
  }

  #end(): void {
    this.#over = true;
    this.#pause?.cancel();
    this.#all.ended(this);
  }
}

export class LinkClaim implements Claim {
  readonly taker: Taker;
  readonly ahead = false;
  readonly sticky = false;
  readonly #deliveries: Deliveries;
  readonly #to: string;
  readonly #target: DeliveryTarget;
  readonly #settled: (outcome: 'delivered' | 'released') => void;
  #isSettled = false;
  #isLost = false;

  constructor(
    deliveries: Deliveries,
    to: string,
    target: DeliveryTarget,
    taker: Taker,
    settled: (outcome: 'delivered' | 'released') => void,
  ) {
    this.#deliveries = deliveries;
    this.#to = to;
    this.#target = target;
    this.taker = taker;
    this.#settled = settled;
  }

  /** Its link ended before there was a task for it: the credit is not ours any more. */
  lost(): void {
    this.#isLost = true;
  }

  deliver(task: Delivery): LateDelivery | false {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    const late = this.#isLost ? false : this.#deliveries.begin(this.#to, this.#target, this.taker.session, task);
    this.#settled(late === false ? 'released' : 'delivered');
    return late;
  }

  release(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#settled('released');
  }

  /** Of tasks pushed ahead: none is, over a link. */
  durable(): void {
    // Nothing was said ahead.
  }

  over(): void {
    // Nothing was said ahead.
  }
}

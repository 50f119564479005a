// Room in the answers of calls, for tasks their own turns schedule: an eager first workflow task, eager activities, and the next task of a worker that
// asks for it with its answer. Held by the matcher, which asks here before any queue. Keeps: a seat gives each of its places once, and hears of every
// claim's end exactly once (I6); nothing is given after it was settled or closed.

import type { TaskOffer } from '../core/workflow/outcome.ts';
import type { AnswerSeat, Claim, Delivery, QueueKey, SeatRequest, TaskKind } from '../ports/matching.ts';

export class Seats {
  readonly #open = new Map<string, Seat>();
  readonly #isFree: (queue: QueueKey) => boolean;

  /** `isFree`: an activity of this queue would be nobody else's first. An eager task does not jump its queue; a workflow's next task is its own business. */
  constructor(isFree: (queue: QueueKey) => boolean) {
    this.#isFree = isFree;
  }

  open(request: SeatRequest): AnswerSeat {
    const seat = new Seat(request, () => this.#open.delete(request.session));
    this.#open.set(request.session, seat);
    return seat;
  }

  takes(session: string, queue: QueueKey): boolean {
    return this.#seatFor(session, queue) !== undefined;
  }

  claim({ eagerFor, namespace, taskQueue, kind }: TaskOffer): Claim | undefined {
    if (eagerFor === undefined) return undefined;
    return this.#seatFor(eagerFor, { namespace, name: taskQueue, kind })?.claim(kind);
  }

  #seatFor(session: string, queue: QueueKey): Seat | undefined {
    const seat = this.#open.get(session);
    if (seat === undefined || !seat.takes(queue.namespace, queue.kind)) return undefined;
    return queue.kind === 'workflow' || this.#isFree(queue) ? seat : undefined;
  }
}

class Seat implements AnswerSeat {
  readonly session: string;
  readonly #namespace: string;
  readonly #places: Record<TaskKind, number>;
  readonly #warm: boolean;
  readonly #taker: Claim['taker'];
  readonly #gone: () => void;
  readonly #tasks: Delivery[] = [];
  #claims = 0;
  #heard: ((tasks: readonly Delivery[]) => void) | undefined;
  /** Its call takes what is delivered. */
  #waits = true;

  constructor(request: SeatRequest, gone: () => void) {
    const { session, namespace, identity, buildId, requestId, workflowTasks, activities, warm } = request;
    this.session = session;
    this.#namespace = namespace;
    this.#places = { workflow: workflowTasks, activity: activities };
    this.#warm = warm;
    this.#gone = gone;
    const workerVersion = buildId === undefined ? undefined : { buildId, useVersioning: false };
    this.#taker = { session, identity, workerVersion, requestId };
  }

  takes(namespace: string, kind: TaskKind): boolean {
    return this.#waits && this.#heard === undefined && namespace === this.#namespace && this.#places[kind] > 0;
  }

  claim(kind: TaskKind): Claim {
    this.#places[kind] -= 1;
    this.#claims += 1;
    let open = true;
    const end = (task: Delivery | undefined): boolean => {
      if (!open) return false;
      open = false;
      this.#claims -= 1;
      const taken = task !== undefined && this.#waits;
      if (taken) this.#tasks.push(task);
      this.#look();
      return taken;
    };
    return {
      taker: this.#taker,
      ahead: false,
      sticky: kind === 'workflow' && this.#warm,
      deliver: end,
      durable: () => {},
      over: () => {},
      release: () => {
        end(undefined);
      },
    };
  }

  settled(heard: (tasks: readonly Delivery[]) => void): void {
    this.#heard = heard;
    this.#look();
  }

  close(): void {
    this.#waits = false;
    this.#gone();
  }

  #look(): void {
    if (this.#claims > 0 || this.#heard === undefined || !this.#waits) return;
    this.close();
    this.#heard(this.#tasks);
  }
}

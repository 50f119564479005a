// Tasks that come with an answer: the first workflow task with a start, activities and the next workflow task with a worker's own answer. They are the
// same starts as any (I6), for a seat of the call instead of a poll; where the shard is led by another node there are none, and workers poll.

import type { AnswerSeat, Delivery, SeatRequest } from '../../../ports/matching.ts';
import { sessionOf } from '../../hosted-worker.ts';
import { altered } from '../altered-call.ts';
import type { RpcCall, RpcServices } from '../rpc.ts';

export interface Seated {
  /** The call to hand on: its answer has the tasks in it. */
  readonly call: RpcCall;
  /** What names the seat in a request of the native door. */
  readonly eagerWorkerId: string;
  /** The request was refused before it was looked at. */
  close(): void;
}

/** `answer` makes the response of the method's reply and the tasks that came with it. `Reply`: of the native method it is run with. */
export function seated<Reply>(
  services: RpcServices,
  room: Omit<SeatRequest, 'session'>,
  call: RpcCall,
  answer: (reply: Reply, tasks: readonly Delivery[]) => object,
): Seated {
  const eagerWorkerId = `answer-${services.random.uuid()}`;
  const session = sessionOf(room.namespace, eagerWorkerId);
  const seat: AnswerSeat = services.workers.openSeat({ ...room, session });
  call.waits({ abandon: () => seat.close() });
  const waiting = altered(call, {
    // Replies are plain data: what they hold is said by their method's type.
    reply: (body) => seat.settled((tasks) => call.reply(answer(body as Reply, tasks))),
    refuse: (status) => {
      seat.close();
      call.refuse(status);
    },
    fail: (error) => {
      seat.close();
      call.fail(error);
    },
    waits: (waiting) =>
      call.waits({
        abandon: () => {
          seat.close();
          waiting.abandon();
        },
      }),
  });
  return { call: waiting, eagerWorkerId, close: () => seat.close() };
}

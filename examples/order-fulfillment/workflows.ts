// The order workflow: validate, reserve stock, charge, have large orders approved, pack and ship, notify. What cannot be
// finished is undone in reverse order. It is an ordinary async function; that node and worker may be killed at any await
// shows nowhere in it.

import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  isCancellation,
  log,
  proxyActivities,
  rootCause,
  setHandler,
} from 'tenuto/workflow';
import type { Activities } from './activities.ts';
import {
  type ApprovalDecision,
  type Ending,
  type FulfilmentPolicy,
  type Order,
  type OrderResult,
  type OrderStatus,
  type Step,
  validateOrder,
} from './model.ts';
import { Saga } from './saga.ts';

export const approval = defineSignal<[ApprovalDecision]>('approval');
export const status = defineQuery<OrderStatus>('status');

// Each call is short; the services fail and stall, so it is tried again until the order's own deadline cancels it.
const forward = proxyActivities<Activities>({
  startToCloseTimeout: '4 seconds',
  retry: { initialInterval: '100 ms', backoffCoefficient: 1.6, maximumInterval: '1 second' },
});

// Packing takes as long as it takes, but says that it is alive: a killed worker is noticed after the heartbeat timeout, and the
// next attempt goes on where the last heartbeat left off.
const shipping = proxyActivities<Pick<Activities, 'packAndShip'>>({
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '2 seconds',
  retry: { initialInterval: '100 ms', backoffCoefficient: 1.6, maximumInterval: '1 second' },
});

// What undoes or tells never gives up: a refund that was not made is not an option.
const closing = proxyActivities<Activities>({
  startToCloseTimeout: '4 seconds',
  retry: { initialInterval: '100 ms', backoffCoefficient: 1.6, maximumInterval: '2 seconds' },
});

/** Fulfils one order; every ending is a result, and only a bug in this code makes it throw. */
export async function fulfillOrder(order: Order, policy: FulfilmentPolicy): Promise<OrderResult> {
  const { orderId, totalCents } = order;
  const now: OrderStatus = {
    orderId,
    step: 'validating',
    totalCents,
    chargedCents: 0,
    refundedCents: 0,
    compensated: [],
  };
  const saga = new Saga();
  let decision: ApprovalDecision | undefined;
  let trackingNumber: string | undefined;
  let mayBeShipped = false;

  setHandler(status, () => now);
  setHandler(approval, (answer) => {
    decision ??= answer;
  });

  const enter = (step: Step) => {
    now.step = step;
    log.debug('order moved on', { orderId, step });
  };

  const fulfil = async (): Promise<Outcome> => {
    const problem = validateOrder(order);
    if (problem !== undefined) return { ending: 'invalid', reason: problem };

    enter('reserving stock');
    saga.add('restock', async () => {
      await closing.restock({ orderId });
    });
    const items = order.lines.map(({ sku, quantity }) => ({ sku, quantity }));
    await forward.reserveStock({ orderId, items });

    enter('charging');
    saga.add('refund', async () => {
      const refund = await closing.refundPayment({ orderId });
      now.chargedCents = refund.chargedCents;
      now.refundedCents = refund.refundedCents;
    });
    const authorization = await forward.authorizePayment({ orderId, amountCents: totalCents, card: order.card.token });
    const charge = await forward.chargePayment({ orderId, amountCents: totalCents, ...authorization });
    now.chargedCents = charge.chargedCents;

    if (totalCents >= policy.approvalThresholdCents) {
      enter('awaiting approval');
      const answered = await condition(() => decision !== undefined, policy.approvalTimeoutMs);
      if (!answered || decision === undefined) {
        return { ending: 'approval_timed_out', reason: `nobody answered within ${policy.approvalTimeoutMs} ms` };
      }
      if (!decision.approved) {
        return { ending: 'rejected', reason: `rejected by ${decision.by}${decision.note ? `: ${decision.note}` : ''}` };
      }
    }

    enter('packing and shipping');
    mayBeShipped = true;
    const shipment = await shipping.packAndShip({ orderId, carrier: order.carrier });
    trackingNumber = shipment.trackingNumber;
    return { ending: 'shipped' };
  };

  let outcome: Outcome;
  try {
    outcome = await CancellationScope.withTimeout(policy.orderTimeoutMs, fulfil);
  } catch (error) {
    const asked = CancellationScope.current().consideredCancelled ? 'requested' : 'deadline';
    outcome = outcomeOf(error, { cancelled: asked, step: now.step });
  }

  return CancellationScope.nonCancellable(async () => {
    if (outcome.ending !== 'shipped') {
      enter('compensating');
      // The parcel may have left the house while the deadline passed or the answer was lost: then the order is shipped, and
      // nothing may be undone. A parcel that was stopped can no longer leave.
      const recall = mayBeShipped ? await closing.recallShipment({ orderId }) : undefined;
      if (recall?.outcome === 'already_shipped') {
        trackingNumber = recall.trackingNumber;
        outcome = { ending: 'shipped' };
      } else {
        if (recall) now.compensated.push('recall the parcel');
        await saga.compensate((name) => now.compensated.push(name));
      }
    }
    enter('notifying');
    now.ending = outcome.ending;
    await closing.notifyCustomer({ orderId, email: order.customer.email, ending: outcome.ending });
    enter('done');
    return {
      orderId,
      status: outcome.ending,
      chargedCents: now.chargedCents,
      refundedCents: now.refundedCents,
      ...(trackingNumber === undefined ? {} : { trackingNumber }),
      ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
    };
  });
}

interface Outcome {
  ending: Ending;
  reason?: string;
}

/** What a step that threw means for the order. What no activity threw is a bug in this file, and is thrown on. */
function outcomeOf(error: unknown, at: { cancelled: 'requested' | 'deadline'; step: Step }): Outcome {
  // An attempt that failed while its cancellation was on the way counts as cancelled: it is not tried again.
  const stopped = error instanceof ActivityFailure && error.retryState === 'CANCEL_REQUESTED';
  if (isCancellation(error) || stopped) {
    if (at.cancelled === 'requested') return { ending: 'cancelled', reason: `cancelled while ${at.step}` };
    const ending = at.step === 'packing and shipping' ? 'shipping_timed_out' : 'timed_out';
    return { ending, reason: `the order's deadline passed while ${at.step}` };
  }
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (cause instanceof ApplicationFailure) {
    switch (cause.type) {
      case 'out_of_stock':
        return { ending: 'out_of_stock', reason: cause.message };
      case 'card_declined':
      case 'expired_card':
      case 'insufficient_funds':
        return { ending: 'declined', reason: cause.message };
    }
  }
  if (error instanceof ActivityFailure) return { ending: 'failed', reason: rootCause(error) ?? error.message };
  throw error;
}

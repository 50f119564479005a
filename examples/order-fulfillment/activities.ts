// What the order workflow asks of the world: calls to the payment and warehouse services. Every mutation carries an idempotency
// key made of the workflow's id and the step, so an attempt that repeats another's work changes nothing.

import { activityInfo, Context, heartbeat, sleep } from 'tenuto/activity';
import type { Ending } from './model.ts';
import type { ServiceClient } from './service-client.ts';

/** How often packing is looked at, and so how often the activity heartbeats. */
const PACKING_POLL_MS = 150;

export interface Services {
  payment: ServiceClient;
  warehouse: ServiceClient;
  /** Told of each attempt after the first, for the live view. */
  onRetry: (activity: string, from: 'start' | 'heartbeat') => void;
}

export interface PackingProgress {
  shipmentId: string;
  packed: number;
  boxes: number;
}

interface ShipmentView {
  shipmentId: string;
  state: 'packing' | 'waiting for carrier' | 'ready' | 'shipped' | 'recalled';
  packed: number;
  boxes: number;
}

export type Activities = ReturnType<typeof createActivities>;

export function createActivities({ payment, warehouse, onRetry }: Services) {
  /** What is common to all: the attempt is counted, the key is derived, cancellation reaches the call. */
  function callOf(step: string, path: string, body: unknown) {
    const info = activityInfo();
    const idempotencyKey = `${info.workflowExecution?.workflowId ?? info.activityId}/${step}`;
    return { path, body, idempotencyKey, signal: Context.current().cancellationSignal };
  }

  function countRetry(from: 'start' | 'heartbeat' = 'start'): void {
    const { attempt, activityType } = activityInfo();
    if (attempt > 1) onRetry(activityType, from);
  }

  return {
    reserveStock(order: { orderId: string; items: { sku: string; quantity: number }[] }) {
      countRetry();
      return warehouse.post<{ reservationId: string }>(callOf('reserve', '/reservations', order));
    },

    authorizePayment(order: { orderId: string; amountCents: number; card: string }) {
      countRetry();
      return payment.post<{ authorizationId: string }>(callOf('authorize', '/authorizations', order));
    },

    chargePayment(order: { orderId: string; amountCents: number; authorizationId: string }) {
      countRetry();
      return payment.post<{ chargeId: string; chargedCents: number }>(callOf('charge', '/charges', order));
    },

    /** Packs all boxes and hands the parcel to the carrier. Long: it heartbeats, and goes on from its last heartbeat. */
    async packAndShip({ orderId, carrier }: { orderId: string; carrier: string }): Promise<{ trackingNumber: string }> {
      // The heartbeat below is the only one this activity sends.
      const before = activityInfo().heartbeatDetails as PackingProgress | undefined;
      countRetry(before ? 'heartbeat' : 'start');
      const shipmentId = before?.shipmentId ?? (await startPacking(orderId, carrier)).shipmentId;
      for (;;) {
        const shipment = await warehouse.get<ShipmentView>(
          `/shipments/${shipmentId}`,
          Context.current().cancellationSignal,
        );
        heartbeat({ shipmentId, packed: shipment.packed, boxes: shipment.boxes } satisfies PackingProgress);
        if (shipment.state !== 'packing' && shipment.state !== 'waiting for carrier') break;
        await sleep(PACKING_POLL_MS);
      }
      return warehouse.post(callOf('dispatch', '/dispatches', { orderId, shipmentId }));
    },

    /** Stops the order's parcel, if it has not left; after it, no parcel of this order leaves. */
    recallShipment(order: { orderId: string }) {
      countRetry();
      return warehouse.post<{ outcome: 'stopped' | 'already_shipped'; trackingNumber?: string }>(
        callOf('recall', '/recalls', order),
      );
    },

    /** Returns whatever was charged, voids what was only authorized, and lets no later charge of this order through. */
    refundPayment(order: { orderId: string }) {
      countRetry();
      return payment.post<{ chargedCents: number; refundedCents: number }>(callOf('refund', '/refunds', order));
    },

    /** Puts whatever was reserved back on the shelf, and lets no later reservation of this order through. */
    restock(order: { orderId: string }) {
      countRetry();
      return warehouse.post<{ restocked: number }>(callOf('restock', '/releases', order));
    },

    notifyCustomer(message: { orderId: string; email: string; ending: Ending }) {
      countRetry();
      return payment.post<{ messageId: string }>(callOf('notify', '/messages', message));
    },
  };

  function startPacking(orderId: string, carrier: string) {
    return warehouse.post<PackingProgress>(callOf('pack', '/shipments', { orderId, carrier }));
  }
}

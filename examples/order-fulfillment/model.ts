// The words the whole demo speaks: an order, where it stands, how it ended. Types and pure arithmetic only: workflow code,
// activities, services, supervisor and audit all import it. Money is integer cents (EUR) everywhere.

export interface OrderLine {
  sku: string;
  name: string;
  /** Pieces, at least 1. */
  quantity: number;
  unitPriceCents: number;
}

export interface Order {
  orderId: string;
  /** ISO 8601. */
  placedAt: string;
  customer: { name: string; email: string; street: string; city: string; country: string };
  lines: OrderLine[];
  carrier: string;
  shippingCents: number;
  /** What the shop's checkout computed; `validateOrder` recomputes it. */
  totalCents: number;
  /** A payment provider's token stands for the card; the shop never sees its number. */
  card: { token: string; brand: string; last4: string };
}

export interface Product {
  sku: string;
  name: string;
  unitPriceCents: number;
  /** Pieces on the shelf when the demo begins. */
  stock: number;
  /** Pieces that fit into one box. */
  perBox: number;
}

export interface Carrier {
  id: string;
  name: string;
  priceCents: number;
  /** A suspended carrier never picks up: its parcels stall, and the order's deadline has to end them. */
  suspended: boolean;
}

export interface Catalogue {
  products: Product[];
  carriers: Carrier[];
}

/** Where an order stands while it runs. */
export const STEPS = [
  'validating',
  'reserving stock',
  'charging',
  'awaiting approval',
  'packing and shipping',
  'compensating',
  'notifying',
  'done',
] as const;
export type Step = (typeof STEPS)[number];

/** How an order ended. All but `shipped` leave neither money nor stock moved. */
export const ENDINGS = [
  'shipped',
  'invalid',
  'out_of_stock',
  'declined',
  'rejected',
  'approval_timed_out',
  'shipping_timed_out',
  'timed_out',
  'cancelled',
  'failed',
] as const;
export type Ending = (typeof ENDINGS)[number];

/** What the workflow's `status` query answers. */
export interface OrderStatus {
  orderId: string;
  step: Step;
  ending?: Ending;
  totalCents: number;
  chargedCents: number;
  refundedCents: number;
  /** Compensations done so far, in the order in which they ran. */
  compensated: string[];
}

/** What the workflow returns; the audit holds it against the services' files. */
export interface OrderResult {
  orderId: string;
  status: Ending;
  chargedCents: number;
  refundedCents: number;
  trackingNumber?: string;
  /** Why an order that was not shipped ended as it did. */
  reason?: string;
}

export interface ApprovalDecision {
  approved: boolean;
  by: string;
  note?: string;
}

/** Limits the supervisor hands each workflow with its order. */
export interface FulfilmentPolicy {
  /** Orders of this total and above wait for a person. */
  approvalThresholdCents: number;
  approvalTimeoutMs: number;
  /** From the start of the workflow to the parcel's hand-over; then everything done so far is compensated. */
  orderTimeoutMs: number;
}

export const TASK_QUEUE = 'order-fulfillment';
/** @param run tells the orders of one run from those of another, where a server keeps both; '': there is one run only */
export const workflowIdOf = (orderId: string, run = ''): string =>
  run === '' ? `order-${orderId}` : `order-${run}-${orderId}`;

export function totalOf(order: Pick<Order, 'lines' | 'shippingCents'>): number {
  return order.lines.reduce((sum, line) => sum + line.quantity * line.unitPriceCents, order.shippingCents);
}

/** The first thing wrong with an order, or nothing. */
export function validateOrder(order: Order): string | undefined {
  if (order.lines.length === 0) return 'the order has no lines';
  for (const line of order.lines) {
    if (!Number.isSafeInteger(line.quantity) || line.quantity < 1) {
      return `${line.sku}: the quantity ${line.quantity} is not a whole number of at least 1`;
    }
    if (!Number.isSafeInteger(line.unitPriceCents) || line.unitPriceCents < 0) {
      return `${line.sku}: the price ${line.unitPriceCents} is not a whole number of cents`;
    }
  }
  const total = totalOf(order);
  if (total !== order.totalCents)
    return `the lines and shipping add up to ${total} cents, the order says ${order.totalCents}`;
  return undefined;
}

export function euros(cents: number): string {
  const sign = cents < 0 ? '-' : '';
  const whole = Math.floor(Math.abs(cents) / 100);
  const fraction = String(Math.abs(cents) % 100).padStart(2, '0');
  return `${sign}€${String(whole).replace(/\B(?=(\d{3})+$)/g, ',')}.${fraction}`;
}

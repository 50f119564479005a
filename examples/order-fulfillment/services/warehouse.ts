// The warehouse: reserves pieces, packs parcels box by box, hands them to a carrier, and takes back what was not handed over.
// Pure: the ledger performs and stores, the server speaks HTTP.
//
// A recall and a release *close* their order: a hand-over or reservation that was delayed on its way and arrives afterwards is
// refused, not made. How far packing has come is a function of the clock and the journal, so a restart loses none of it.

import { z } from 'zod';
import type { Catalogue } from '../model.ts';
import { randomOf } from '../random.ts';
import { type Decision, type Domain, type Request, refuse } from './ledger.ts';

export interface StockItem {
  sku: string;
  quantity: number;
}

export type WarehouseEffect =
  /** `shelf`: what is left of each of these SKUs on the shelf, counted after the effect. */
  | { kind: 'reserved'; orderId: string; reservationId: string; items: StockItem[]; shelf: StockItem[] }
  | { kind: 'out of stock'; orderId: string; sku: string; available: number; wanted: number }
  | { kind: 'packing'; orderId: string; shipmentId: string; carrier: string; boxMs: number[] }
  | { kind: 'shipped'; orderId: string; shipmentId: string; trackingNumber: string; items: StockItem[] }
  | { kind: 'recalled'; orderId: string; outcome: 'stopped' | 'already_shipped' }
  | { kind: 'restocked'; orderId: string; items: StockItem[]; shelf: StockItem[] };

interface Shipment {
  id: string;
  carrier: string;
  startedAt: number;
  boxMs: number[];
}

interface Job {
  reserved?: StockItem[];
  shipment?: Shipment;
  trackingNumber?: string;
  recalled: boolean;
  closed: boolean;
}

interface WarehouseState {
  shelf: Map<string, number>;
  jobs: Map<string, Job>;
  /** Shipment id → order id. */
  shipments: Map<string, string>;
}

const orderId = z.string().min(1).max(200);
const items = z.array(z.object({ sku: z.string().min(1), quantity: z.int().positive() })).min(1);
const reserveBody = z.object({ orderId, items });
const shipmentBody = z.object({ orderId, carrier: z.string() });
const dispatchBody = z.object({ orderId, shipmentId: z.string() });
const orderBody = z.object({ orderId });

/** Packing one box takes between these. */
const BOX_MS = { least: 250, most: 900 };

export function warehouseDomain(catalogue: Catalogue, seed: number): Domain<WarehouseState, WarehouseEffect> {
  const products = new Map(catalogue.products.map((product) => [product.sku, product]));
  const carriers = new Map(catalogue.carriers.map((carrier) => [carrier.id, carrier]));

  function reserve(state: WarehouseState, request: Request): Decision<WarehouseEffect> {
    const body = reserveBody.parse(request.body);
    const job = state.jobs.get(body.orderId);
    if (job?.closed) return { answer: refuse(410, 'order_closed', `order ${body.orderId} was released and closed`) };
    if (job?.reserved) return { answer: refuse(422, 'already_reserved', `order ${body.orderId} is already reserved`) };
    const wanted = merge(body.items);
    for (const { sku, quantity } of wanted) {
      const available = state.shelf.get(sku);
      if (available === undefined) return { answer: refuse(422, 'unknown_sku', `the catalogue has no ${sku}`) };
      if (available < quantity) {
        const name = products.get(sku)?.name ?? sku;
        const message = `${name} (${sku}): ${quantity} wanted, ${available} on the shelf`;
        return {
          answer: refuse(422, 'out_of_stock', message, { sku, available }),
          effect: { kind: 'out of stock', orderId: body.orderId, sku, available, wanted: quantity },
        };
      }
    }
    const reservationId = `res_${number(request.seq)}`;
    const shelf = wanted.map(({ sku, quantity }) => ({ sku, quantity: (state.shelf.get(sku) ?? 0) - quantity }));
    return {
      answer: { status: 201, body: { reservationId } },
      effect: { kind: 'reserved', orderId: body.orderId, reservationId, items: wanted, shelf },
    };
  }

  function startPacking(state: WarehouseState, request: Request): Decision<WarehouseEffect> {
    const body = shipmentBody.parse(request.body);
    const job = state.jobs.get(body.orderId);
    if (job?.recalled || job?.closed) return { answer: recalledAnswer(body.orderId) };
    if (!job?.reserved) return { answer: refuse(422, 'not_reserved', `order ${body.orderId} has nothing reserved`) };
    if (job.shipment) {
      return { answer: refuse(422, 'already_packing', `order ${body.orderId} is packed as ${job.shipment.id}`) };
    }
    if (!carriers.has(body.carrier)) {
      return { answer: refuse(422, 'unknown_carrier', `no carrier is called ${body.carrier}`) };
    }
    const pieces = job.reserved.map((item) => item.quantity / (products.get(item.sku)?.perBox ?? 1));
    const boxes = Math.max(1, Math.ceil(pieces.reduce((sum, share) => sum + share, 0)));
    const boxMs = Array.from({ length: boxes }, (_, box) => {
      const luck = randomOf(seed, `${body.orderId}/box/${box}`);
      return Math.round(BOX_MS.least + luck * (BOX_MS.most - BOX_MS.least));
    });
    const shipmentId = `shp_${number(request.seq)}`;
    return {
      answer: { status: 202, body: { shipmentId, packed: 0, boxes } },
      effect: { kind: 'packing', orderId: body.orderId, shipmentId, carrier: body.carrier, boxMs },
    };
  }

  function dispatch(state: WarehouseState, request: Request): Decision<WarehouseEffect> {
    const body = dispatchBody.parse(request.body);
    const job = state.jobs.get(body.orderId);
    if (job?.recalled || job?.closed) return { answer: recalledAnswer(body.orderId) };
    if (!job?.reserved || job.shipment?.id !== body.shipmentId) {
      return { answer: refuse(404, 'no_such_shipment', `order ${body.orderId} has no shipment ${body.shipmentId}`) };
    }
    if (job.trackingNumber) {
      return { answer: refuse(422, 'already_shipped', `order ${body.orderId} has left as ${job.trackingNumber}`) };
    }
    const progress = progressOf(job.shipment, request.now);
    if (progress.state !== 'ready') {
      const message = `shipment ${body.shipmentId} is still ${progress.state} (${progress.packed} of ${progress.boxes} boxes)`;
      return { answer: refuse(422, 'not_ready', message) };
    }
    const trackingNumber = `${job.shipment.carrier.toUpperCase()}-${number(request.seq)}`;
    return {
      answer: { status: 201, body: { trackingNumber } },
      effect: {
        kind: 'shipped',
        orderId: body.orderId,
        shipmentId: body.shipmentId,
        trackingNumber,
        items: job.reserved,
      },
    };
  }

  function recall(state: WarehouseState, request: Request): Decision<WarehouseEffect> {
    const body = orderBody.parse(request.body);
    const trackingNumber = state.jobs.get(body.orderId)?.trackingNumber;
    const outcome = trackingNumber === undefined ? 'stopped' : 'already_shipped';
    return {
      answer: { status: 201, body: { outcome, ...(trackingNumber === undefined ? {} : { trackingNumber }) } },
      effect: { kind: 'recalled', orderId: body.orderId, outcome },
    };
  }

  function release(state: WarehouseState, request: Request): Decision<WarehouseEffect> {
    const body = orderBody.parse(request.body);
    const job = state.jobs.get(body.orderId);
    if (job?.closed) return { answer: refuse(410, 'order_closed', `order ${body.orderId} was released and closed`) };
    if (job?.trackingNumber) {
      return { answer: refuse(422, 'already_shipped', `order ${body.orderId} has left as ${job.trackingNumber}`) };
    }
    const back = job?.reserved ?? [];
    const shelf = back.map(({ sku, quantity }) => ({ sku, quantity: (state.shelf.get(sku) ?? 0) + quantity }));
    return {
      answer: { status: 201, body: { restocked: back.reduce((sum, item) => sum + item.quantity, 0) } },
      effect: { kind: 'restocked', orderId: body.orderId, items: back, shelf },
    };
  }

  function progressOf(shipment: Shipment, now: number) {
    const boxes = shipment.boxMs.length;
    let packed = 0;
    for (let doneAt = shipment.startedAt; packed < boxes; packed += 1) {
      doneAt += shipment.boxMs[packed] ?? 0;
      if (doneAt > now) return { state: 'packing' as const, packed, boxes };
    }
    const suspended = carriers.get(shipment.carrier)?.suspended ?? false;
    return { state: suspended ? ('waiting for carrier' as const) : ('ready' as const), packed, boxes };
  }

  return {
    name: 'warehouse',
    create: () => ({
      shelf: new Map(catalogue.products.map(({ sku, stock }) => [sku, stock])),
      jobs: new Map(),
      shipments: new Map(),
    }),

    decide(state, request) {
      switch (request.path) {
        case '/reservations':
          return reserve(state, request);
        case '/shipments':
          return startPacking(state, request);
        case '/dispatches':
          return dispatch(state, request);
        case '/recalls':
          return recall(state, request);
        case '/releases':
          return release(state, request);
        default:
          return { answer: refuse(404, 'no_such_path', `warehouse has no POST ${request.path}`) };
      }
    },

    evolve(state, effect, at) {
      const job = state.jobs.get(effect.orderId) ?? { recalled: false, closed: false };
      state.jobs.set(effect.orderId, job);
      switch (effect.kind) {
        case 'out of stock':
          return;
        case 'reserved':
          job.reserved = effect.items;
          for (const { sku, quantity } of effect.shelf) state.shelf.set(sku, quantity);
          return;
        case 'packing':
          job.shipment = { id: effect.shipmentId, carrier: effect.carrier, startedAt: at, boxMs: effect.boxMs };
          state.shipments.set(effect.shipmentId, effect.orderId);
          return;
        case 'shipped':
          job.trackingNumber = effect.trackingNumber;
          return;
        case 'recalled':
          job.recalled = effect.outcome === 'stopped';
          return;
        case 'restocked':
          job.closed = true;
          for (const { sku, quantity } of effect.shelf) state.shelf.set(sku, quantity);
          return;
      }
    },

    view(state, path, now) {
      if (path === '/shelf') return Object.fromEntries(state.shelf);
      const shipmentId = path.startsWith('/shipments/') ? path.slice('/shipments/'.length) : undefined;
      const job = shipmentId === undefined ? undefined : state.jobs.get(state.shipments.get(shipmentId) ?? '');
      if (!job?.shipment) return undefined;
      const progress = { shipmentId, ...progressOf(job.shipment, now) };
      if (job.trackingNumber) return { ...progress, state: 'shipped' };
      return job.recalled || job.closed ? { ...progress, state: 'recalled' } : progress;
    },
  };
}

/** One line a SKU, however often an order names it. */
function merge(items: readonly StockItem[]): StockItem[] {
  const quantities = new Map<string, number>();
  for (const { sku, quantity } of items) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity);
  return [...quantities].map(([sku, quantity]) => ({ sku, quantity }));
}

function recalledAnswer(orderId: string) {
  return refuse(410, 'recalled', `the parcel of order ${orderId} was recalled`);
}

function number(seq: number): string {
  return String(seq).padStart(6, '0');
}

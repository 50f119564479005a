// Writes data/orders.json and data/catalogue.json: `node dist/examples/order-fulfillment/generate-data.js`. Deterministic: the
// same code gives the same files, and a test compares them with the ones in the repository.
//
// The first 25 orders hold at least one of each kind, so that a short run shows everything.

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Carrier, type Catalogue, type Order, type OrderLine, type Product, totalOf } from './model.ts';
import { CATALOGUE_FILE, ORDERS_FILE } from './paths.ts';
import { randomStream } from './random.ts';

const ORDERS = 300;
const FIRST_ORDER_AT = Date.UTC(2025, 2, 3, 6, 40);

/** [sku, name, price in cents, pieces a box, popularity] */
const GOODS: readonly (readonly [string, string, number, number, number])[] = [
  ['TEA-DARJ-100', 'Darjeeling First Flush, 100 g', 1490, 20, 6],
  ['TEA-SENC-100', 'Sencha, 100 g', 1190, 20, 6],
  ['TEA-ROOI-250', 'Rooibos, 250 g', 990, 16, 4],
  ['COF-ETHI-500', 'Coffee Yirgacheffe, whole bean, 500 g', 1690, 10, 9],
  ['COF-COLO-1K', 'Coffee Huila, whole bean, 1 kg', 2890, 6, 8],
  ['COF-DECA-500', 'Coffee decaf, ground, 500 g', 1590, 10, 4],
  ['POT-IRON-12', 'Cast-iron teapot, 1.2 l', 6400, 3, 3],
  ['POT-GLAS-08', 'Glass teapot, 0.8 l', 3250, 3, 3],
  ['KET-GOOS-10', 'Gooseneck kettle, 1.0 l', 7990, 2, 4],
  ['KET-ELEC-17', 'Electric kettle, 1.7 l', 5490, 2, 3],
  ['GRI-HAND-01', 'Hand grinder, steel burrs', 8900, 4, 4],
  ['GRI-ELEC-02', 'Electric grinder, 64 mm burrs', 34900, 1, 2],
  ['MAC-ESPR-01', 'Espresso machine, single boiler', 54900, 1, 2],
  ['MAC-ESPR-02', 'Espresso machine, dual boiler', 149900, 1, 1],
  ['DRI-V60-02', 'Pour-over dripper, ceramic', 2450, 8, 5],
  ['FIL-V60-100', 'Paper filters, 100 pieces', 690, 40, 9],
  ['SCA-DIGI-01', 'Digital scale with timer, 0.1 g', 4990, 10, 4],
  ['CUP-ESPR-06', 'Espresso cups, set of 6', 3990, 4, 4],
  ['CUP-CAPP-02', 'Cappuccino cups, set of 2', 2290, 6, 4],
  ['MUG-STON-01', 'Stoneware mug, 350 ml', 1690, 8, 7],
  ['THE-STEE-05', 'Vacuum flask, 0.5 l', 3490, 8, 5],
  ['THE-STEE-10', 'Vacuum flask, 1.0 l', 4490, 6, 3],
  ['CAN-TIN-500', 'Storage tin, airtight, 500 g', 1890, 10, 5],
  ['SPO-MEAS-01', 'Measuring spoon, brass', 1250, 40, 3],
  ['WHI-BAMB-01', 'Bamboo whisk', 1990, 20, 2],
  ['MAT-CERE-30', 'Matcha, ceremonial, 30 g', 3190, 24, 4],
  ['HON-LIME-500', 'Lime-blossom honey, 500 g', 1090, 12, 4],
  ['SUG-CANE-1K', 'Cane sugar cubes, 1 kg', 540, 10, 3],
  ['CHO-DARK-100', 'Dark chocolate 72 %, 100 g', 490, 40, 8],
  ['BIS-BUTT-300', 'Butter biscuits, 300 g', 790, 16, 6],
  ['JUG-MILK-06', 'Milk jug, steel, 0.6 l', 2690, 8, 3],
  ['TAM-STEE-58', 'Tamper, 58 mm', 3890, 12, 2],
  ['KNO-BOX-01', 'Knock box', 3290, 6, 2],
  ['CLE-TABS-100', 'Cleaning tablets, 100 pieces', 1790, 20, 3],
  ['APR-LINE-01', 'Linen apron', 4590, 10, 2],
  ['BOO-BREW-01', 'The Brewing Handbook', 2990, 10, 2],
];

/** Sold out, or nearly: wanted more often than they are there. [sku, name, price, pieces a box, stock] */
const SCARCE: readonly (readonly [string, string, number, number, number])[] = [
  ['COF-GEIS-250', 'Coffee Geisha, limited lot, 250 g', 4900, 12, 3],
  ['MUG-JUBI-25', 'Jubilee mug, hand-painted', 3900, 6, 2],
  ['TEA-WHIT-50', 'White tea Silver Needle, 50 g', 2890, 30, 0],
];

const CARRIERS: readonly Carrier[] = [
  { id: 'post', name: 'Post', priceCents: 490, suspended: false },
  { id: 'courier', name: 'Courier, next day', priceCents: 1290, suspended: false },
  { id: 'freight', name: 'Freight forwarder', priceCents: 3900, suspended: false },
  { id: 'ferry', name: 'Island ferry (no sailings: storm)', priceCents: 1890, suspended: true },
];

const FIRST_NAMES =
  'Amelie Jonas Sofia Mateo Ingrid Luca Chiara Henrik Zofia Tomasz Aoife Declan Marta Pavel Elin Nikos Ana Rui Yara Bram Saskia Emil Lucie Théo Maja Oskar Freya Noor Karim Elif'.split(
    ' ',
  );
const LAST_NAMES =
  'Bergmann Rossi Lindqvist García Nowak Murphy Novák Papadopoulos Ferreira de-Vries Janssen Laurent Moreau Hansen Virtanen Kowalska Horvat Schneider Weber Costa Byrne Demir Haddad Andersen Keller Fontaine Silva Popescu Szabó Larsen'.split(
    ' ',
  );
const CITIES: readonly (readonly [string, string, string])[] = [
  ['Hamburg', 'DE', 'Deichstraße'],
  ['Berlin', 'DE', 'Kastanienallee'],
  ['Wien', 'AT', 'Neubaugasse'],
  ['Zürich', 'CH', 'Badenerstrasse'],
  ['Lyon', 'FR', 'Rue de la République'],
  ['Nantes', 'FR', 'Quai de la Fosse'],
  ['Bologna', 'IT', 'Via del Pratello'],
  ['Porto', 'PT', 'Rua das Flores'],
  ['Valencia', 'ES', 'Calle de Cádiz'],
  ['Utrecht', 'NL', 'Oudegracht'],
  ['Gent', 'BE', 'Korenlei'],
  ['Aarhus', 'DK', 'Vestergade'],
  ['Göteborg', 'SE', 'Haga Nygata'],
  ['Tampere', 'FI', 'Hämeenkatu'],
  ['Kraków', 'PL', 'Ulica Józefa'],
  ['Brno', 'CZ', 'Údolní'],
  ['Cork', 'IE', 'MacCurtain Street'],
  ['Thessaloniki', 'GR', 'Egnatia'],
];
const BRANDS: readonly (readonly [string, string])[] = [
  ['tok_visa', 'Visa'],
  ['tok_mastercard', 'Mastercard'],
  ['tok_amex', 'American Express'],
];

type Kind = 'usual' | 'large' | 'bad card' | 'scarce' | 'island' | 'wrong total';

/** Kinds by position: regular enough to be found, and no island order near the end, since each takes its full deadline. */
function kindAt(index: number): Kind {
  const place = index + 1;
  if (place % 12 === 4) return 'large';
  if (place % 15 === 6) return 'bad card';
  if (place % 21 === 9) return 'scarce';
  if (place % 37 === 11 && place < ORDERS * 0.8) return 'island';
  if (place % 120 === 14) return 'wrong total';
  return 'usual';
}

export function generate(): { orders: Order[]; catalogue: Catalogue } {
  const random = randomStream(20_250_303);
  const upTo = (limit: number) => Math.floor(random() * limit);
  const pick = <T>(list: readonly T[]): T => {
    const item = list[upTo(list.length)];
    if (item === undefined) throw new Error('cannot pick from an empty list');
    return item;
  };
  const popularity = GOODS.reduce((sum, [, , , , weight]) => sum + weight, 0);
  const pickGood = () => {
    let luck = random() * popularity;
    return GOODS.find(([, , , , weight]) => (luck -= weight) < 0) ?? pick(GOODS);
  };

  let placedAt = FIRST_ORDER_AT;
  const orders = Array.from({ length: ORDERS }, (_, index): Order => {
    const kind = kindAt(index);
    placedAt += Math.round(20_000 + random() * 280_000);
    const lines = new Map<string, OrderLine>();
    const add = ([sku, name, unitPriceCents]: readonly [string, string, number, ...unknown[]], quantity: number) => {
      const line = lines.get(sku);
      if (line) line.quantity += quantity;
      else lines.set(sku, { sku, name, unitPriceCents, quantity });
    };
    if (kind === 'large') {
      // An office or a café: machines, and what goes with them.
      const machines = GOODS.filter(([sku]) => sku.startsWith('MAC') || sku === 'GRI-ELEC-02');
      add(pick(machines), 1 + upTo(2));
      add(pick(machines), 1);
      for (let extra = 2 + upTo(3); extra > 0; extra -= 1) add(pickGood(), 2 + upTo(10));
      while ([...lines.values()].reduce((sum, line) => sum + line.quantity * line.unitPriceCents, 0) < 100_000) {
        add(pick(machines), 1);
      }
    } else {
      const small = GOODS.filter(([, , price]) => price < 30_000);
      for (let count = 1 + upTo(4); count > 0; count -= 1) {
        const good = pickGood();
        add(small.includes(good) ? good : pick(small), 1 + upTo(random() < 0.15 ? 8 : 3));
      }
    }
    if (kind === 'scarce') add(pick(SCARCE), 1 + upTo(2));

    const first = pick(FIRST_NAMES);
    const last = pick(LAST_NAMES);
    const [city, country, street] = pick(CITIES);
    const carrier = carrierFor(kind, random());
    const [token, brand] = pick(BRANDS);
    const bad = pick(['tok_declined', 'tok_expired', 'tok_insufficient_funds'] as const);
    const order: Order = {
      orderId: `HP-${String(20_250_001 + index)}`,
      placedAt: new Date(placedAt).toISOString(),
      customer: {
        name: `${first} ${last.replace('-', ' ')}`,
        email: `${plain(first)}.${plain(last)}@example.com`,
        street: `${street} ${1 + upTo(140)}`,
        city,
        country,
      },
      lines: [...lines.values()],
      carrier: carrier.id,
      shippingCents: carrier.priceCents,
      totalCents: 0,
      card: { token: kind === 'bad card' ? bad : token, brand, last4: String(1000 + upTo(9000)) },
    };
    // A checkout that applied a voucher it should not have: the books would never balance, so the workflow refuses it.
    const off = kind === 'wrong total' ? 500 : 0;
    return { ...order, totalCents: totalOf(order) - off };
  });
  return { orders, catalogue: { products: productsFor(orders, upTo), carriers: [...CARRIERS] } };
}

function carrierFor(kind: Kind, luck: number): Carrier {
  const id = kind === 'island' ? 'ferry' : kind === 'large' ? 'freight' : luck < 0.7 ? 'post' : 'courier';
  const carrier = CARRIERS.find((candidate) => candidate.id === id);
  if (!carrier) throw new Error(`no carrier is called ${id}`);
  return carrier;
}

/** Enough of all usual goods for all orders, and some to spare. */
function productsFor(orders: readonly Order[], upTo: (limit: number) => number): Product[] {
  const demand = new Map<string, number>();
  for (const line of orders.flatMap((order) => order.lines)) {
    demand.set(line.sku, (demand.get(line.sku) ?? 0) + line.quantity);
  }
  const usual = GOODS.map(([sku, name, unitPriceCents, perBox]) => {
    return { sku, name, unitPriceCents, perBox, stock: (demand.get(sku) ?? 0) + 5 + upTo(40) };
  });
  const scarce = SCARCE.map(([sku, name, unitPriceCents, perBox, stock]) => {
    return { sku, name, unitPriceCents, perBox, stock };
  });
  return [...usual, ...scarce];
}

function plain(name: string): string {
  const letters = name.normalize('NFD').replace(/[^a-zA-Z-]/g, '');
  return letters.toLowerCase();
}

/** The files' text: one order or product a line, so that they can be read and compared. */
export function asLines(key: string, rows: readonly unknown[], more: Record<string, unknown> = {}): string {
  const rest = Object.entries(more).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)},\n`);
  const lines = rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n');
  return `{\n${rest.join('')}  ${JSON.stringify(key)}: [\n${lines}\n  ]\n}\n`;
}

export function dataFiles(): { orders: string; catalogue: string } {
  const { orders, catalogue } = generate();
  return {
    orders: asLines('orders', orders, { currency: 'EUR', prices: 'cents' }),
    catalogue: asLines('products', catalogue.products, { carriers: catalogue.carriers }),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = dataFiles();
  writeFileSync(ORDERS_FILE, files.orders);
  writeFileSync(CATALOGUE_FILE, files.catalogue);
  process.stdout.write(`wrote ${ORDERS_FILE}\nwrote ${CATALOGUE_FILE}\n`);
}

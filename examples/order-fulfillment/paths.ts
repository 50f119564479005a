// Where things are, from the sources as from dist/: the repository's root is the nearest folder above with a package.json.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) throw new Error(`no package.json above ${from}`);
  }
}

export const ROOT = findRoot(dirname(fileURLToPath(import.meta.url)));
const DATA = join(ROOT, 'examples', 'order-fulfillment', 'data');
export const ORDERS_FILE = join(DATA, 'orders.json');
export const CATALOGUE_FILE = join(DATA, 'catalogue.json');
/** The `tenuto` command of the same build. */
export const CLI = join(ROOT, 'dist', 'src', 'cli', 'main.js');

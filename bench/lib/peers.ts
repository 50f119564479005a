// Other systems that the bench can put under the same load, by the name of `--peer`. Each is made only when it is asked for.

import type { System } from './model.ts';

export const PEERS: Readonly<Record<string, () => Promise<System>>> = {};

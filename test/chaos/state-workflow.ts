// Publishes each key once, so that no value is ever replaced: a reader must see every one, once.

import { condition, defineSignal, setHandler, setState } from '../../sdk/workflow/index.ts';

const publish = defineSignal<[number]>('publish');

/** Ends when so many keys were published, each with its number. */
export async function announcing(keys: number): Promise<number> {
  const published = new Set<number>();
  setHandler(publish, (n) => {
    published.add(n);
    setState(`k${n}`, n);
  });
  await condition(() => published.size === keys);
  return keys;
}

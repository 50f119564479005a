// A parcel on its way: what people will look for it by changes as it moves.

import {
  condition,
  defineSearchAttributeKey,
  defineSignal,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
} from 'tenuto/workflow';

export const CITY = defineSearchAttributeKey('City', 'KEYWORD');
export const WEIGHT = defineSearchAttributeKey('Weight', 'DOUBLE');
export const LABELS = defineSearchAttributeKey('Labels', 'KEYWORD_LIST');
export const NOTE = defineSearchAttributeKey('Note', 'TEXT');

export const arrived = defineSignal<[city: string]>('arrived');
export const delivered = defineSignal('delivered');

export async function parcel(): Promise<string[]> {
  const route: string[] = [];
  let over = false;
  setHandler(arrived, (city) => {
    route.push(city);
    upsertSearchAttributes([{ key: CITY, value: city }]);
    upsertMemo({ route });
  });
  setHandler(delivered, () => {
    over = true;
  });
  await condition(() => over);
  // It is nowhere any more.
  upsertSearchAttributes([{ key: CITY, value: null }]);
  return route;
}

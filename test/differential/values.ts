// What requests are made of.

import type { Plain } from './side.ts';

export const payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"text"') };
export const payloads = { payloads: [payload] };
export const failure = { message: 'broken', source: 'test', applicationFailureInfo: { type: 'Broken' } };
export const seconds = (n: number): Plain => ({ seconds: n });
export const taskQueue = (name: string): Plain => ({ name, kind: 1 });

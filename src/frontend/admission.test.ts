// Which calls a node takes on, by their number and by what they have sent.

import { expect, it } from 'vitest';
import { StatusCode } from '../wire/status.ts';
import { Admission, decodedBytes } from './admission.ts';

const refused = expect.objectContaining({ code: StatusCode.RESOURCE_EXHAUSTED });

it('takes calls until there are as many as there may be, and keeps room for workers', () => {
  const admission = new Admission(10, 1_000);
  for (let i = 0; i < 8; i += 1) expect(admission.admit('client', 1)).toBeUndefined();
  expect(admission.admit('client', 1)).toEqual(refused);
  expect(admission.admit('worker', 1)).toBeUndefined();
  expect(admission.admit('worker', 1)).toBeUndefined();
  expect(admission.admit('worker', 1)).toEqual(refused);
  admission.ended(1);
  expect(admission.admit('worker', 1)).toBeUndefined();
});

it('takes calls until they have sent as much as they may, and keeps room for workers', () => {
  const admission = new Admission(1_000, 1_000);
  expect(admission.admit('client', 500)).toBeUndefined();
  expect(admission.admit('client', 300)).toBeUndefined();
  expect(admission.admit('client', 1)).toEqual(refused);
  expect(admission.admit('worker', 200)).toBeUndefined();
  expect(admission.admit('worker', 1)).toEqual(refused);
  admission.ended(500);
  expect(admission.open).toBe(2);
  expect(admission.admit('client', 300)).toBeUndefined();
  expect(admission.admit('client', 1)).toEqual(refused);
});

it('takes one of any size where none is open', () => {
  const admission = new Admission(1_000, 1_000);
  expect(admission.admit('client', 5_000)).toBeUndefined();
  expect(admission.admit('worker', 1)).toEqual(refused);
  admission.ended(5_000);
  expect(admission.admit('client', 800)).toBeUndefined();
});

it('counts what a call turns out to take, and says when that is too much beside the others', () => {
  const admission = new Admission(1_000, 1_000);
  expect(admission.admit('client', 300)).toBeUndefined();
  expect(admission.admit('client', 10)).toBeUndefined();
  expect(admission.grow('client', 100)).toBeUndefined();
  expect(admission.grow('client', 395)).toEqual(refused);
  expect(admission.admit('worker', 300)).toEqual(refused);
  admission.shrink(395);
  expect(admission.admit('worker', 300)).toBeUndefined();
});

it('takes an ordinary request as its bytes, and one of many values as more', () => {
  expect(decodedBytes(100)).toBe(0);
  expect(decodedBytes(100_000)).toBeGreaterThan(5_000_000);
});

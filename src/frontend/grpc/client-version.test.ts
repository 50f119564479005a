// Which clients are told that they are mistaken.

import { describe, expect, it } from 'vitest';
import { clientRefusal } from './client-version.ts';

const refused = (headers: Record<string, string>): boolean =>
  clientRefusal((name) => headers[name], '1.31.2') !== undefined;

describe('a client is refused', () => {
  it.each([
    [{ 'client-name': 'temporal-go', 'client-version': 'abc' }],
    [{ 'client-version': '1.0.0', 'supported-server-versions': '>=99.0.0' }],
    [{ 'supported-server-versions': '>=1.0.0 <1.31.0' }],
    [{ 'supported-server-versions': '<1.0.0 || >2.0.0' }],
  ])('that says %j', (headers) => {
    expect(refused(headers)).toBe(true);
  });
});

describe('a client is served', () => {
  it.each([
    [{}],
    [{ 'client-name': 'temporal-typescript', 'client-version': '1.24.0' }],
    [{ 'client-name': 'temporal-go', 'client-version': 'v1.30.0-rc1' }],
    [{ 'client-name': 'temporal-go', 'client-version': '' }],
    [{ 'supported-server-versions': '>=1.0.0 <2.0.0' }],
    [{ 'supported-server-versions': '<1.0.0 || >=1.31' }],
    [{ 'supported-server-versions': 'whatever' }],
  ])('that says %j', (headers) => {
    expect(refused(headers)).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { formatAddress, isIpLiteral, parseAddress } from './address.ts';

describe('an address', () => {
  it.each([
    ['10.0.0.7:7946', '10.0.0.7', 7946],
    ['[::1]:7946', '::1', 7946],
    ['[fe80::1%eth0]:1', 'fe80::1%eth0', 1],
    ['node-1.internal:65535', 'node-1.internal', 65_535],
  ])('%s is read', (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port });
    expect(formatAddress(host, port)).toBe(text);
  });

  it.each([
    '',
    'node-1',
    'node-1:',
    ':7946',
    'node:0',
    'node:65536',
    '::1:7946',
    'a b:1',
    '[::1]',
    `${'x'.repeat(300)}:1`,
  ])('%j is none', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it.each([
    ['127.0.0.1', true],
    ['::1', true],
    ['256.0.0.1', false],
    ['1.2.3', false],
    ['localhost', false],
  ])('host %s is a literal: %s', (host, literal) => {
    expect(isIpLiteral(host)).toBe(literal);
  });
});

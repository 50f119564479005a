import { describe, expect, it } from 'vitest';
import { hostRules } from './host-rules.ts';

const rules = hostRules(['127.0.0.1', 'box'], ['tenuto.example']);

describe('Host and Origin', () => {
  it.each([
    [undefined, undefined],
    ['127.0.0.1:7280', undefined],
    ['localhost:7280', undefined],
    ['dev.localhost:7280', undefined],
    ['[::1]:7280', undefined],
    ['10.0.0.7', undefined],
    ['box:7280', undefined],
    ['BOX:7280', undefined],
    ['tenuto.example', undefined],
    ['127.0.0.1:7280', 'http://127.0.0.1:7280'],
    ['localhost:7280', 'http://localhost:7280'],
    ['127.0.0.1:7280', 'https://tenuto.example'],
  ])('pass: Host %s, Origin %s', (host, origin) => {
    expect(rules.check(host, origin)).toBeUndefined();
  });

  it.each([
    // A page of evil.example that makes its own name resolve to this machine.
    ['evil.example:7280', undefined],
    ['evil.example:7280', 'http://evil.example:7280'],
    // A page of another origin that names this machine.
    ['127.0.0.1:7280', 'https://evil.example'],
    ['127.0.0.1:7280', 'http://127.0.0.1:3000'],
    ['127.0.0.1:7280', 'null'],
    ['127.0.0.1:7280', 'file://'],
    ['localhost.evil.example', undefined],
    ['not a host', undefined],
  ])('are refused: Host %s, Origin %s', (host, origin) => {
    expect(rules.check(host, origin)).toMatch(/not allowed/);
  });

  it('pass all when everything is allowed', () => {
    expect(hostRules([], ['*']).check('evil.example', 'https://evil.example')).toBeUndefined();
  });
});
